/**
 * The network itself: forward pass, softmax, backward pass, one step of gradient descent.
 * Pure functions on typed arrays; weights lie row by row, `weights[i * units + j]` leads from
 * input i to unit j, which is how Keras keeps a Dense layer's kernel.
 *
 * @typedef {object} Layer
 * @property {string} name
 * @property {number} inputs
 * @property {number} units
 * @property {string} activation  relu, linear, sigmoid, tanh or softmax
 * @property {Float32Array | Float64Array} weights  inputs * units
 * @property {Float32Array | Float64Array} bias  units
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
 * @property {Float64Array[]} bias  dL/db (the same numbers as dL/dz)
 */

export const ACTIVATIONS = ["relu", "linear", "sigmoid", "tanh", "softmax"];

/** The number nearest to `value` between 0 and `most`. @param {number} value @param {number} most */
export const clamp = (value, most) => Math.min(most, Math.max(0, value));

/**
 * Index of the largest entry, the first one where several are equal (as numpy.argmax).
 * @param {ArrayLike<number>} values
 */
export function argmax(values) {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k;
  return best;
}

/**
 * exp(z - max z) / sum: the shift leaves the result as it is and keeps exp in range.
 * @param {ArrayLike<number>} z
 */
export function softmax(z) {
  const p = new Float64Array(z.length);
  const top = z[argmax(z)];
  let sum = 0;
  for (let k = 0; k < p.length; k++) sum += p[k] = Math.exp(z[k] - top);
  for (let k = 0; k < p.length; k++) p[k] /= sum;
  return p;
}

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
 * @param {string} activation
 * @param {Float64Array} z
 * @returns {Float64Array}
 */
export function activate(activation, z) {
  switch (activation) {
    case "relu":
      return z.map((v) => (v > 0 ? v : 0));
    case "sigmoid":
      return z.map((v) => 1 / (1 + Math.exp(-v)));
    case "tanh":
      return z.map(Math.tanh);
    case "softmax":
      return softmax(z);
    default:
      return z.slice();
  }
}

/**
 * z = x W + b of one layer.
 * @param {Layer} layer
 * @param {ArrayLike<number>} x
 */
export function weightedSums(layer, x) {
  const { inputs, units, weights, bias } = layer;
  const z = Float64Array.from(bias);
  for (let i = 0; i < inputs; i++) {
    const v = x[i];
    if (v === 0) continue;
    const row = i * units;
    for (let j = 0; j < units; j++) z[j] += v * weights[row + j];
  }
  return z;
}

/**
 * @param {Layer[]} layers
 * @param {ArrayLike<number>} input
 * @returns {Pass}
 */
export function forward(layers, input) {
  const x = Float64Array.from(input);
  const z = [];
  const a = [];
  /** @type {Float64Array} */
  let signal = x;
  for (const layer of layers) {
    const sums = weightedSums(layer, signal);
    signal = activate(layer.activation, sums);
    z.push(sums);
    a.push(signal);
  }
  const last = layers.length - 1;
  // A softmax layer's sums are the logits; any other last layer hands its output to the loss.
  const logits = layers[last].activation === "softmax" ? z[last] : a[last];
  const probabilities = softmax(logits);
  const digit = argmax(probabilities);
  return { x, z, a, logits, probabilities, digit, share: probabilities[digit] };
}

/**
 * dL/dz of one layer from dL/da.
 * @param {string} activation
 * @param {Float64Array} z
 * @param {Float64Array} a
 * @param {Float64Array} da
 * @returns {Float64Array}
 */
function throughActivation(activation, z, a, da) {
  if (activation === "softmax") {
    const dot = a.reduce((sum, v, k) => sum + v * da[k], 0);
    return a.map((v, k) => v * (da[k] - dot));
  }
  return da.map((d, k) => {
    if (activation === "relu") return z[k] > 0 ? d : 0;
    if (activation === "sigmoid") return d * a[k] * (1 - a[k]);
    if (activation === "tanh") return d * (1 - a[k] * a[k]);
    return d;
  });
}

/**
 * Gradients of the cross-entropy of `label` with respect to everything.
 * @param {Layer[]} layers
 * @param {Pass} pass
 * @param {number} label
 * @returns {Gradients}
 */
export function backward(layers, pass, label) {
  const last = layers.length - 1;
  /** @type {Gradients} */
  const out = {
    loss: crossEntropy(pass.logits, label),
    input: new Float64Array(0),
    z: [],
    weights: [],
    bias: [],
  };
  const error = pass.probabilities.map((p, k) => p - (k === label ? 1 : 0));
  /** @type {Float64Array} */
  let dz =
    layers[last].activation === "softmax"
      ? error
      : throughActivation(layers[last].activation, pass.z[last], pass.a[last], error);
  for (let l = last; l >= 0; l--) {
    const { inputs, units, weights } = layers[l];
    const below = l ? pass.a[l - 1] : pass.x;
    const dw = new Float64Array(inputs * units);
    const da = new Float64Array(inputs);
    for (let i = 0; i < inputs; i++) {
      const row = i * units;
      let sum = 0;
      for (let j = 0; j < units; j++) {
        dw[row + j] = below[i] * dz[j];
        sum += weights[row + j] * dz[j];
      }
      da[i] = sum;
    }
    out.z[l] = out.bias[l] = dz;
    out.weights[l] = dw;
    if (l) dz = throughActivation(layers[l - 1].activation, pass.z[l - 1], pass.a[l - 1], da);
    else out.input = da;
  }
  return out;
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
 * The terms of one unit's sum: every input times its weight.
 * @param {Layer} layer
 * @param {ArrayLike<number>} x
 * @param {number} unit
 */
export function contributions(layer, x, unit) {
  const terms = new Float64Array(layer.inputs);
  for (let i = 0; i < layer.inputs; i++) terms[i] = x[i] * layer.weights[i * layer.units + unit];
  return terms;
}
