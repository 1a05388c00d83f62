/**
 * Where the arrays of a training lie: in the memory of a WebAssembly module whose kernels then do the sums of dense
 * and convolutional layers, or, where the place allows no WebAssembly, wherever JavaScript puts them.
 *
 * @typedef {import("./engine.js").Layer} Layer
 * @typedef {import("./kinds.js").Kind} Kind
 *
 * @typedef {object} Home
 * @property {(length: number) => Float64Array} array  a new array of zeros
 * @property {Record<string, Kind>} kinds  what the kinds of layer do here
 * @property {typeof adamStep} adam
 *
 * @typedef {object} Kernels  see explorer/kernels/layer.ts; every argument is an address or a number
 * @property {(geometry: number, rows: number, values: number, x: number, weights: number, bias: number, z: number) => void} sums
 * @property {(geometry: number, rows: number, values: number, x: number, weights: number, dz: number, dw: number, db: number, dx: number) => void} back
 * @property {(w: number, g: number, m: number, v: number, count: number, share: number, length: number, keep1: number, keep2: number, epsilon: number) => void} adam
 */

import { KERNELS } from "./kernels.js";
import { KINDS } from "./kinds.js";

/** As Keras has them. */
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-7];
const PAGE = 65536;

/**
 * One step of Adam on an even number of weights; the gradients are 0 after it.
 * @param {Float64Array} w @param {Float64Array} g  the sum of a batch's gradients @param {Float64Array} m @param {Float64Array} v
 * @param {number} share  of one digit in the batch @param {number} rate @param {number} steps  this one among them
 */
function adamStep(w, g, m, v, share, rate, steps) {
  const length = lengthOf(rate, steps);
  for (let k = 0; k < w.length; k++) {
    // The weights of pixels that are never inked have nothing to learn from.
    if (g[k] === 0 && m[k] === 0) continue;
    const slope = share * g[k];
    m[k] += (1 - BETA1) * (slope - m[k]);
    v[k] += (1 - BETA2) * (slope * slope - v[k]);
    w[k] -= (length * m[k]) / (Math.sqrt(v[k]) + EPSILON);
  }
  g.fill(0);
}

/** @param {number} rate @param {number} steps */
const lengthOf = (rate, steps) => (rate * Math.sqrt(1 - BETA2 ** steps)) / (1 - BETA1 ** steps);

/** @param {Layer} layer */
const inWindow = ({ from, window: [h, w] = [1, 1] }) => h * w * from[2];

/** Bytes for all arrays of a training: what is trained four times over, a `Room`, and what is found under a window. @param {Layer[]} layers */
function bytesFor(layers) {
  const each = layers.map(({ weights, bias, inputs, units }) => 4 * (weights.length + bias.length) + inputs + 3 * units);
  const ends = layers[0].inputs + 2 * layers[layers.length - 1].units;
  // A page more: every array begins at a multiple of 16, and the geometries are small.
  return 8 * (each.reduce((sum, n) => sum + n, ends) + 2 * Math.max(...layers.map(inWindow))) + PAGE;
}

/**
 * A home for the training of `layers`.
 * @param {Layer[]} layers
 * @returns {Home}
 */
export function createHome(layers) {
  try {
    return inWebAssembly(layers);
  } catch {
    // No WebAssembly, none with pairs of numbers, or a page that forbids it.
    return { array: (length) => new Float64Array(length), kinds: KINDS, adam: adamStep };
  }
}

/** @param {Layer[]} layers @returns {Home} */
function inWebAssembly(layers) {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytesFor(layers) / PAGE) });
  const code = Uint8Array.from(atob(KERNELS), (c) => c.charCodeAt(0));
  const made = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  const kernels = /** @type {Kernels} */ (/** @type {unknown} */ (made.exports));
  let used = 1024;
  /** @param {number} bytes */
  const take = (bytes) => {
    const at = used;
    used += Math.ceil(bytes / 16) * 16;
    return at;
  };
  /** @param {number} length */
  const array = (length) => new Float64Array(memory.buffer, take(8 * length), length);
  const most = Math.max(...layers.map(inWindow));
  const [rows, values] = [take(4 * most), take(8 * most)];
  /** @param {Layer} layer */
  const lay = ({ from, shape, window = [1, 1], stride = [1, 1], pad = [0, 0] }) => {
    const numbers = [...from, ...shape, ...window, ...stride, ...pad];
    const at = take(4 * numbers.length);
    new Int32Array(memory.buffer, at, numbers.length).set(numbers);
    return at;
  };
  const geometry = new Map(layers.map((layer) => [layer, lay(layer)]));
  /** @param {ArrayLike<number> | null} numbers  an array of this home */
  const address = (numbers) => /** @type {Float64Array | null} */ (numbers)?.byteOffset ?? 0;
  /** @type {Kind} */
  const conv = {
    ...KINDS.conv,
    sums(layer, x, z) {
      kernels.sums(geometry.get(layer) ?? 0, rows, values, address(x), address(layer.weights), address(layer.bias), address(z));
    },
    back(layer, x, dz, dw, db, dx) {
      kernels.back(geometry.get(layer) ?? 0, rows, values, address(x), address(layer.weights), address(dz), address(dw), address(db), address(dx));
    },
  };
  return {
    array,
    kinds: { ...KINDS, dense: conv, conv },
    adam(w, g, m, v, share, rate, steps) {
      kernels.adam(address(w), address(g), address(m), address(v), w.length, share, lengthOf(rate, steps), BETA1, BETA2, EPSILON);
    },
  };
}
