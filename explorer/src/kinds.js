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
 * @property {(layer: Layer, x: Numbers, dz: Float64Array, dw: Float64Array, db: Float64Array, dx: Float64Array | null) => void} back
 *   adds to dw and db, and to dx where it is wanted, which is 0 before
 */

let inked = new Int32Array(1024);

/** Fills `inked` with the inputs that are not 0: most pixels are paper. @param {Numbers} x @param {number} size @returns {number} how many */
function findInked(x, size) {
  if (inked.length < size) inked = new Int32Array(size);
  let count = 0;
  for (let i = 0; i < size; i++) if (x[i] !== 0) inked[count++] = i;
  return count;
}

/**
 * Calls `visit(input point, tap)` for every point under the window of an output point; both are
 * counted row by row, without channels.
 * @param {Layer} layer @param {number} row @param {number} col @param {(from: number, tap: number) => void} visit
 */
function under({ from: [rows, cols], window: [h, w] = [1, 1], stride: [down, right] = [1, 1], pad: [top, left] = [0, 0] }, row, col, visit) {
  for (let u = 0; u < h; u++) {
    const r = row * down + u - top;
    if (r < 0 || r >= rows) continue;
    for (let v = 0; v < w; v++) {
      const c = col * right + v - left;
      if (c >= 0 && c < cols) visit(r * cols + c, u * w + v);
    }
  }
}

/** Every point of a layer's output, row by row. @param {Layer} layer @param {(point: number, row: number, col: number) => void} visit */
function points({ shape: [rows, cols] }, visit) {
  for (let row = 0; row < rows; row++) for (let col = 0; col < cols; col++) visit(row * cols + col, row, col);
}

/** @type {Kind} */
const dense = {
  sums({ inputs, units, weights, bias }, x, z) {
    z.set(bias);
    const count = findInked(x, inputs);
    let k = 0;
    // Four inputs at a time: a sum is then loaded and stored once for four terms.
    for (; k + 3 < count; k += 4) {
      const i0 = inked[k], i1 = inked[k + 1], i2 = inked[k + 2], i3 = inked[k + 3];
      const v0 = x[i0], v1 = x[i1], v2 = x[i2], v3 = x[i3];
      const r0 = i0 * units, r1 = i1 * units, r2 = i2 * units, r3 = i3 * units;
      for (let j = 0; j < units; j++) z[j] += v0 * weights[r0 + j] + v1 * weights[r1 + j] + v2 * weights[r2 + j] + v3 * weights[r3 + j];
    }
    for (; k < count; k++) {
      const v = x[inked[k]];
      const row = inked[k] * units;
      for (let j = 0; j < units; j++) z[j] += v * weights[row + j];
    }
  },
  each({ inputs, units, weights }, x, unit, visit) {
    for (let i = 0; i < inputs; i++) visit(i, weights[i * units + unit], i * units + unit);
  },
  back({ inputs, units, weights }, x, dz, dw, db, dx) {
    for (let j = 0; j < units; j++) db[j] += dz[j];
    const count = findInked(x, inputs);
    let k = 0;
    for (; k + 3 < count; k += 4) {
      const i0 = inked[k], i1 = inked[k + 1], i2 = inked[k + 2], i3 = inked[k + 3];
      const v0 = x[i0], v1 = x[i1], v2 = x[i2], v3 = x[i3];
      const r0 = i0 * units, r1 = i1 * units, r2 = i2 * units, r3 = i3 * units;
      for (let j = 0; j < units; j++) {
        const d = dz[j];
        dw[r0 + j] += v0 * d;
        dw[r1 + j] += v1 * d;
        dw[r2 + j] += v2 * d;
        dw[r3 + j] += v3 * d;
      }
    }
    for (; k < count; k++) {
      const v = x[inked[k]];
      const row = inked[k] * units;
      for (let j = 0; j < units; j++) dw[row + j] += v * dz[j];
    }
    if (!dx) return;
    for (let i = 0; i < inputs; i++) {
      let sum = 0;
      for (let j = 0; j < units; j++) sum += weights[i * units + j] * dz[j];
      dx[i] = sum;
    }
  },
};

/** @type {Kind} */
const conv = {
  sums(layer, x, z) {
    const { from: [, , ins], shape: [, , outs], weights, bias } = layer;
    points(layer, (point, row, col) => {
      const base = point * outs;
      z.set(bias, base);
      under(layer, row, col, (source, tap) => {
        for (let i = 0; i < ins; i++) {
          const v = x[source * ins + i];
          if (v === 0) continue;
          const k = (tap * ins + i) * outs;
          for (let o = 0; o < outs; o++) z[base + o] += v * weights[k + o];
        }
      });
    });
  },
  each(layer, x, unit, visit) {
    const { from: [, , ins], shape: [, cols, outs], weights } = layer;
    const [point, out] = [Math.floor(unit / outs), unit % outs];
    under(layer, Math.floor(point / cols), point % cols, (source, tap) => {
      for (let i = 0; i < ins; i++) {
        const at = (tap * ins + i) * outs + out;
        visit(source * ins + i, weights[at], at);
      }
    });
  },
  back(layer, x, dz, dw, db, dx) {
    const { from: [, , ins], shape: [, , outs], weights } = layer;
    points(layer, (point, row, col) => {
      const base = point * outs;
      let any = false;
      for (let o = 0; o < outs; o++) {
        db[o] += dz[base + o];
        any ||= dz[base + o] !== 0;
      }
      if (!any) return;
      under(layer, row, col, (source, tap) => {
        for (let i = 0; i < ins; i++) {
          const v = x[source * ins + i];
          const k = (tap * ins + i) * outs;
          if (v !== 0) for (let o = 0; o < outs; o++) dw[k + o] += v * dz[base + o];
          if (!dx) continue;
          let sum = 0;
          for (let o = 0; o < outs; o++) sum += weights[k + o] * dz[base + o];
          dx[source * ins + i] += sum;
        }
      });
    });
  },
};

/** The inputs under a pool's window. @param {Layer} layer @param {number} unit */
function pooled(layer, unit) {
  const { shape: [, cols, channels] } = layer;
  const point = Math.floor(unit / channels);
  /** @type {number[]} */
  const inputs = [];
  under(layer, Math.floor(point / cols), point % cols, (source) => inputs.push(source * channels + (unit % channels)));
  return inputs;
}

/** The largest of the inputs under a window, the first where several are. @param {Layer} layer @param {Numbers} x @param {number} unit */
const winner = (layer, x, unit) => pooled(layer, unit).reduce((best, i) => (x[i] > x[best] ? i : best));

/** A pool as a sum: the largest weighs 1 and the others 0. @type {Kind} */
const max = {
  sums(layer, x, z) {
    const { shape: [, , channels] } = layer;
    z.fill(-Infinity);
    points(layer, (point, row, col) => under(layer, row, col, (source) => {
      for (let c = 0; c < channels; c++) {
        const v = x[source * channels + c];
        if (v > z[point * channels + c]) z[point * channels + c] = v;
      }
    }));
  },
  each(layer, x, unit, visit) {
    const best = winner(layer, x, unit);
    for (const i of pooled(layer, unit)) visit(i, i === best ? 1 : 0, -1);
  },
  back(layer, x, dz, dw, db, dx) {
    if (dx) dz.forEach((d, unit) => d && (dx[winner(layer, x, unit)] += d));
  },
};

/** What lies outside is not counted, as in TensorFlow. @type {Kind} */
const average = {
  sums(layer, x, z) {
    const { shape: [, , channels] } = layer;
    points(layer, (point, row, col) => {
      let n = 0;
      under(layer, row, col, (source) => {
        n++;
        for (let c = 0; c < channels; c++) z[point * channels + c] += x[source * channels + c];
      });
      for (let c = 0; c < channels; c++) z[point * channels + c] /= n;
    });
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
      dw[k % channels] += dz[k] * x[k];
      db[k % channels] += dz[k];
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
export const KINDS = { dense, conv, max, average, scale, activation };
