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
 * @property {(picture: import("./prep.js").Picture) => void} setPicture
 * @property {{playing: boolean, toggle: () => void, step: (by: number) => void}} player
 * @property {(answer: Answer) => void} answered
 * @property {number} level  level of the top heading
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

import { createDeriver, differenceToKeras } from "./derive.js";
import { attr, button, h, percent, scientific, uid, write } from "./dom.js";
import { readColours } from "./draw.js";
import { readPicture } from "./picture.js";
import { createStore } from "./store.js";
import { advance, seek, unitPosition } from "./timeline.js";
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

/** @type {Record<string, {title: string, make: (ctx: Context) => View}>} */
const PANELS = {
  input: { title: "Input", make: createInput },
  network: { title: "Network", make: createNetworkPanel },
  softmax: { title: "Softmax", make: createSoftmax },
  training: { title: "Training", make: createTraining },
  mistakes: { title: "Mistakes", make: createMistakes },
  learning: { title: "Learning", make: createLearning },
  compare: { title: "Compare", make: createCompare },
  questions: { title: "Questions", make: createQuestions },
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
  const derive = createDeriver(bundle);
  const root = h("div", { class: "dlx" });
  /** @type {import("./draw.js").Colours | null} */
  let colours = null;
  /** @type {import("./prep.js").Picture | null} */
  let photo = null;
  let photoVersion = 0;
  let frame = 0;
  let timer = 0;
  let delayed = 0;
  let widths = new WeakMap();
  let spoken = "";
  let shown = "";
  /** @type {Answer[]} */
  let answers = [];

  const now = () => derive(store.state, photo, photoVersion);
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
    level: host.level,
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
    pickSample: (sample) => store.set({ source: "sample", sample, hide: "", steps: 0 }),
    openUnit(layer, unit) {
      const { grain, t } = store.state;
      const at = grain === "unit" && t >= 0 ? unitPosition(now().layers, layer, unit) : grain === "term" ? -1 : t;
      store.set({ layer, unit, t: at });
    },
    open: (panel) => store.set({ panel }),
    async loadPicture(file) {
      try {
        ctx.setPicture(await readPicture(file));
        say("");
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        say(error.message);
      }
    },
    setPicture(picture) {
      photo = picture;
      photoVersion++;
      if (store.state.source === "photo") refresh();
      store.set({ source: "photo", hide: "", truth: -1 });
      changed();
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
  const undoEdits = button("Undo", () => store.set({ edits: "" }));
  const editNote = h("p.notice", { hidden: true }, h("span", null), " ", undoEdits);
  const epochNote = h("p.notice", { hidden: true }, h("span", null), " ",
    button("Back to the end", () => store.set({ epoch: -1 })));
  const paper = createPaper(ctx);
  const tour = createTour(ctx, root);
  const tabs = createTabs(ctx);
  const bar = h(".mini", { "aria-hidden": "true" });
  const miniCanvas = h("canvas", { width: 28, height: 28 });
  const miniText = h("span", null);
  bar.append(miniCanvas, miniText);

  root.append(
    h("header.head", h("div", heading, facts), h(".row", models?.node, tour.open)),
    bar,
    h(".body",
      paper.node,
      h(".main", tabs.list, notice, editNote, epochNote, tour.node, tabs.panels)),
    live,
  );
  element.replaceChildren(h(".frame", root));

  let difference = "";
  let measured = -1;
  /** @param {Derived} d */
  function describe(d) {
    if (measured !== d.state.model) {
      measured = d.state.model;
      const worst = differenceToKeras(d.model, d.sample);
      difference = `matches Keras: largest difference ${scientific(worst)}`;
      root.dataset.difference = String(worst);
    }
    const { model, bundle: { count, of } } = d;
    const sizes = [model.layers[0].inputs, ...model.layers.map((l) => l.units)].join(" → ");
    const weights = model.layers.reduce((sum, l) => sum + l.inputs * l.units + l.units, 0).toLocaleString("en");
    const digits = count < of ? `${count.toLocaleString("en")} of ${of.toLocaleString("en")} digits, evenly taken` : `${count.toLocaleString("en")} digits`;
    write(facts, `${sizes} · ${model.layers.map((l) => l.activation).join(", ")} · ${weights} weights · ${digits} · ${difference}`);
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
    editNote.hidden = !d.state.edits;
    const edits = d.state.edits.split("~").length;
    write(editNote.firstChild, `${edits} ${edits === 1 ? "weight" : "weights"} changed by hand.`);
    const early = d.state.epoch >= 0 && d.state.epoch < d.model.epochs.length - 1;
    epochNote.hidden = !early || d.state.panel === "training";
    write(epochNote.firstChild, early ? `The network as it was after epoch ${d.model.epochs[d.state.epoch].epoch}.` : "");
    mini(d);
    root.dataset.readyAt ??= String(Math.round(performance.now()));
    root.dataset.ready = "true";
    root.dataset.frames = String(Number(root.dataset.frames ?? 0) + 1);
  }

  /** The digit and its reading in the strip that stays in view on narrow screens. @param {Derived} d */
  function mini(d) {
    const key = `${d.inputKey}${d.weightsKey}${ctx.colours().ink}`;
    if (key === shown) return;
    shown = key;
    const { side } = bundle.input;
    miniCanvas.width = miniCanvas.height = side;
    const context = miniCanvas.getContext("2d");
    const image = context.createImageData(side, side);
    const top = bundle.input.normalised ? 1 : 255;
    const dark = colours ? parseInt(colours.ink.slice(4), 10) : 0;
    for (let k = 0; k < side * side; k++) {
      image.data.fill(dark, 4 * k, 4 * k + 3);
      image.data[4 * k + 3] = 255 * Math.min(1, Math.max(0, d.image[k] / top));
    }
    context.putImageData(image, 0, 0);
    const blank = !d.input.x.some((v) => v !== 0);
    write(miniText, blank ? "no ink yet" : `${d.pass.digit} · ${percent(d.pass.probabilities[d.pass.digit])}`);
  }

  /** @param {string} text */
  function say(text) {
    notice.hidden = !text;
    write(notice, text);
  }

  /** Speak the prediction once the digit has come to rest. */
  function speak() {
    const d = now();
    const blank = !d.input.x.some((v) => v !== 0);
    const text = blank ? "No ink yet." : `Prediction: ${d.pass.digit}, ${percent(d.pass.probabilities[d.pass.digit], 0)}.`;
    if (`${d.inputKey}${text}` === spoken) return;
    spoken = `${d.inputKey}${text}`;
    live.textContent = text;
  }

  const settle = () => {
    timer = 0;
    speak();
    host.onState?.(store.state, now().input.picture);
  };
  const changed = () => {
    refresh();
    clearTimeout(timer);
    timer = setTimeout(settle, player.playing ? 2 * SETTLED : SETTLED);
  };
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
  let wide = -1;
  const sizes = new ResizeObserver(() => {
    if (root.clientWidth === wide) return;
    wide = root.clientWidth;
    recolour();
  });
  sizes.observe(root);
  spoken = `${now().inputKey}`;
  render();

  return {
    store,
    root,
    now,
    /** @param {import("./prep.js").Picture} picture */
    receivePicture(picture) {
      photo = picture;
      photoVersion++;
      refresh();
    },
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

/**
 * Walks through the forward pass in time.
 * @param {import("./store.js").Store} store
 * @param {() => Derived} now
 * @param {() => void} refresh
 */
function createPlayer(store, now, refresh) {
  let frame = 0;
  let before = 0;
  let owed = 0;
  const player = {
    playing: false,
    toggle() {
      if (player.playing) return player.stop();
      const { layers, state } = now();
      const last = seek(layers, state, Infinity).t;
      if (state.t < 0 || state.t >= last) store.set(seek(layers, state, 0));
      player.playing = true;
      before = performance.now();
      owed = 0;
      frame = requestAnimationFrame(tick);
      refresh();
    },
    stop() {
      player.playing = false;
      cancelAnimationFrame(frame);
      refresh();
    },
    /** @param {number} by */
    step(by) {
      player.stop();
      const { layers, state } = now();
      store.set(advance(layers, state, by));
    },
  };
  /** @param {number} time */
  function tick(time) {
    const { layers, state } = now();
    owed += (Math.max(0, time - before) / 1000) * SPEED[state.grain];
    before = time;
    const steps = Math.floor(owed);
    owed -= steps;
    if (steps) store.set(seek(layers, state, (state.t < 0 ? 0 : state.t) + steps));
    if (store.state.t >= seek(layers, state, Infinity).t) return player.stop();
    frame = requestAnimationFrame(tick);
  }
  return player;
}

/** @param {Context} ctx */
function createTabs(ctx) {
  const prefix = uid();
  const names = Object.keys(PANELS);
  /** @type {Record<string, View>} */
  const views = {};
  const tabs = names.map((name) =>
    h("button", {
      type: "button",
      role: "tab",
      id: `${prefix}-${name}`,
      "aria-controls": `${prefix}-panel-${name}`,
      "data-panel": name,
      on: { click: () => ctx.open(name) },
    }, PANELS[name].title));
  const list = h(".tabs", { role: "tablist", "aria-label": "Panels" }, tabs);
  list.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const at = names.indexOf(ctx.store.state.panel);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = (to + names.length) % names.length;
    ctx.open(names[next]);
    tabs[next].focus();
  });
  const holders = names.map((name) =>
    h("div", { role: "tabpanel", id: `${prefix}-panel-${name}`, "aria-labelledby": `${prefix}-${name}`, class: "dlx-panel", "data-panel": name, hidden: true }));
  const panels = h(".panels", holders);
  return {
    list,
    panels,
    /** @param {Derived} d */
    update(d) {
      names.forEach((name, k) => {
        const open = name === d.state.panel;
        attr(tabs[k], "aria-selected", open);
        attr(tabs[k], "tabindex", open ? 0 : -1);
        holders[k].hidden = !open;
        if (open && !views[name]) {
          views[name] = PANELS[name].make(ctx);
          holders[k].append(views[name].node);
        }
      });
      views[d.state.panel].update(d);
    },
  };
}
