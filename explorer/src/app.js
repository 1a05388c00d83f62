/**
 * The explorer in one element: keeps state and view together.
 *
 * @typedef {import("./derive.js").Derived} Derived
 * @typedef {import("./store.js").State} State
 * @typedef {{node: HTMLElement, update: (d: Derived) => void}} View
 * @typedef {{layer: number, unit: number}} Pointed  a unit (or map) of a layer, or a pixel: layer -1
 *
 * @typedef {object} Context  what a view gets to work with
 * @property {import("./store.js").Store} store
 * @property {import("./bundle.js").Bundle} bundle
 * @property {number} level  of the explorer's heading
 * @property {AbortSignal} gone  when the explorer is taken away
 * @property {() => import("./draw.js").Colours} colours
 * @property {() => Derived} now
 * @property {() => void} refresh  draw again at the next frame
 * @property {(at: number) => void} pickSample
 * @property {(layer: number, unit: number) => void} openUnit
 * @property {(focus?: boolean) => void} reveal  bring the open unit's arithmetic into view, and the focus to it
 * @property {"" | "view" | "focus"} revealing  what of that is still to be done
 * @property {(panel: string) => void} open
 * @property {(file: File) => Promise<void>} loadPicture
 * @property {(text: string) => void} notify  say something above the panels; "" takes it away
 * @property {import("./clock.js").Clock} player
 * @property {import("./motion.js").Motion} motion
 * @property {import("./training.js").Training} training
 * @property {(answer: Answer) => void} answered
 * @property {(sight: import("./views/seen.js").Sight) => void} see  show what a question claims
 * @property {(text?: string) => HTMLElement} heading  of a part of a panel
 * @property {(node: HTMLElement) => number} widthOf  its width, measured once for each size of the explorer
 * @property {() => void} count  count all samples in the background, then draw again
 * @property {() => Pointed | null} pointed
 * @property {(at: Pointed | null) => void} point
 *
 * @typedef {{id: string, question: string, answer: string, truth: string, right: boolean}} Answer
 *
 * @typedef {object} Host  what the place the explorer lives in wants to know
 * @property {number} level
 * @property {State} initial
 * @property {() => string} script  the text of this very script, for a worker
 * @property {(state: State, picture: import("./prep.js").Picture | null) => void} [onState]  when things have come to rest
 * @property {(answers: Answer[]) => void} [onAnswers]
 */

import { createDeriver } from "./derive.js";
import { h } from "./dom.js";
import { readColours } from "./draw.js";
import { createFrame } from "./frame.js";
import { createIntro, createMotion, createPlayer } from "./motion.js";
import { createPhoto, packPicture } from "./picture.js";
import { createStore, encode } from "./store.js";
import { createTraining } from "./training.js";
import { unitPosition } from "./timeline.js";
import { watchSurroundings } from "./surroundings.js";

const SETTLED = 700;
const SLICE = 12;

/**
 * @param {HTMLElement} element
 * @param {import("./bundle.js").Bundle} bundle
 * @param {Host} host
 */
export function mount(element, bundle, host) {
  const abort = new AbortController();
  const store = createStore(host.initial);
  const root = h("div", { class: "dlx" });
  const derive = createDeriver(bundle);
  let [frame, timer] = [0, 0];

  const refresh = () => {
    frame ||= requestAnimationFrame(render);
  };
  const training = createTraining(bundle, host.script, refresh);
  const now = () => derive(intro.over(store.state), photo.picture(), training.live());
  const player = createPlayer(store, now, refresh);
  const intro = createIntro(root, bundle, refresh, abort.signal);
  const { ctx, forget } = createContext({ store, bundle, host, root, now, refresh, player, training, abort, motion: createMotion(player, intro) });
  const view = createFrame(ctx, root);
  const photo = createPhoto(store, abort.signal, changed, () => ctx.notify(bundle.say("damaged")));
  ctx.notify = view.notify;
  element.replaceChildren(h(".frame", root));

  function render() {
    frame = 0;
    if (abort.signal.aborted) return;
    view.update(now());
    root.dataset.readyAt ??= String(Math.round(performance.now()));
    root.dataset.ready = "true";
    root.dataset.frames = String(Number(root.dataset.frames ?? 0) + 1);
  }

  function settle() {
    clearTimeout(timer);
    timer = 0;
    const d = now();
    if (d.told || d.input.blank) view.speak(d);
    host.onState?.(store.state, store.state.source === "sample" ? null : d.sheet());
  }
  function changed() {
    refresh();
    clearTimeout(timer);
    timer = setTimeout(settle, player.playing ? 2 * SETTLED : SETTLED);
  }
  training.heed(store.state);
  store.subscribe(() => {
    intro.stop();
    training.heed(store.state);
    photo.unpack();
    changed();
  });
  // Whoever leaves within a moment of the last change finds it kept all the same.
  const leave = () => timer && settle();
  addEventListener("pagehide", leave, { signal: abort.signal });
  document.addEventListener("visibilitychange", leave, { signal: abort.signal });
  const unwatch = watchSurroundings(root, () => {
    forget();
    refresh();
  });
  if (!encode(host.initial)) intro.play();
  render();
  photo.unpack();

  return {
    store,
    root,
    now,
    destroy() {
      if (timer) settle();
      abort.abort();
      unwatch();
      cancelAnimationFrame(frame);
      player.stop();
      training.destroy();
      element.replaceChildren();
    },
  };
}

/**
 * What the views share.
 * @param {any} parts
 * @returns {{ctx: Context, forget: () => void}}
 */
function createContext({ store, bundle, host, root, now, refresh, player, training, motion, abort }) {
  /** @type {import("./draw.js").Colours | null} */
  let colours = null;
  let widths = new WeakMap();
  /** @type {Pointed | null} */
  let pointed = null;
  /** @type {Answer[]} */
  let answers = [];
  const counter = createCounter(now, refresh, abort.signal);
  /** @type {Context} */
  const ctx = {
    store, bundle, now, refresh, player, training, motion,
    level: host.level,
    gone: abort.signal,
    revealing: "",
    notify() {},
    see() {},
    heading: (text = "") => h(`h${host.level + 1}.h`, text),
    widthOf(node) {
      // Asking the browser makes it lay out the page, which takes longer than everything else.
      const width = widths.get(node) || node.clientWidth;
      widths.set(node, width);
      return width || 300;
    },
    count: counter,
    pointed: () => pointed,
    point(at) {
      if (pointed?.layer === at?.layer && pointed?.unit === at?.unit) return;
      pointed = at;
      refresh();
    },
    colours: () => (colours ??= readColours(root)),
    pickSample(sample) {
      const off = store.state.panel === "input" ? store.state.off : "";
      store.set({ source: "sample", sample, off, base: "", hide: "", steps: 0 });
    },
    openUnit(layer, unit) {
      const { grain, t } = store.state;
      const at = grain === "unit" && t >= 0 ? unitPosition(now().layers, layer, unit) : grain === "term" ? -1 : t;
      store.set({ layer, unit, t: at });
    },
    reveal(focus) {
      ctx.revealing = focus ? "focus" : "view";
      refresh();
    },
    open: (panel) => store.set({ panel }),
    async loadPicture(file) {
      try {
        store.set({ source: "photo", photo: await packPicture(file), base: "", hide: "", truth: -1 });
        ctx.notify("");
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        ctx.notify(bundle.say("unreadable", file.name));
      }
    },
    answered(answer) {
      answers = [...answers.filter((given) => given.id !== answer.id), answer];
      host.onAnswers?.(answers);
    },
  };
  const forget = () => {
    colours = null;
    widths = new WeakMap();
  };
  return { ctx, forget };
}

/**
 * Counts all samples between the frames, so that the page stays live.
 * @param {() => Derived} now @param {() => void} refresh @param {AbortSignal} gone
 */
function createCounter(now, refresh, gone) {
  let at = "";
  /** @type {ReturnType<Derived["count"]>} */
  let counting;
  let timer = 0;
  function go() {
    timer = 0;
    const d = now();
    if (gone.aborted || d.live || d.counted()) return;
    if (at !== d.weightsKey) [at, counting] = [d.weightsKey, d.count()];
    if (!counting.run(performance.now() + SLICE)) return void (timer = setTimeout(go, 4));
    d.keep(counting.result());
    at = "";
    refresh();
  }
  return () => {
    timer ||= setTimeout(go, 30);
  };
}
