/**
 * One flat state object; who cares subscribes. What belongs to a place in the explorer (the digit,
 * the epoch, the open unit, ...) also goes into the URL hash, and from one view to the next.
 */

export const DEFAULTS = Object.freeze({
  panel: "network", // the open panel
  source: "sample", // sample, ink (drawn here) or photo (loaded)
  sample: 0, // index of the digit taken from the data
  ink: "", // strokes, see ink.js
  base: "", // what they were drawn on: "" (a blank sheet), sample or photo
  photo: "", // the loaded picture, see picture.js
  off: "", // preprocessing stages left out, joined by dots
  hide: "", // pixels hidden from the network, joined by dots
  tool: "draw", // draw, erase or hide
  onto: 0, // 1: strokes go onto the digit that is shown; 0: the first one begins a clean sheet
  truth: -1, // what a drawing is meant to be; -1: not said
  model: 0, // index of the model
  epoch: -1, // index of the snapshot; -1: the final weights
  layer: 0, // the open unit
  unit: 0,
  edges: "signal", // lines by signal (w times a), weight or gradient
  grain: "layer", // step size: layer, unit or term
  t: -1, // position in the forward pass; -1: at its end
  order: "size", // a unit's terms by size or by place
  all: 0, // 1: every term in the table
  silent: "", // units (or maps) turned off: layer_unit, joined by ~
  edits: "", // weights changed by hand: layer_index_value, joined by ~
  shift: 1, // softmax: subtract the maximum first
  plus: 0, // softmax: added to every logit
  actual: -1, // confusion matrix: the open cell
  predicted: -1,
  lr: 0.01, // learning: rate and steps taken
  steps: 0,
  other: "", // compare with: m1 (a model) or e5 (an epoch)
  quiz: "", // answers given: question_choice, joined by dots
  tour: -1, // stop of the tour
});

/** @typedef {{-readonly [K in keyof typeof DEFAULTS]: typeof DEFAULTS[K] extends number ? number : string}} State */

/** @type {Partial<Record<keyof State, string[]>>} */
const CHOICES = {
  panel: ["input", "network", "softmax", "training", "mistakes", "learning", "compare", "questions"],
  source: ["sample", "ink", "photo"],
  base: ["", "sample", "photo"],
  tool: ["draw", "erase", "hide"],
  edges: ["signal", "weight", "gradient"],
  grain: ["layer", "unit", "term"],
  order: ["size", "place"],
};

/** What differs from the defaults, as a query string. @param {State} state */
export function encode(state) {
  const out = new URLSearchParams();
  for (const [key, fallback] of Object.entries(DEFAULTS)) {
    const value = state[/** @type {keyof State} */ (key)];
    // A picture that is not looked at any more would only make the address long.
    if (value !== fallback && (key !== "photo" || state.source === key || state.base === key)) out.set(key, String(value));
  }
  return out.toString();
}

/**
 * The state that a query string means; what it does not know or cannot mean is left at its default.
 * @param {string} text
 * @returns {State}
 */
export function decode(text) {
  const given = new URLSearchParams(text.replace(/^#/, ""));
  /** @type {any} */
  const state = { ...DEFAULTS };
  for (const [key, fallback] of Object.entries(DEFAULTS)) {
    const value = given.get(key);
    if (value === null) continue;
    if (typeof fallback === "number") {
      const number = Number(value);
      if (Number.isFinite(number) && (key === "lr" || Number.isInteger(number))) state[key] = number;
    } else {
      const choices = CHOICES[/** @type {keyof State} */ (key)];
      if (!choices || choices.includes(value)) state[key] = value;
    }
  }
  return state;
}

/** @param {State} initial */
export function createStore(initial) {
  /** @type {(() => void)[]} */
  const listeners = [];
  const store = {
    state: { ...initial },
    /** Change something; nobody hears of it where nothing differs. @param {Partial<State>} patch */
    set(patch) {
      const next = { ...store.state, ...patch };
      if (Object.entries(next).every(([key, value]) => store.state[/** @type {keyof State} */ (key)] === value)) return;
      store.state = next;
      for (const listener of listeners) listener();
    },
    /** @param {() => void} listener */
    subscribe: (listener) => void listeners.push(listener),
  };
  return store;
}

/** @typedef {ReturnType<typeof createStore>} Store */
