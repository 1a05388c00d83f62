/**
 * What the kinds of layer do with what comes in: their sums, their terms, and the way back.
 *
 * @typedef {import("./engine.js").Layer} Layer
 * @typedef {ArrayLike<number>} Numbers
 *
 * @typedef {object} Kind
 * @property {(layer: Layer, x: Numbers, z: Float64Array) => void} sums  writes z
 * @property {(layer: Layer, x: Numbers, unit: number) => {inputs: number[], at: number[], weights: number[]}} taps
 * @property {(layer: Layer, x: Numbers, dz: Float64Array, dw: Float64Array, db: Float64Array, dx: Float64Array | null) => void} back
 *   adds to dw and db, and to dx where it is wanted
 */

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
    for (let i = 0; i < inputs; i++) {
      const v = x[i];
      if (v === 0) continue;
      const row = i * units;
      for (let j = 0; j < units; j++) z[j] += v * weights[row + j];
    }
  },
  taps({ inputs, units, weights }, x, unit) {
    const every = Array.from({ length: inputs }, (_, i) => i);
    const at = every.map((i) => i * units + unit);
    return { inputs: every, at, weights: at.map((k) => weights[k]) };
  },
  back({ inputs, units, weights }, x, dz, dw, db, dx) {
    for (let j = 0; j < units; j++) db[j] += dz[j];
    for (let i = 0; i < inputs; i++) {
      const v = x[i];
      const row = i * units;
      if (v !== 0) for (let j = 0; j < units; j++) dw[row + j] += v * dz[j];
      if (!dx) continue;
      let sum = 0;
      for (let j = 0; j < units; j++) sum += weights[row + j] * dz[j];
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
  taps(layer, x, unit) {
    const { from: [, , ins], shape: [, cols, outs], weights } = layer;
    const [point, out] = [Math.floor(unit / outs), unit % outs];
    /** @type {number[]} */
    const inputs = [];
    /** @type {number[]} */
    const at = [];
    under(layer, Math.floor(point / cols), point % cols, (source, tap) => {
      for (let i = 0; i < ins; i++) {
        inputs.push(source * ins + i);
        at.push((tap * ins + i) * outs + out);
      }
    });
    return { inputs, at, weights: at.map((k) => weights[k]) };
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
  taps(layer, x, unit) {
    const inputs = pooled(layer, unit);
    const best = winner(layer, x, unit);
    return { inputs, at: inputs.map(() => -1), weights: inputs.map((i) => (i === best ? 1 : 0)) };
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
  taps(layer, x, unit) {
    const inputs = pooled(layer, unit);
    return { inputs, at: inputs.map(() => -1), weights: inputs.map(() => 1 / inputs.length) };
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
  taps: ({ shape: [, , channels], weights }, x, unit) =>
    ({ inputs: [unit], at: [unit % channels], weights: [weights[unit % channels]] }),
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
  taps: (layer, x, unit) => ({ inputs: [unit], at: [-1], weights: [1] }),
  back: (layer, x, dz, dw, db, dx) => dx?.set(dz),
};

/** @type {Record<string, Kind>} */
export const KINDS = { dense, conv, max, average, scale, activation };
