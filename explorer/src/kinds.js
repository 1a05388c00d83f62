/**
 * What the kinds of layer do with what comes in: their sums, their terms, and the way back.
 *
 * @typedef {import("./engine.js").Layer} Layer
 * @typedef {ArrayLike<number>} Numbers
 *
 * @typedef {object} Kind
 * @property {(layer: Layer, x: Numbers, z: Float64Array) => void} sums  writes z, which is 0 before
 * @property {(layer: Layer, x: Numbers, unit: number, visit: (input: number, weight: number, at: number) => void) => void} each
 *   every term of a unit's sum: the input, its weight, and where that lies among the layer's (-1: it is none of its own)
 * @property {(layer: Layer, x: Numbers, dz: Float64Array, dw: Float64Array | null, db: Float64Array | null, dx: Float64Array | null) => void} back
 *   adds to dw and db, and to dx, which is 0 before; what is not wanted is null
 */

/** What a unit's sum is made of: inputs, and where their weights begin. Filled over and over again. */
let [inputsAt, rowsAt] = [new Int32Array(1024), new Int32Array(1024)];
/** The points under a window, counted row by row without channels, and their places in the window. */
let [sources, taps] = [new Int32Array(64), new Int32Array(64)];
/** The units whose slope is not 0, and their slopes. */
let [active, slopes] = [new Int32Array(64), new Float64Array(64)];

/**
 * Fills `sources` and `taps` for the window of an output point.
 * @param {Layer} layer @param {number} point
 * @returns {number} how many
 */
function lookUnder({ from: [rows, cols], shape: [, across], window: [h, w] = [1, 1], stride: [down, right] = [1, 1], pad: [top, left] = [0, 0] }, point) {
  if (sources.length < h * w) [sources, taps] = [new Int32Array(h * w), new Int32Array(h * w)];
  const [row, col] = [Math.floor(point / across) * down - top, (point % across) * right - left];
  let n = 0;
  for (let u = Math.max(0, -row); u < h && row + u < rows; u++) {
    for (let v = Math.max(0, -col); v < w && col + v < cols; v++) {
      sources[n] = (row + u) * cols + col + v;
      taps[n++] = u * w + v;
    }
  }
  return n;
}

/** Fills `inputsAt` and `rowsAt` with the inputs that are not 0: most pixels are paper. @param {Layer} layer @param {Numbers} x @param {number} count  points in `sources` @returns {number} how many */
function findInked({ from: [, , ins], shape: [, , outs] }, x, count) {
  if (inputsAt.length < count * ins) [inputsAt, rowsAt] = [new Int32Array(count * ins), new Int32Array(count * ins)];
  let n = 0;
  for (let k = 0; k < count; k++) {
    const [first, row] = [sources[k] * ins, taps[k] * ins];
    for (let i = 0; i < ins; i++) {
      if (x[first + i] === 0) continue;
      inputsAt[n] = first + i;
      rowsAt[n++] = (row + i) * outs;
    }
  }
  return n;
}

/** z[base + j] += the sum of x times weight over what was found. @param {Numbers} x @param {Numbers} weights @param {number} count @param {Float64Array} z @param {number} base @param {number} outs */
function addUp(x, weights, count, z, base, outs) {
  let k = 0;
  // Four inputs at a time: a sum is then loaded and stored once for four terms.
  for (; k + 3 < count; k += 4) {
    const r0 = rowsAt[k], r1 = rowsAt[k + 1], r2 = rowsAt[k + 2], r3 = rowsAt[k + 3];
    const v0 = x[inputsAt[k]], v1 = x[inputsAt[k + 1]], v2 = x[inputsAt[k + 2]], v3 = x[inputsAt[k + 3]];
    for (let j = 0; j < outs; j++) z[base + j] += v0 * weights[r0 + j] + v1 * weights[r1 + j] + v2 * weights[r2 + j] + v3 * weights[r3 + j];
  }
  for (; k < count; k++) {
    const [v, row] = [x[inputsAt[k]], rowsAt[k]];
    for (let j = 0; j < outs; j++) z[base + j] += v * weights[row + j];
  }
}

/** Fills `active` and `slopes`: what ReLU has shut, or a pool has passed over, has nothing to hand on. @param {Float64Array} dz @param {number} base @param {number} outs @returns {number} how many */
function findActive(dz, base, outs) {
  if (active.length < outs) [active, slopes] = [new Int32Array(outs), new Float64Array(outs)];
  let n = 0;
  for (let j = 0; j < outs; j++) {
    if (dz[base + j] === 0) continue;
    active[n] = j;
    slopes[n++] = dz[base + j];
  }
  return n;
}

/** dw += x times slope over the inputs that were found and the active units. @param {Numbers} x @param {Float64Array} dw @param {number} count @param {number} n  active units */
function hand(x, dw, count, n) {
  let k = 0;
  for (; k + 3 < count; k += 4) {
    const r0 = rowsAt[k], r1 = rowsAt[k + 1], r2 = rowsAt[k + 2], r3 = rowsAt[k + 3];
    const v0 = x[inputsAt[k]], v1 = x[inputsAt[k + 1]], v2 = x[inputsAt[k + 2]], v3 = x[inputsAt[k + 3]];
    for (let a = 0; a < n; a++) {
      const j = active[a];
      const d = slopes[a];
      dw[r0 + j] += v0 * d;
      dw[r1 + j] += v1 * d;
      dw[r2 + j] += v2 * d;
      dw[r3 + j] += v3 * d;
    }
  }
  for (; k < count; k++) {
    const [v, row] = [x[inputsAt[k]], rowsAt[k]];
    for (let a = 0; a < n; a++) dw[row + active[a]] += v * slopes[a];
  }
}

/** How many points a layer's maps have. @param {Layer} layer */
const pointsOf = ({ shape: [rows, cols] }) => rows * cols;

/** Filters over windows; a dense layer is one of a single point and a window of one. @type {Kind} */
const conv = {
  sums(layer, x, z) {
    const { shape: [, , outs], weights, bias } = layer;
    for (let point = 0; point < pointsOf(layer); point++) {
      z.set(bias, point * outs);
      addUp(x, weights, findInked(layer, x, lookUnder(layer, point)), z, point * outs, outs);
    }
  },
  each(layer, x, unit, visit) {
    const { from: [, , ins], shape: [, , outs], weights } = layer;
    const count = lookUnder(layer, Math.floor(unit / outs));
    for (let k = 0; k < count; k++) {
      for (let i = 0; i < ins; i++) {
        const at = (taps[k] * ins + i) * outs + (unit % outs);
        visit(sources[k] * ins + i, weights[at], at);
      }
    }
  },
  back(layer, x, dz, dw, db, dx) {
    const { from: [, , ins], shape: [, , outs], weights } = layer;
    for (let point = 0; point < pointsOf(layer); point++) {
      const n = findActive(dz, point * outs, outs);
      if (!n) continue;
      for (let a = 0; db && a < n; a++) db[active[a]] += slopes[a];
      const count = lookUnder(layer, point);
      if (dw) hand(x, dw, findInked(layer, x, count), n);
      for (let k = 0; dx && k < count; k++) {
        for (let i = 0; i < ins; i++) {
          const row = (taps[k] * ins + i) * outs;
          let sum = 0;
          for (let a = 0; a < n; a++) sum += weights[row + active[a]] * slopes[a];
          dx[sources[k] * ins + i] += sum;
        }
      }
    }
  },
};

/** The inputs under a pool's window. @param {Layer} layer @param {number} unit */
function pooled(layer, unit) {
  const { shape: [, , channels] } = layer;
  const count = lookUnder(layer, Math.floor(unit / channels));
  return Array.from(sources.subarray(0, count), (source) => source * channels + (unit % channels));
}

/** The largest of the inputs under a window, the first where several are. @param {Layer} layer @param {Numbers} x @param {number} unit */
const winner = (layer, x, unit) => pooled(layer, unit).reduce((best, i) => (x[i] > x[best] ? i : best));

/** A pool as a sum: the largest weighs 1 and the others 0. @type {Kind} */
const max = {
  sums(layer, x, z) {
    const { shape: [, , channels] } = layer;
    z.fill(-Infinity);
    for (let point = 0; point < pointsOf(layer); point++) {
      const count = lookUnder(layer, point);
      for (let k = 0; k < count; k++) {
        for (let c = 0; c < channels; c++) {
          const v = x[sources[k] * channels + c];
          if (v > z[point * channels + c]) z[point * channels + c] = v;
        }
      }
    }
  },
  each(layer, x, unit, visit) {
    const best = winner(layer, x, unit);
    for (const i of pooled(layer, unit)) visit(i, i === best ? 1 : 0, -1);
  },
  back(layer, x, dz, dw, db, dx) {
    const { shape: [, , channels] } = layer;
    for (let point = 0; dx && point < pointsOf(layer); point++) {
      const count = lookUnder(layer, point);
      for (let c = 0; c < channels; c++) {
        if (dz[point * channels + c] === 0) continue;
        let best = sources[0] * channels + c;
        for (let k = 1; k < count; k++) if (x[sources[k] * channels + c] > x[best]) best = sources[k] * channels + c;
        dx[best] += dz[point * channels + c];
      }
    }
  },
};

/** What lies outside is not counted, as in TensorFlow. @type {Kind} */
const average = {
  sums(layer, x, z) {
    const { shape: [, , channels] } = layer;
    for (let point = 0; point < pointsOf(layer); point++) {
      const count = lookUnder(layer, point);
      for (let k = 0; k < count; k++) {
        for (let c = 0; c < channels; c++) z[point * channels + c] += x[sources[k] * channels + c] / count;
      }
    }
  },
  each(layer, x, unit, visit) {
    const inputs = pooled(layer, unit);
    for (const i of inputs) visit(i, 1 / inputs.length, -1);
  },
  back(layer, x, dz, dw, db, dx) {
    if (!dx) return;
    dz.forEach((d, unit) => {
      const inputs = d ? pooled(layer, unit) : [];
      for (const i of inputs) dx[i] += d / inputs.length;
    });
  },
};

/** A factor and a summand for each channel: what BatchNormalization and Rescaling do to a prediction. @type {Kind} */
const scale = {
  sums({ shape: [, , channels], weights, bias }, x, z) {
    for (let k = 0; k < z.length; k++) z[k] = x[k] * weights[k % channels] + bias[k % channels];
  },
  each: ({ shape: [, , channels], weights }, x, unit, visit) => visit(unit, weights[unit % channels], unit % channels),
  back({ shape: [, , channels], weights }, x, dz, dw, db, dx) {
    for (let k = 0; k < dz.length; k++) {
      if (dw) dw[k % channels] += dz[k] * x[k];
      if (db) db[k % channels] += dz[k];
      if (dx) dx[k] = dz[k] * weights[k % channels];
    }
  },
};

/** A layer that is nothing but its activation. @type {Kind} */
const activation = {
  sums: (layer, x, z) => z.set(/** @type {any} */ (x)),
  each: (layer, x, unit, visit) => visit(unit, 1, -1),
  back: (layer, x, dz, dw, db, dx) => dx?.set(dz),
};

/** @type {Record<string, Kind>} */
export const KINDS = { dense: conv, conv, max, average, scale, activation };
