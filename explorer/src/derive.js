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
 * @property {Uint16Array} digits  predictions
 * @property {Float64Array} losses
 * @property {Float64Array} shares  probability of the prediction
 * @property {number[][]} confusion  rows: actual, columns: predicted
 * @property {number} accuracy
 * @property {number} loss
 * @property {string[][]} habits  of each unit (or map): dead, always on or ""
 *
 * @typedef {object} Live  weights of a training in the page, in place of the model's own
 * @property {number} version
 * @property {Layer[]} layers
 * @property {Statistics | null} statistics  of all samples, where they were counted already
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
 * @property {() => Picture | null} sheet  what was drawn or loaded, as a picture; a digit drawn on is put on paper
 * @property {Float64Array} image  the input as an image, row by row; of several channels their mean
 * @property {Pass} pass
 * @property {number} label  -1 where nobody said
 * @property {number} classes
 * @property {import("./timeline.js").Place} place
 * @property {boolean} told  whether the answer may be seen: not while the forward pass is on its way
 * @property {Live | null} live
 * @property {() => Statistics} statistics
 * @property {() => Statistics | undefined} counted  the statistics if they are there already
 * @property {() => ReturnType<typeof createCount>} count  begin to count them
 * @property {(statistics: Statistics) => void} keep  what was counted
 * @property {(at: number) => Float64Array} sample
 * @property {() => {low: Float64Array, high: Float64Array}} ranges  each input's least and greatest value among the samples
 */

import { whole } from "./dom.js";
import { clamp, crossEntropy, forward, nodesOf, roomFor } from "./engine.js";
import { PAPER, drawOnto, drawOnPicture, rasterise } from "./ink.js";
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
    const [layer, at, value] = entry.split("_").map(Number);
    return { layer, at, value };
  });
}

/** @param {Layer[]} layers @param {string} text @returns {Layer[]} */
function edited(layers, text) {
  const copies = layers.map((layer) => ({ ...layer, weights: layer.weights.slice() }));
  for (const { layer, at, value } of parseEdits(text)) {
    const target = copies[layer];
    if (target && at < target.weights.length && Number.isFinite(value)) target.weights[at] = value;
  }
  return copies;
}

/** Whether a layer's units can be turned off: the last layer's are the answers, and those of a softmax hang together. @param {Layer[]} layers @param {number} l */
export const canSilence = (layers, l) => l >= 0 && l < layers.length - 1 && layers[l].activation !== "softmax";

/** Layers with units turned off. @param {Layer[]} layers @param {string} text */
function silenced(layers, text) {
  const out = [...layers];
  for (const [l, node] of text.split("~").filter(Boolean).map((entry) => entry.split("_").map(Number))) {
    const known = Number.isInteger(l) && canSilence(layers, l) && Number.isInteger(node) && node >= 0 && node < nodesOf(layers[l]);
    if (known) out[l] = { ...out[l], off: new Set([...(out[l].off ?? []), node]) };
  }
  return out;
}

/** The weights of a model at a snapshot; -1: the final ones. @param {Model} model @param {number} epoch @returns {Layer[]} */
export function weightsAt(model, epoch) {
  return epoch >= 0 && epoch < model.epochs.length ? model.snapshot(epoch) : model.layers;
}

/**
 * Counts all samples, a few at a time.
 * @param {{count: number, labels: ArrayLike<number>}} bundle
 * @param {Layer[]} layers
 * @param {(at: number) => Float64Array} sample
 * @param {import("./engine.js").Room} [room]  a training's own, where the layers are
 */
export function createCount({ count, labels }, layers, sample, room = roomFor(layers)) {
  const classes = layers[layers.length - 1].units;
  const digits = new Uint16Array(count);
  const losses = new Float64Array(count);
  const shares = new Float64Array(count);
  const confusion = Array.from({ length: classes }, () => new Array(classes).fill(0));
  const on = layers.map((layer) => new Uint32Array(nodesOf(layer)));
  const points = layers.map((layer) => layer.units / nodesOf(layer));
  let [s, right, total] = [0, 0, 0];
  const step = () => {
    const pass = forward(layers, sample(s), room);
    digits[s] = pass.digit;
    shares[s] = pass.share;
    total += losses[s] = crossEntropy(pass.logits, labels[s]);
    confusion[labels[s]][pass.digit]++;
    if (pass.digit === labels[s]) right++;
    for (let l = 0; l < layers.length; l++) {
      const [a, nodes] = [pass.a[l], on[l].length];
      for (let j = 0; j < a.length; j += nodes) for (let k = 0; k < nodes; k++) if (a[j + k] > 0) on[l][k]++;
    }
    s++;
  };
  return {
    /** Go on until a time (of performance.now) or the end; whether it is the end. @param {number} until */
    run(until) {
      while (s < count && performance.now() < until) step();
      return s === count;
    },
    /** @returns {Statistics} */
    result() {
      const habits = layers.map((layer, l) =>
        Array.from(on[l], (n, j) => (layer.activation !== "relu" || layer.off?.has(j) ? "" : n === 0 ? "dead" : n === count * points[l] ? "always on" : "")),
      );
      return { digits, losses, shares, confusion, accuracy: right / count, loss: total / count, habits };
    },
  };
}

/**
 * @param {{count: number, labels: ArrayLike<number>}} bundle
 * @param {Layer[]} layers
 * @param {(at: number) => Float64Array} sample
 */
function evaluate(bundle, layers, sample) {
  const counting = createCount(bundle, layers, sample);
  counting.run(Infinity);
  return counting.result();
}

/** Channels' mean, row by row. @param {Float64Array} x @param {import("./bundle.js").Input} input */
export function asImage(x, { kind, side, order, channels }) {
  if (kind !== "image" || channels === 1) return kind === "image" && side ? roll(x, side, order) : x;
  return Float64Array.from({ length: x.length / channels }, (_, k) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += x[k * channels + c];
    return sum / channels;
  });
}

/** @param {Bundle} bundle */
export function createDeriver(bundle) {
  const { input: taken } = bundle;
  const { side, order, normalised, low, high, drawable } = taken;
  /** @type {Float64Array[]} */
  const samples = [];
  /** @param {number} at */
  const sample = (at) => (samples[at] ??= bundle.sample(at));
  const keepWeights = memo(4);
  const keepInput = memo(4);
  const keepPicture = memo(2);
  const keepPass = memo(8);
  const keepStatistics = memo(48);
  /** @type {{low: Float64Array, high: Float64Array} | undefined} */
  let kept;
  /** Each input's least and greatest value among the samples. */
  const ranges = () => {
    if (kept) return kept;
    const found = { low: sample(0).slice(), high: sample(0).slice() };
    for (let s = 1; s < bundle.count; s++) {
      sample(s).forEach((v, k) => {
        found.low[k] = Math.min(found.low[k], v);
        found.high[k] = Math.max(found.high[k], v);
      });
    }
    return (kept = found);
  };
  const scaled = low !== 0 || (high !== 1 && high !== 255);

  /** @param {Picture} picture @param {string} off  stages to leave out */
  const read = (picture, off) => {
    const made = preprocess(picture, taken, (name) => !off.split(".").includes(name) && (normalised || name !== "normalise"));
    return scaled ? { ...made, x: made.x.map((v) => low + v * (high - low)) } : made;
  };
  /** The same, from 0 to 1. @param {Float64Array} x */
  const asShare = (x) => (low === 0 && high === 1 ? x : x.map((v) => (v - low) / (high - low)));

  /**
   * @param {State} state
   * @param {{text: string, picture: Picture} | null} photo  the loaded picture, unpacked
   * @param {Live | null} live
   * @returns {Derived}
   */
  return function derive(state, photo, live) {
    const model = bundle.models[state.model] ?? bundle.models[0];
    const weightsKey = live ? `live${live.version}` : `${state.model}|${state.epoch}|${state.edits}|${state.silent}`;
    const layers = live?.layers ?? keepWeights(weightsKey, () => {
      const base = weightsAt(model, state.epoch);
      return silenced(state.edits ? edited(base, state.edits) : base, state.silent);
    });
    const at = clamp(state.sample, bundle.count - 1);
    const waits = (state.source === "photo" || (state.source === "ink" && state.base === "photo")) && photo?.text !== state.photo;
    const source = waits || (state.source !== "sample" && !drawable) ? "sample" : state.source;
    const base = source === "ink" ? state.base : "";
    const origin = source === "sample" ? `s${at}` : source === "ink" ? `i${base}${base === "sample" ? at : base && state.photo}:${state.ink}` : `p${state.photo}`;
    const inputKey = `${origin}|${state.off}|${state.hide}`;
    /** @param {Float64Array} digit */
    const paper = (digit) => onPaper(asImage(asShare(digit), taken), side);
    const input = keepInput(inputKey, () => {
      /** @type {Picture | null} */
      let picture = null;
      let clean = sample(at);
      if (base === "sample") clean = drawOnto(clean, state.ink, taken);
      else if (base === "photo") picture = keepPicture(inputKey, () => drawOnPicture(/** @type {Picture} */ (photo?.picture), state.ink));
      else if (source === "ink") picture = keepPicture(state.ink, () => ({ rows: PAPER, cols: PAPER, channels: 1, data: rasterise(state.ink) }));
      else if (source === "photo") picture = photo?.picture ?? null;
      // A digit of the data has been through all stages: to leave one out it is put back on paper.
      if (!picture && state.off && drawable) picture = paper(clean);
      const made = picture && read(picture, state.off);
      if (made) clean = made.x;
      const hidden = new Set(state.hide ? state.hide.split(".").map(Number).filter((k) => k < clean.length) : []);
      const x = hidden.size ? clean.map((v, k) => (hidden.has(k) ? low : v)) : clean;
      return { picture, stages: made?.stages ?? null, x, clean, hidden, blank: drawable && x.every((v) => v === low) };
    });
    const pass = keepPass(`${weightsKey}#${inputKey}`, () => forward(layers, input.x));
    const layer = clamp(state.layer, layers.length - 1);
    const unit = clamp(state.unit, layers[layer].units - 1);
    // On a blank sheet nothing has been computed yet.
    const where = input.blank ? place(layers, "layer", 0, layer, unit) : place(layers, state.grain, state.t, layer, unit);
    return {
      bundle,
      state: { ...state, source, base, sample: at, layer, unit },
      model,
      layers,
      weightsKey,
      inputKey,
      input,
      sheet: () => input.picture ?? (base ? paper(input.clean) : null),
      without: (off) => read(input.picture ?? paper(input.clean), off),
      image: asImage(input.x, taken),
      pass,
      label: source === "sample" || (base === "sample" && state.truth < 0) ? bundle.labels[at] : state.truth,
      classes: layers[layers.length - 1].units,
      place: where,
      told: !input.blank && (state.panel !== "network" || where.answer),
      live,
      statistics: () => live?.statistics ?? keepStatistics(weightsKey, () => evaluate(bundle, layers, sample)),
      counted: () => (live ? live.statistics ?? undefined : keepStatistics.kept.get(weightsKey)),
      count: () => createCount(bundle, layers, sample),
      keep: (statistics) => void keepStatistics(weightsKey, () => statistics),
      sample,
      ranges,
    };
  };
}

/** How many weights there are, biases included. @param {Layer[]} layers */
export const weightCount = (layers) => whole(layers.reduce((sum, l) => sum + l.weights.length + l.bias.length, 0));

/**
 * The largest difference between this engine and Keras on the packed reference outputs, measured digit
 * by digit so that the page can be used meanwhile; not to the end where `gone` says so.
 * @param {Model} model
 * @param {(at: number) => Float64Array} sample
 * @param {AbortSignal} gone
 */
export async function differenceToKeras(model, sample, gone) {
  let worst = 0;
  for (let s = 0, at = 0; at < model.reference.length && !gone.aborted; s++) {
    await new Promise((done) => setTimeout(done));
    for (const v of forward(model.layers, sample(s)).a.at(-1) ?? []) {
      worst = Math.max(worst, Math.abs(v - model.reference[at++]));
    }
  }
  return worst;
}

