/**
 * What activations make of a layer's sums, and the way back through them.
 *
 * @typedef {import("./engine.js").Layer} Layer
 */

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
 * @param {Float64Array} [p]  where to write
 */
export function softmax(z, p = new Float64Array(z.length)) {
  const top = z[argmax(z)];
  let sum = 0;
  for (let k = 0; k < p.length; k++) sum += p[k] = Math.exp(z[k] - top);
  for (let k = 0; k < p.length; k++) p[k] /= sum;
  return p;
}

/**
 * @param {Layer} layer
 * @param {Float64Array} z
 * @param {Float64Array} a  where to write
 */
export function activate({ activation, alpha = 1 }, z, a) {
  if (activation === "softmax") return softmax(z, a);
  // Plain loops: a training calls this some hundred thousand times a second.
  for (let k = 0; k < a.length; k++) {
    const v = z[k];
    if (activation === "relu") a[k] = v > 0 ? v : 0;
    else if (activation === "leaky_relu") a[k] = v > 0 ? v : alpha * v;
    else if (activation === "elu") a[k] = v > 0 ? v : alpha * Math.expm1(v);
    else if (activation === "sigmoid") a[k] = 1 / (1 + Math.exp(-v));
    else if (activation === "tanh") a[k] = Math.tanh(v);
    else a[k] = v;
  }
  return a;
}

/**
 * dL/dz of one layer from dL/da.
 * @param {Layer} layer
 * @param {Float64Array} z
 * @param {Float64Array} a
 * @param {Float64Array} da
 * @param {Float64Array} dz  where to write
 */
export function throughActivation(layer, z, a, da, dz) {
  const { activation, alpha = 1 } = layer;
  const dot = activation === "softmax" ? a.reduce((sum, v, k) => sum + v * da[k], 0) : 0;
  for (let k = 0; k < dz.length; k++) {
    if (activation === "softmax") dz[k] = a[k] * (da[k] - dot);
    else if (activation === "linear") dz[k] = da[k];
    else if (activation === "sigmoid") dz[k] = da[k] * a[k] * (1 - a[k]);
    else if (activation === "tanh") dz[k] = da[k] * (1 - a[k] * a[k]);
    else if (z[k] > 0) dz[k] = da[k];
    else if (activation === "leaky_relu") dz[k] = da[k] * alpha;
    else dz[k] = activation === "elu" ? da[k] * (a[k] + alpha) : 0;
  }
}
