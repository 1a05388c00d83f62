/**
 * The training that goes on in the page: in a worker, so that the page stays live. While it goes on (and
 * after it, until one goes back) its weights stand in place of the model's own, everywhere.
 *
 * @typedef {import("./derive.js").Live} Live
 * @typedef {import("./session.js").Mark} Mark
 */

import { createSession } from "./session.js";
import { freshWeights } from "./trainer.js";

/** Milliseconds of work between two looks at the page: a worker may take longer. */
const [IN_WORKER, IN_PAGE] = [90, 12];

/**
 * @param {import("./bundle.js").Bundle} bundle
 * @param {() => string} script  this script's own text
 * @param {() => void} refresh
 */
export function createTraining(bundle, script, refresh) {
  /** @type {Live | null} */
  let live = null;
  /** @type {{send: (order: import("./session.js").Order) => void, end: () => void} | null} */
  let helper = null;
  /** @type {Mark[]} */
  let marks = [];
  /** @type {Mark | null} */
  let going = null;
  let [version, running, waiting, trouble, looked] = [0, false, false, "", ""];
  let seed = 1;
  /** What was put aside last; it can be brought back. @type {{live: Live, marks: Mark[]} | null} */
  let lost = null;
  /** Epochs that were done before this helper began. */
  let past = 0;
  const settings = { optimiser: "adam", rate: 0.001, batch: 32, from: "own" };

  /** @param {import("./session.js").Progress} progress */
  function heard(progress) {
    if (!helper || !live) return;
    let at = 0;
    const layers = live.layers.map((layer) => ({ ...layer, weights: progress.arrays[at++], bias: progress.arrays[at++] }));
    if (!progress.trouble) live = { version: ++version, layers, statistics: progress.statistics };
    const since = past;
    /** @param {Mark} mark */
    const later = (mark) => ({ ...mark, epoch: mark.epoch + since });
    marks = [...marks, ...progress.marks.map(later)];
    going = progress.now && later(progress.now);
    trouble = progress.trouble;
    running = progress.running;
    waiting = false;
    refresh();
  }

  /** @param {import("./engine.js").Layer[]} own */
  function begin(own) {
    // One that was brought back goes on from where it was.
    const layers = live ? live.layers : settings.from === "new" ? freshWeights(own, seed++) : own.map(({ off, ...layer }) => layer);
    lost = null;
    past = marks.at(-1)?.epoch ?? 0;
    helper = createHelper(script(), heard);
    live = { version: ++version, layers, statistics: null };
    [going, trouble] = [null, ""];
    const width = layers[0].inputs;
    const samples = new Float32Array(bundle.count * width);
    for (let s = 0; s < bundle.count; s++) samples.set(bundle.sample(s), s * width);
    send("start", { layers: layers.map((layer) => ({ ...layer, weights: Float64Array.from(layer.weights), bias: Float64Array.from(layer.bias) })), samples, labels: Uint16Array.from(bundle.labels) });
  }

  /** @param {import("./session.js").Order["task"]} task @param {object} [more] */
  function send(task, more) {
    helper?.send({ task, settings, ...more });
  }

  function back() {
    if (live && (marks.length || going)) lost = { live, marks };
    helper?.end();
    [helper, live, running, waiting, trouble, going] = [null, null, false, false, "", null];
    marks = [];
    refresh();
  }

  return {
    settings,
    live: () => live,
    running: () => running || waiting,
    marks: () => marks,
    now: () => going,
    trouble: () => trouble,
    lost: () => lost !== null,
    back,
    /** Show what was put aside, as it was. */
    restore() {
      if (!lost) return;
      live = { ...lost.live, version: ++version };
      marks = lost.marks;
      lost = null;
      refresh();
    },
    /** @param {import("./engine.js").Layer[]} shown  what is trained */
    toggle(shown) {
      if (running) return send("pause");
      if (!helper) begin(shown);
      waiting = true;
      send("run");
      running = true;
      refresh();
    },
    /** @param {import("./engine.js").Layer[]} shown  what is trained */
    step(shown) {
      if (!helper) begin(shown);
      waiting = true;
      running = false;
      send("step");
      refresh();
    },
    /** Settings that hold from the next batch on; new starting weights hold from the next start on. @param {Partial<typeof settings>} patch */
    change(patch) {
      Object.assign(settings, patch);
      if (patch.from) back();
      else if (running) send("run");
      refresh();
    },
    /** Another model, epoch or weight is looked at: the training is over. @param {import("./store.js").State} state */
    heed(state) {
      const key = `${state.model}|${state.epoch}|${state.edits}`;
      if (live && key !== looked) back();
      // Another network has weights of another shape: to that one nothing can be brought back.
      if (looked && looked.split("|")[0] !== String(state.model)) lost = null;
      looked = key;
    },
    destroy: () => helper?.end(),
  };
}

/** @typedef {ReturnType<typeof createTraining>} Training */

/**
 * A worker made of this very script; where the place allows none, the page does the work in short slices.
 * @param {string} script @param {(progress: import("./session.js").Progress) => void} heard
 */
function createHelper(script, heard) {
  // A page opened from disk may run no module in a worker. As this one imports nothing and exports in its
  // last statement alone, it is a plain script without that.
  const plain = script.replace(/export\s*\{[^{}]*\};?\s*$/, "");
  const url = URL.createObjectURL(new Blob([plain], { type: "text/javascript" }));
  try {
    const worker = new Worker(url, { name: "digits-trainer" });
    /** @type {import("./session.js").Order[]} */
    const sent = [];
    /** @type {((order: import("./session.js").Order) => void) | null} */
    let own = null;
    worker.onmessage = ({ data }) => heard(data);
    // A worker that may not run its script says so later: then what it was told is done here.
    worker.onerror = () => {
      worker.terminate();
      own ??= createSession(heard, IN_PAGE);
      for (const order of sent.splice(0)) own(order);
    };
    return {
      /** @param {import("./session.js").Order} order */
      send(order) {
        if (own) return own(order);
        if (sent.length < 2) sent.push(order);
        worker.postMessage(order);
      },
      end() {
        worker.terminate();
        URL.revokeObjectURL(url);
      },
    };
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    const own = createSession(heard, IN_PAGE);
    return { send: own, end: () => URL.revokeObjectURL(url) };
  }
}

/** What this script does inside the worker. @param {{onmessage: any, postMessage: (data: any) => void}} scope */
export function serve(scope) {
  const session = createSession((progress) => scope.postMessage(progress), IN_WORKER);
  scope.onmessage = (/** @type {MessageEvent} */ { data }) => session(data);
}
