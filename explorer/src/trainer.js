/**
 * Training in the page: batches, gradients, SGD and Adam as Keras has them. Pure, and in steps as short
 * as one wants, so that a worker can listen in between.
 *
 * @typedef {import("./engine.js").Layer} Layer
 * @typedef {{optimiser: string, rate: number, batch: number}} Settings
 */

import { accumulate, emptyGradients, forward, roomFor } from "./engine.js";

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-7];

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). @param {number} seed */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** New weights as Keras draws them: Glorot's uniform ones, biases 0. @param {Layer[]} layers @param {number} seed @returns {Layer[]} */
export function freshWeights(layers, seed) {
  const draw = random(seed);
  return layers.map((layer) => {
    if (layer.kind !== "dense" && layer.kind !== "conv") return layer;
    const taps = layer.kind === "conv" ? (layer.window ?? [1, 1]).reduce((a, b) => a * b) : 1;
    const [ins, outs] = [layer.from[2] * taps, layer.shape[2] * taps];
    const limit = Math.sqrt(6 / (ins + outs));
    return { ...layer, weights: Float64Array.from(layer.weights, () => (2 * draw() - 1) * limit), bias: new Float64Array(layer.bias.length) };
  });
}

/** Layers that are nobody else's. @param {Layer[]} layers @returns {Layer[]} */
export const copyOf = (layers) =>
  layers.map((layer) => ({ ...layer, weights: Float64Array.from(layer.weights), bias: Float64Array.from(layer.bias) }));

/**
 * @param {Layer[]} layers  they are trained in place
 * @param {(at: number) => Float64Array} sample
 * @param {ArrayLike<number>} labels
 */
export function createTrainer(layers, sample, labels) {
  const gradients = emptyGradients(layers);
  const means = emptyGradients(layers);
  const squares = emptyGradients(layers);
  const room = roomFor(layers);
  let steps = 0;
  const pairs = layers.flatMap((layer, l) => [
    { w: layer.weights, g: gradients.weights[l], m: means.weights[l], v: squares.weights[l] },
    { w: layer.bias, g: gradients.bias[l], m: means.bias[l], v: squares.bias[l] },
  ]);

  return {
    /** One step on a batch. @param {ArrayLike<number>} batch  indices of samples @param {Settings} settings @returns {{loss: number, right: number}} of the batch before the step */
    step(batch, { optimiser, rate }) {
      for (const { g } of pairs) g.fill(0);
      let [loss, right] = [0, 0];
      for (let k = 0; k < batch.length; k++) {
        const label = labels[batch[k]];
        const pass = forward(layers, sample(batch[k]), room);
        if (pass.digit === label) right++;
        loss += accumulate(layers, pass, label, gradients.weights, gradients.bias, false, room).loss;
      }
      steps++;
      const share = 1 / batch.length;
      const length = (rate * Math.sqrt(1 - BETA2 ** steps)) / (1 - BETA1 ** steps);
      for (const { w, g, m, v } of pairs) {
        if (optimiser === "sgd") for (let k = 0; k < w.length; k++) w[k] -= rate * share * g[k];
        else {
          for (let k = 0; k < w.length; k++) {
            // The weights of pixels that are never inked have nothing to learn from.
            if (g[k] === 0 && m[k] === 0) continue;
            const slope = share * g[k];
            m[k] += (1 - BETA1) * (slope - m[k]);
            v[k] += (1 - BETA2) * (slope * slope - v[k]);
            w[k] -= (length * m[k]) / (Math.sqrt(v[k]) + EPSILON);
          }
        }
      }
      return { loss: loss / batch.length, right };
    },
  };
}

/** The order of an epoch: all indices, shuffled. @param {number} count @param {() => number} draw */
export function shuffled(count, draw) {
  const order = Uint32Array.from({ length: count }, (_, k) => k);
  for (let k = count - 1; k > 0; k--) {
    const other = Math.floor(draw() * (k + 1));
    [order[k], order[other]] = [order[other], order[k]];
  }
  return order;
}
