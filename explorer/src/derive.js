/**
 * From the state to everything that is shown: weights, input, forward pass, statistics. Each part
 * is remembered under a key of what it depends on, so that only what changed is computed.
 *
 * @typedef {import("./bundle.js").Bundle} Bundle
 * @typedef {import("./bundle.js").Model} Model
 * @typedef {import("./engine.js").Layer} Layer
 * @typedef {import("./engine.js").Pass} Pass
 * @typedef {import("./prep.js").Picture} Picture
 * @typedef {import("./store.js").State} State
 *
 * @typedef {object} Statistics  of all samples, under the weights shown
 * @property {Uint8Array} digits  predictions
 * @property {Float64Array} losses
 * @property {Float64Array} shares  probability of the prediction
 * @property {number[][]} confusion  rows: actual, columns: predicted
 * @property {number} accuracy
 * @property {number} loss
 * @property {string[][]} habits  of each unit: dead, always on or ""
 *
 * @typedef {object} Derived
 * @property {Bundle} bundle
 * @property {State} state
 * @property {Model} model
 * @property {Layer[]} layers
 * @property {string} weightsKey
 * @property {string} inputKey
 * @property {{picture: Picture | null, stages: import("./prep.js").Stage[] | null, x: Float64Array, clean: Float64Array, hidden: Set<number>, blank: boolean}} input
 * @property {(off: string) => {stages: import("./prep.js").Stage[], x: Float64Array}} without  the digit's way through the stages with some left out
 * @property {Float64Array} image  the input as an image, row by row
 * @property {Pass} pass
 * @property {number} label  -1 where nobody said
 * @property {number} classes
 * @property {import("./timeline.js").Place} place
 * @property {() => Statistics} statistics
 * @property {() => Statistics | undefined} counted  the statistics if they are there already
 * @property {(at: number) => Float64Array} sample
 */

import { whole } from "./dom.js";
import { clamp, crossEntropy, forward } from "./engine.js";
import { PAPER, rasterise } from "./ink.js";
import { onPaper } from "./picture.js";
import { preprocess, roll } from "./prep.js";
import { place } from "./timeline.js";

/** @template T @param {number} size */
function memo(size) {
  /** @type {Map<string, any>} */
  const kept = new Map();
  /** @template T @param {string} key @param {() => T} make @returns {T} */
  const keep = (key, make) => {
    if (kept.has(key)) return kept.get(key);
    const value = make();
    kept.set(key, value);
    if (kept.size > size) kept.delete(/** @type {string} */ (kept.keys().next().value));
    return value;
  };
  return Object.assign(keep, { kept });
}

/** @param {string} text */
export function parseEdits(text) {
  if (!text) return [];
  return text.split("~").map((entry) => {
    const [layer, input, unit, value] = entry.split("_").map(Number);
    return { layer, input, unit, value };
  });
}

/** @param {Layer[]} layers @param {string} text @returns {Layer[]} */
function edited(layers, text) {
  const copies = layers.map((layer) => ({ ...layer, weights: layer.weights.slice() }));
  for (const { layer, input, unit, value } of parseEdits(text)) {
    const target = copies[layer];
    if (target && input < target.inputs && unit < target.units && Number.isFinite(value)) {
      target.weights[input * target.units + unit] = value;
    }
  }
  return copies;
}

/** The weights of a model at a snapshot; -1: the final ones. @param {Model} model @param {number} epoch @returns {Layer[]} */
export function weightsAt(model, epoch) {
  return epoch >= 0 && epoch < model.epochs.length ? model.snapshot(epoch) : model.layers;
}

/**
 * @param {Bundle} bundle
 * @param {Layer[]} layers
 * @param {(at: number) => Float64Array} sample
 * @returns {Statistics}
 */
export function evaluate(bundle, layers, sample) {
  const { count, labels } = bundle;
  const classes = layers[layers.length - 1].units;
  const digits = new Uint8Array(count);
  const losses = new Float64Array(count);
  const shares = new Float64Array(count);
  const confusion = Array.from({ length: classes }, () => new Array(classes).fill(0));
  const on = layers.map((layer) => new Uint32Array(layer.units));
  let right = 0;
  let total = 0;
  for (let s = 0; s < count; s++) {
    const pass = forward(layers, sample(s));
    digits[s] = pass.digit;
    shares[s] = pass.share;
    total += losses[s] = crossEntropy(pass.logits, labels[s]);
    confusion[labels[s]][pass.digit]++;
    if (pass.digit === labels[s]) right++;
    pass.a.forEach((a, l) => a.forEach((v, j) => (on[l][j] += v > 0 ? 1 : 0)));
  }
  const habits = layers.map((layer, l) =>
    Array.from(on[l], (n) => (layer.activation !== "relu" ? "" : n === 0 ? "dead" : n === count ? "always on" : "")),
  );
  return { digits, losses, shares, confusion, accuracy: right / count, loss: total / count, habits };
}

/** @param {Bundle} bundle */
export function createDeriver(bundle) {
  const { side, order, normalised } = bundle.input;
  /** @type {Float64Array[]} */
  const samples = [];
  /** @param {number} at */
  const sample = (at) => (samples[at] ??= bundle.sample(at));
  const keepWeights = memo(4);
  const keepInput = memo(4);
  const keepPicture = memo(2);
  const keepPass = memo(8);
  const keepStatistics = memo(48);

  /** @param {Picture} picture @param {string} off  stages to leave out */
  const read = (picture, off) =>
    preprocess(picture, bundle.input, (name) => !off.split(".").includes(name) && (normalised || name !== "normalise"));

  /**
   * @param {State} state
   * @param {{text: string, picture: Picture} | null} photo  the loaded picture, unpacked
   * @returns {Derived}
   */
  return function derive(state, photo) {
    const model = bundle.models[state.model] ?? bundle.models[0];
    const weightsKey = `${state.model}|${state.epoch}|${state.edits}`;
    const layers = keepWeights(weightsKey, () => {
      const base = weightsAt(model, state.epoch);
      return state.edits ? edited(base, state.edits) : base;
    });
    const at = clamp(state.sample, bundle.count - 1);
    const source = state.source === "photo" && photo?.text !== state.photo ? "sample" : state.source;
    const origin = source === "sample" ? `s${at}` : source === "ink" ? `i${state.ink}` : `p${state.photo}`;
    const inputKey = `${origin}|${state.off}|${state.hide}`;
    const paper = () => onPaper(roll(sample(at), side, order), side, normalised);
    const input = keepInput(inputKey, () => {
      /** @type {Picture | null} */
      let picture = null;
      if (source === "ink") picture = keepPicture(state.ink, () => ({ rows: PAPER, cols: PAPER, channels: 1, data: rasterise(state.ink) }));
      else if (source === "photo") picture = photo?.picture ?? null;
      // A digit of the data has been through all stages: to leave one out it is put back on paper.
      else if (state.off) picture = paper();
      const made = picture && read(picture, state.off);
      const clean = made ? made.x : sample(at);
      const hidden = new Set(state.hide ? state.hide.split(".").map(Number) : []);
      const x = hidden.size ? clean.map((v, k) => (hidden.has(k) ? 0 : v)) : clean;
      return { picture, stages: made?.stages ?? null, x, clean, hidden, blank: x.every((v) => v === 0) };
    });
    const pass = keepPass(`${weightsKey}#${inputKey}`, () => forward(layers, input.x));
    const layer = clamp(state.layer, layers.length - 1);
    const unit = clamp(state.unit, layers[layer].units - 1);
    return {
      bundle,
      state: { ...state, source, sample: at, layer, unit },
      model,
      layers,
      weightsKey,
      inputKey,
      input,
      without: (off) => read(input.picture ?? paper(), off),
      image: roll(input.x, side, order),
      pass,
      label: source === "sample" ? bundle.labels[at] : state.truth,
      classes: layers[layers.length - 1].units,
      place: place(layers, state.grain, state.t, layer, unit),
      statistics: () => keepStatistics(weightsKey, () => evaluate(bundle, layers, sample)),
      counted: () => keepStatistics.kept.get(weightsKey),
      sample,
    };
  };
}

/** How many weights there are, biases included. @param {Layer[]} layers */
export const weightCount = (layers) => whole(layers.reduce((sum, l) => sum + (l.inputs + 1) * l.units, 0));

/**
 * The largest difference between this engine and Keras on the packed reference outputs.
 * @param {Model} model
 * @param {(at: number) => Float64Array} sample
 */
export function differenceToKeras(model, sample) {
  let worst = 0;
  for (let s = 0, at = 0; at < model.reference.length; s++) {
    for (const v of forward(model.layers, sample(s)).a.at(-1) ?? []) {
      worst = Math.max(worst, Math.abs(v - model.reference[at++]));
    }
  }
  return worst;
}

