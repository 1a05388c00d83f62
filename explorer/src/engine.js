/**
 * The network itself: forward pass, softmax, backward pass, one step of gradient descent.
 * Pure functions on typed arrays. What flows between layers is flat, (rows, columns, channels) row by
 * row with the channels last, as Keras flattens it; a dense layer's units are the channels of one point.
 * What each kind of layer does with its window is in kinds.js.
 *
 * @typedef {object} Layer
 * @property {string} kind  dense, conv, max, average, scale or activation
 * @property {string} name
 * @property {number} inputs  length of what comes in
 * @property {number} units  length of what goes out
 * @property {number[]} from  what comes in, as rows, columns and channels
 * @property {number[]} shape  what goes out, likewise
 * @property {string} activation  relu, linear, sigmoid, tanh, elu, leaky_relu or softmax
 * @property {number} [alpha]  the slope below 0 of elu and leaky_relu
 * @property {number[]} [window]  rows and columns of a window
 * @property {number[]} [stride]
 * @property {Set<number>} [off]  units, or maps, that are turned off: 0 whatever their sum is
 * @property {number[]} [pad]  rows above and columns to the left
 * @property {Float64Array} weights  as Keras keeps them: dense (inputs, units), conv (rows, columns, channels in, channels out)
 * @property {Float64Array} bias
 *
 * @typedef {object} Pass
 * @property {Float64Array} x  the input
 * @property {Float64Array[]} z  each layer's weighted sums
 * @property {Float64Array[]} a  each layer's activations
 * @property {Float64Array} logits  what the softmax is taken of
 * @property {Float64Array} probabilities
 * @property {number} digit  the most probable class
 * @property {number} share  its probability
 *
 * @typedef {object} Gradients
 * @property {number} loss  cross-entropy of the label
 * @property {Float64Array} input  dL/dx
 * @property {Float64Array[]} z  dL/dz, a layer each
 * @property {Float64Array[]} weights  dL/dw
 * @property {Float64Array[]} bias  dL/db
 */

import { activate, argmax, softmax, throughActivation } from "./activations.js";
import { KINDS } from "./kinds.js";

/** Where arrays come from, and what computes, unless a training says otherwise. */
const ANYWHERE = { array: (/** @type {number} */ length) => new Float64Array(length), kinds: KINDS };

/** The number nearest to `value` between 0 and `most`. @param {number} value @param {number} most */
export const clamp = (value, most) => Math.min(most, Math.max(0, value));

/**
 * Cross-entropy of one label from logits: log(sum exp z) - z[label].
 * @param {ArrayLike<number>} logits
 * @param {number} label
 */
export function crossEntropy(logits, label) {
  const top = logits[argmax(logits)];
  let sum = 0;
  for (let k = 0; k < logits.length; k++) sum += Math.exp(logits[k] - top);
  return Math.log(sum) + top - logits[label];
}

/**
 * Where passes are written to, one over the other: a training makes no arrays for each digit.
 * @param {Layer[]} layers
 * @param {Pick<import("./home.js").Home, "array" | "kinds">} [home]  whose arrays they are
 */
export const roomFor = (layers, { array, kinds } = ANYWHERE) => ({
  kinds,
  x: array(layers[0].inputs),
  z: layers.map(({ units }) => array(units)),
  a: layers.map(({ units }) => array(units)),
  da: layers.map(({ inputs }) => array(inputs)),
  dz: layers.map(({ units }) => array(units)),
  probabilities: array(layers[layers.length - 1].units),
  error: array(layers[layers.length - 1].units),
});

/** @typedef {ReturnType<typeof roomFor>} Room */

/**
 * @param {Layer[]} layers
 * @param {ArrayLike<number>} input
 * @param {Room} [room]  arrays to use again; without it the pass has its own
 * @returns {Pass}
 */
export function forward(layers, input, room) {
  const x = room ? room.x : input instanceof Float64Array ? input : Float64Array.from(input);
  room?.x.set(input);
  const { z = [], a = [], kinds = KINDS } = room ?? {};
  /** @type {Float64Array} */
  let signal = x;
  for (let l = 0; l < layers.length; l++) {
    const layer = layers[l];
    if (room) z[l].fill(0);
    else [z[l], a[l]] = [new Float64Array(layer.units), new Float64Array(layer.units)];
    kinds[layer.kind].sums(layer, signal, z[l]);
    signal = activate(layer, z[l], a[l]);
    if (layer.off) hush(layer, signal);
  }
  const last = layers.length - 1;
  // A softmax layer's sums are the logits; any other last layer hands its output to the loss.
  const logits = layers[last].activation === "softmax" ? z[last] : a[last];
  const probabilities = softmax(logits, room?.probabilities);
  const digit = argmax(probabilities);
  return { x, z, a, logits, probabilities, digit, share: probabilities[digit] };
}

/** Set to 0 what belongs to units that are turned off. @param {Layer} layer @param {Float64Array} values */
function hush({ off, shape }, values) {
  for (let k = 0; k < values.length; k++) if (off?.has(k % shape[2])) values[k] = 0;
}

/**
 * Adds the gradients of one digit's cross-entropy to `dw` and `db`, an array for each layer.
 * @param {Layer[]} layers
 * @param {Pass} pass
 * @param {number} label
 * @param {Float64Array[]} dw
 * @param {Float64Array[]} db
 * @param {boolean} [toInput]  whether dL/dx is wanted as well
 * @param {Room} [room]  arrays to use again
 */
export function accumulate(layers, pass, label, dw, db, toInput = true, room = roomFor(layers)) {
  const { error } = room;
  error.set(pass.probabilities);
  error[label] -= 1;
  goBack(layers, pass, error, dw, db, toInput, room);
  return { loss: crossEntropy(pass.logits, label), z: room.dz, input: room.da[0] };
}

/**
 * From the slopes in the logits back to those in every sum (`dz`) and every input (`da`).
 * @param {Layer[]} layers @param {Pass} pass @param {Float64Array} error  slopes in the logits
 * @param {Float64Array[] | null} dw  where the slopes in the weights are added, if they are wanted
 * @param {Float64Array[] | null} db
 * @param {boolean} toInput @param {Room} room
 */
function goBack(layers, pass, error, dw, db, toInput, { dz, da, kinds }) {
  const last = layers.length - 1;
  /** @param {number} l @param {Float64Array} slopes  in what the layer gives */
  const through = (l, slopes) => {
    throughActivation(layers[l], pass.z[l], pass.a[l], slopes, dz[l]);
    if (layers[l].off) hush(layers[l], dz[l]);
  };
  if (layers[last].activation === "softmax") dz[last].set(error);
  else through(last, error);
  for (let l = last; l >= 0; l--) {
    const layer = layers[l];
    const wanted = l > 0 || toInput;
    if (wanted) da[l].fill(0);
    kinds[layer.kind].back(layer, l ? pass.a[l - 1] : pass.x, dz[l], dw && dw[l], db && db[l], wanted ? da[l] : null);
    if (l) through(l - 1, da[l]);
  }
}

/**
 * How each input speaks for one class and against another: the input (from its paper on) times the slope, in
 * it, of the one's logit less the other's. In a network of straight pieces (ReLU) these add up to what
 * the input makes of the difference.
 * @param {Layer[]} layers @param {Pass} pass @param {number} one @param {number} other @param {number} [paper]  an input's value where nothing is
 * @returns {Float64Array}
 */
export function evidence(layers, pass, one, other, paper = 0) {
  const room = roomFor(layers);
  const apart = new Float64Array(pass.logits.length);
  [apart[one], apart[other]] = [1, -1];
  goBack(layers, pass, apart, null, null, true, room);
  return room.da[0].map((slope, k) => (pass.x[k] - paper) * slope);
}

/** Room for gradients. @param {Layer[]} layers */
export const emptyGradients = (layers) => ({
  weights: layers.map((layer) => new Float64Array(layer.weights.length)),
  bias: layers.map((layer) => new Float64Array(layer.bias.length)),
});

/**
 * Gradients of the cross-entropy of `label` with respect to everything.
 * @param {Layer[]} layers
 * @param {Pass} pass
 * @param {number} label
 * @returns {Gradients}
 */
export function backward(layers, pass, label) {
  const { weights, bias } = emptyGradients(layers);
  return { ...accumulate(layers, pass, label, weights, bias), weights, bias };
}

/**
 * New layers after one step of plain gradient descent; the given ones stay as they are.
 * @param {Layer[]} layers
 * @param {Gradients} gradients
 * @param {number} rate
 * @returns {Layer[]}
 */
export function sgdStep(layers, gradients, rate) {
  return layers.map((layer, l) => ({
    ...layer,
    weights: Float64Array.from(layer.weights, (w, k) => w - rate * gradients.weights[l][k]),
    bias: Float64Array.from(layer.bias, (b, k) => b - rate * gradients.bias[l][k]),
  }));
}

/**
 * Slope of the loss in one weight by central differences: what backward is checked against.
 * @param {Layer[]} layers
 * @param {ArrayLike<number>} x
 * @param {number} label
 * @param {number} l
 * @param {number} k  index into the layer's weights
 * @param {number} [step]
 */
export function numericalSlope(layers, x, label, l, k, step = 1e-4) {
  const [up, down] = [step, -step].map((d) => {
    const weights = Float64Array.from(layers[l].weights);
    weights[k] += d;
    const moved = layers.map((layer, at) => (at === l ? { ...layer, weights } : layer));
    return crossEntropy(forward(moved, x).logits, label);
  });
  return (up - down) / (2 * step);
}

/**
 * The terms of one unit's sum: which inputs go in, with which weights (and where those lie among the
 * layer's, -1: a weight that is none of its own), and what comes of it.
 * @param {Layer} layer
 * @param {ArrayLike<number>} x
 * @param {number} unit
 */
export function termsOf(layer, x, unit) {
  /** @type {number[][]} */
  const [inputs, at, weights, terms] = [[], [], [], []];
  eachTerm(layer, x, unit, (i, weight, place) => {
    inputs.push(i);
    weights.push(weight);
    at.push(place);
    terms.push(x[i] * weight);
  });
  return { inputs, at, weights, terms: Float64Array.from(terms) };
}

/** Calls `visit` for every term of a unit's sum, without making lists. @param {Layer} layer @param {ArrayLike<number>} x @param {number} unit @param {(input: number, weight: number, at: number) => void} visit */
export const eachTerm = (layer, x, unit, visit) => KINDS[layer.kind].each(layer, x, unit, visit);

/** What is added to a unit's terms. @param {Layer} layer @param {number} unit */
export const biasOf = ({ bias, shape }, unit) => (bias.length ? bias[unit % shape[2]] : 0);

/** Whether a layer's units lie on a map, a channel each. @param {Layer} layer */
export const isMap = ({ shape }) => shape[0] * shape[1] > 1;

/** How many parts a layer is drawn with: its units, or its maps. @param {Layer} layer */
export const nodesOf = ({ shape }) => shape[2];

/** The unit in the middle of a node's map, or the unit that the node is. @param {Layer} layer @param {number} node */
export const unitOf = ({ shape: [rows, cols, channels] }, node) =>
  (Math.floor(rows / 2) * cols + Math.floor(cols / 2)) * channels + node;
