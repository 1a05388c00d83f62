/**
 * Training in the page: batches, gradients, SGD and Adam as Keras has them. Pure, and in steps as short
 * as one wants, so that a worker can listen in between.
 *
 * @typedef {import("./engine.js").Layer} Layer
 * @typedef {{optimiser: string, rate: number, batch: number}} Settings
 */

import { accumulate, forward, roomFor } from "./engine.js";
import { createHome } from "./home.js";

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
 * @param {Layer[]} layers  they are trained in place; their arrays move to where the work is done
 * @param {(at: number) => Float64Array} sample
 * @param {ArrayLike<number>} labels
 */
export function createTrainer(layers, sample, labels) {
  const home = createHome(layers);
  const size = layers.reduce((sum, { weights, bias }) => sum + weights.length + bias.length, 0);
  /** Everything that is trained in a row, its slopes, and their means and squares: an even number each. */
  const [w, g, m, v] = [0, 1, 2, 3].map(() => home.array(size + (size % 2)));
  /** @type {{weights: Float64Array[], bias: Float64Array[]}} */
  const gradients = { weights: [], bias: [] };
  let at = 0;
  for (const layer of layers) {
    for (const part of /** @type {const} */ (["weights", "bias"])) {
      const end = at + layer[part].length;
      w.set(layer[part], at);
      layer[part] = w.subarray(at, end);
      gradients[part].push(g.subarray(at, end));
      at = end;
    }
  }
  const room = roomFor(layers, home);
  let steps = 0;

  return {
    room,
    /** One step on a batch. @param {ArrayLike<number>} batch  indices of samples @param {Settings} settings @returns {{loss: number, right: number}} of the batch before the step */
    step(batch, { optimiser, rate }) {
      let [loss, right] = [0, 0];
      for (let k = 0; k < batch.length; k++) {
        const label = labels[batch[k]];
        const pass = forward(layers, sample(batch[k]), room);
        if (pass.digit === label) right++;
        loss += accumulate(layers, pass, label, gradients.weights, gradients.bias, false, room).loss;
      }
      steps++;
      const share = 1 / batch.length;
      if (optimiser === "adam") home.adam(w, g, m, v, share, rate, steps);
      else {
        for (let k = 0; k < w.length; k++) w[k] -= rate * share * g[k];
        g.fill(0);
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
