/**
 * The explorer in one element: builds the frame, keeps state and view together, plays.
 *
 * @typedef {import("./derive.js").Derived} Derived
 * @typedef {import("./store.js").State} State
 * @typedef {{node: HTMLElement, update: (d: Derived) => void, resize?: () => void}} View
 *
 * @typedef {object} Context  what a view gets to work with
 * @property {import("./store.js").Store} store
 * @property {import("./bundle.js").Bundle} bundle
 * @property {() => import("./draw.js").Colours} colours
 * @property {() => Derived} now
 * @property {() => void} refresh  draw again at the next frame
 * @property {(at: number) => void} pickSample
 * @property {(layer: number, unit: number) => void} openUnit
 * @property {(panel: string) => void} open
 * @property {(file: File) => Promise<void>} loadPicture
 * @property {import("./clock.js").Clock} player
 * @property {(answer: Answer) => void} answered
 * @property {(text?: string) => HTMLElement} heading  of a part of a panel
 * @property {(node: HTMLElement) => number} widthOf  its width, measured once for each size of the explorer
 * @property {(work: () => void) => void} later  do it after the next picture, then draw again
 *
 * @typedef {{id: string, question: string, answer: string, truth: string, right: boolean}} Answer
 *
 * @typedef {object} Host  what the place the explorer lives in wants to know
 * @property {number} level
 * @property {State} initial
 * @property {(state: State, picture: import("./prep.js").Picture | null) => void} [onState]  when things have come to rest
 * @property {(answers: Answer[]) => void} [onAnswers]
 */

import { createClock } from "./clock.js";
import { createDeriver, differenceToKeras, weightCount } from "./derive.js";
import { attr, button, h, percent, scientific, uid, whole, write } from "./dom.js";
import { digit, prepare, readColours } from "./draw.js";
import { packPicture, unpackPicture } from "./picture.js";
import { createStore } from "./store.js";
import { seek, unitPosition } from "./timeline.js";
import { createCompare } from "./views/compare.js";
import { createInput } from "./views/input.js";
import { createLearning } from "./views/learning.js";
import { createMistakes } from "./views/mistakes.js";
import { createNetworkPanel } from "./views/network.js";
import { createPaper } from "./views/paper.js";
import { createQuestions } from "./views/questions.js";
import { createSoftmax } from "./views/softmax.js";
import { createTour } from "./views/tour.js";
import { createTraining } from "./views/training.js";

/** @type {Record<string, (ctx: Context) => View>} */
const PANELS = {
  Input: createInput,
  Network: createNetworkPanel,
  Softmax: createSoftmax,
  Training: createTraining,
  Mistakes: createMistakes,
  Learning: createLearning,
  Compare: createCompare,
  Questions: createQuestions,
};

/** Steps a second while playing. @type {Record<string, number>} */
const SPEED = { layer: 1.1, unit: 9, term: 60 };
const SETTLED = 700;

/**
 * @param {HTMLElement} element
 * @param {import("./bundle.js").Bundle} bundle
 * @param {Host} host
 */
export function mount(element, bundle, host) {
  const abort = new AbortController();
  const store = createStore(host.initial);
  const { say } = bundle;
  const derive = createDeriver(bundle);
  const root = h("div", { class: "dlx" });
  /** @type {import("./draw.js").Colours | null} */
  let colours = null;
  /** @type {{text: string, picture: import("./prep.js").Picture} | null} */
  let photo = null;
  let unpacking = "";
  let frame = 0;
  let timer = 0;
  let delayed = 0;
  let widths = new WeakMap();
  let spoken = "";
  let shown = "";
  let wide = -1;
  /** @type {Answer[]} */
  let answers = [];

  const now = () => derive(store.state, photo);
  const refresh = () => {
    frame ||= requestAnimationFrame(render);
  };
  const player = createPlayer(store, now, refresh);

  /** @type {Context} */
  const ctx = {
    store,
    bundle,
    now,
    refresh,
    player,
    heading: (text = "") => h(`h${host.level + 1}.h`, text),
    widthOf(node) {
      // Asking the browser makes it lay out the page, which takes longer than everything else.
      const width = widths.get(node) || node.clientWidth;
      widths.set(node, width);
      return width || 300;
    },
    later(work) {
      clearTimeout(delayed);
      delayed = setTimeout(() => {
        work();
        refresh();
      }, 30);
    },
    colours: () => (colours ??= readColours(root)),
    pickSample(sample) {
      const off = store.state.panel === "input" ? store.state.off : "";
      store.set({ source: "sample", sample, off, hide: "", steps: 0 });
    },
    openUnit(layer, unit) {
      const { grain, t } = store.state;
      const at = grain === "unit" && t >= 0 ? unitPosition(now().layers, layer, unit) : grain === "term" ? -1 : t;
      store.set({ layer, unit, t: at });
    },
    open: (panel) => store.set({ panel }),
    async loadPicture(file) {
      try {
        store.set({ source: "photo", photo: await packPicture(file), hide: "", truth: -1 });
        notify("");
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        notify(say("unreadable", file.name));
      }
    },
    answered(answer) {
      answers = [...answers.filter((given) => given.id !== answer.id), answer];
      host.onAnswers?.(answers);
    },
  };

  const heading = h(`h${host.level}.title`, bundle.title);
  const facts = h("p.facts");
  const notice = h("p.notice", { role: "status", hidden: true });
  const live = h("p.sr", { "aria-live": "polite", "data-live": true });
  const models = bundle.models.length > 1 ? modelPicker(ctx) : null;
  const editNote = note("Undo", () => store.set({ edits: "" }));
  const epochNote = note("Back to the end", () => store.set({ epoch: -1 }));
  const paper = createPaper(ctx);
  const tour = createTour(ctx, root);
  const tabs = createTabs(ctx);
  const bar = h(".mini", { "aria-hidden": "true" });
  const miniCanvas = h("canvas");
  const miniText = h("span");
  bar.append(miniCanvas, miniText);

  root.append(
    h("header.head", h("div", heading, facts), h(".row", models?.node, tour.open)),
    bar,
    tour.node,
    h(".body",
      paper.node,
      h(".main", tabs.list, notice, editNote.node, epochNote.node, tabs.panels)),
    live,
  );
  element.replaceChildren(h(".frame", root));

  let measured = -1;
  /** @param {Derived} d */
  function describe(d) {
    if (measured !== d.state.model) {
      measured = d.state.model;
      const { layers } = d.model;
      const worst = differenceToKeras(d.model, d.sample);
      root.dataset.difference = String(worst);
      const { count, of } = bundle;
      write(facts, say("facts",
        [layers[0].inputs, ...layers.map((l) => l.units)].join(" → "),
        layers.map((l) => l.activation).join(", "),
        weightCount(layers),
        count < of ? say("thinned", whole(count), whole(of)) : whole(count),
        scientific(worst)));
    }
  }

  function render() {
    frame = 0;
    if (abort.signal.aborted) return;
    const d = now();
    describe(d);
    models?.update(d.state.model);
    paper.update(d);
    tabs.update(d);
    tour.update(d);
    editNote.update(d.state.edits && say("edited", d.state.edits.split("~").length));
    const { epochs } = d.model;
    const early = d.state.panel !== "training" && d.state.epoch >= 0 && d.state.epoch < epochs.length - 1;
    epochNote.update(early ? say("early", epochs[d.state.epoch].epoch) : "");
    mini(d);
    root.dataset.readyAt ??= String(Math.round(performance.now()));
    root.dataset.ready = "true";
    root.dataset.frames = String(Number(root.dataset.frames ?? 0) + 1);
  }

  /** The digit and its reading in the strip that stays in view on narrow screens. @param {Derived} d */
  function mini(d) {
    const key = `${d.inputKey}${d.weightsKey}${ctx.colours().ink}`;
    // The style sheet shows the strip up to this width.
    if (key === shown || wide > 780) return;
    shown = key;
    digit(prepare(miniCanvas, 36, 36), d.image, bundle, 36, ctx.colours());
    write(miniText, d.input.blank ? "no ink yet" : `${d.pass.digit} · ${percent(d.pass.share)}`);
  }

  /** @param {string} text */
  function notify(text) {
    notice.hidden = !text;
    write(notice, text);
  }

  /** Speak the prediction once the digit has come to rest. */
  function speak() {
    const d = now();
    const text = d.input.blank ? "No ink yet." : `Prediction: ${d.pass.digit}, ${percent(d.pass.share, 0)}.`;
    const key = d.inputKey + text;
    if (key === spoken) return;
    spoken = key;
    live.textContent = text;
  }

  const settle = () => {
    timer = 0;
    speak();
    const { state } = store;
    host.onState?.(state, state.source === "sample" ? null : now().input.picture);
  };
  const changed = () => {
    refresh();
    unpack();
    clearTimeout(timer);
    timer = setTimeout(settle, player.playing ? 2 * SETTLED : SETTLED);
  };
  /** Unpacking a loaded picture takes a moment; until it is there the last digit stays. */
  async function unpack() {
    const { photo: text } = store.state;
    if (!text || text === unpacking) return;
    unpacking = text;
    try {
      const picture = await unpackPicture(text);
      if (text !== unpacking || abort.signal.aborted) return;
      photo = { text, picture };
      changed();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      notify(say("damaged"));
    }
  }
  store.subscribe(changed);

  const recolour = () => {
    colours = null;
    widths = new WeakMap();
    refresh();
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", recolour, { signal: abort.signal });
  // JupyterLab and Notebook change their theme by an attribute of the body.
  const theme = new MutationObserver(recolour);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  // The element may be outside the document still: sizes are known once this observer reports.
  const sizes = new ResizeObserver(() => {
    if (root.clientWidth === wide) return;
    wide = root.clientWidth;
    recolour();
  });
  sizes.observe(root);
  render();
  unpack();

  return {
    store,
    root,
    now,
    destroy() {
      abort.abort();
      theme.disconnect();
      sizes.disconnect();
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      clearTimeout(delayed);
      player.stop();
      element.replaceChildren();
    },
  };
}

/** @param {Context} ctx */
function modelPicker(ctx) {
  const select = h("select", { on: { change: () => ctx.store.set({ model: Number(select.value), epoch: -1, edits: "", layer: 0, unit: 0, t: -1 }) } },
    ctx.bundle.models.map((model, k) => h("option", { value: k }, model.name)));
  return {
    node: h("label.field", h("span", "Model"), select),
    /** @param {number} model */
    update(model) {
      if (select.value !== String(model)) select.value = String(model);
    },
  };
}

/** A line above the panel with a button in it, seen while it has a text. @param {string} name @param {() => void} click */
function note(name, click) {
  const text = h("span");
  const node = h("p.notice", text, " ", button(name, click));
  return {
    node,
    /** @param {string} says */
    update(says) {
      node.hidden = !says;
      write(text, says);
    },
  };
}

/**
 * Walks through the forward pass in time.
 * @param {import("./store.js").Store} store
 * @param {() => Derived} now
 * @param {() => void} refresh
 */
function createPlayer(store, now, refresh) {
  /** @param {number} to */
  const go = (to) => {
    const { layers, state } = now();
    store.set(seek(layers, state, to));
    return store.state.t;
  };
  const last = () => seek(now().layers, now().state, Infinity).t;
  return createClock(refresh, () => SPEED[store.state.grain],
    (steps) => go(store.state.t + steps) < last(),
    () => {
      const { t } = store.state;
      if (t < 0 || t >= last()) go(0);
    });
}

/** @param {Context} ctx */
function createTabs(ctx) {
  const prefix = uid();
  /** @type {Record<string, View>} */
  const views = {};
  const tabs = Object.entries(PANELS).map(([title, make]) => {
    const name = title.toLowerCase();
    const [id, controls] = [`${prefix}-${name}`, `${prefix}-panel-${name}`];
    return {
      name,
      make,
      tab: h("button", { role: "tab", id, "aria-controls": controls, "data-panel": name, on: { click: () => ctx.open(name) } }, title),
      holder: h("div", { role: "tabpanel", id: controls, "aria-labelledby": id, class: "dlx-panel", "data-panel": name }),
    };
  });
  /** @param {KeyboardEvent} event */
  const keydown = (event) => {
    const at = tabs.findIndex(({ name }) => name === ctx.store.state.panel);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const { name, tab } = tabs[(to + tabs.length) % tabs.length];
    ctx.open(name);
    tab.focus();
  };
  return {
    list: h(".tabs", { role: "tablist", "aria-label": "Panels", on: { keydown } }, tabs.map(({ tab }) => tab)),
    panels: h(".panels", tabs.map(({ holder }) => holder)),
    /** @param {Derived} d */
    update(d) {
      for (const { name, make, tab, holder } of tabs) {
        const open = name === d.state.panel;
        attr(tab, "aria-selected", open);
        attr(tab, "tabindex", open ? 0 : -1);
        holder.hidden = !open;
        if (!open) continue;
        if (!views[name]) holder.append((views[name] = make(ctx)).node);
        views[name].update(d);
      }
    },
  };
}
