/**
 * From a picture to the network's input, stage by stage: the twin of `explorer/prep.py`, which
 * explains the formulas. Every stage can be left out, to see what it is good for.
 *
 * @typedef {{rows: number, cols: number, channels: number, data: ArrayLike<number>}} Picture
 * @typedef {{rows: number, cols: number, data: Float64Array}} Grid
 * @typedef {{name: string, on: boolean, grid: Grid}} Stage
 */

import { clamp } from "./engine.js";

const FIELD = 28;
const BOX = 20;
const TILES = 8;
const BLANK = 24;

/** @param {number} rows @param {number} cols @returns {Grid} */
const grid = (rows, cols) => ({ rows, cols, data: new Float64Array(rows * cols) });

/** Half goes up, as floor(v + 0.5) in Python. @param {number} v */
const round = (v) => Math.floor(v + 0.5);

/** @param {Picture} picture @param {boolean} on */
function toGrey(picture, on) {
  const { rows, cols, channels, data } = picture;
  const out = grid(rows, cols);
  for (let k = 0; k < rows * cols; k++) {
    const at = k * channels;
    const alpha = channels === 4 ? data[at + 3] / 255 : 1;
    const value =
      channels === 1 || !on ? data[at] : 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
    out.data[k] = value * alpha + 255 * (1 - alpha);
  }
  return out;
}

/**
 * Least-squares plane c0 + c1 row + c2 col through points; a constant where they lie on a line.
 * @param {number[][]} points  [row, col, value]
 */
function fitPlane(points) {
  const n = points.length;
  const mean = [0, 1, 2].map((k) => points.reduce((sum, p) => sum + p[k], 0) / n);
  let rr = 0, rc = 0, cc = 0, rv = 0, cv = 0;
  for (const p of points) {
    const [r, c, v] = p.map((value, k) => value - mean[k]);
    rr += r * r;
    rc += r * c;
    cc += c * c;
    rv += r * v;
    cv += c * v;
  }
  const det = rr * cc - rc * rc;
  if (det < 1e-12) return [mean[2], 0, 0];
  const slopeR = (rv * cc - cv * rc) / det;
  const slopeC = (cv * rr - rv * rc) / det;
  return [mean[2] - slopeR * mean[0] - slopeC * mean[1], slopeR, slopeC];
}

/** The brightness of the paper under the ink: a plane. @param {Grid} grey */
function paperPlane(grey) {
  const { rows, cols, data } = grey;
  const tiles = Math.min(rows, cols) >= 2 * TILES ? TILES : 1;
  /** @type {number[][]} */
  const points = [];
  for (let i = 0; i < tiles; i++) {
    const top = Math.floor((i * rows) / tiles);
    const bottom = Math.floor(((i + 1) * rows) / tiles);
    for (let j = 0; j < tiles; j++) {
      const left = Math.floor((j * cols) / tiles);
      const right = Math.floor(((j + 1) * cols) / tiles);
      const values = new Float64Array((bottom - top) * (right - left));
      let n = 0;
      for (let r = top; r < bottom; r++) for (let c = left; c < right; c++) values[n++] = data[r * cols + c];
      // Most tiles of a sheet are bare paper: nothing to sort.
      if (values.some((v) => v !== values[0])) values.sort();
      points.push([(i + 0.5) / tiles, (j + 0.5) / tiles, values[Math.floor(0.75 * (n - 1))]]);
    }
  }
  const [a, b, c] = fitPlane(points);
  const paper = points.filter((p) => p[2] >= a + b * p[0] + c * p[1] - 20);
  return fitPlane(paper.length ? paper : points);
}

/** @param {Grid} grey @param {boolean} on */
function toInk(grey, on) {
  if (!on) return grey;
  const { rows, cols, data } = grey;
  const [a, b, c] = paperPlane(grey);
  const out = grid(rows, cols);
  let peak = 0;
  for (let r = 0; r < rows; r++) {
    for (let col = 0; col < cols; col++) {
      const k = r * cols + col;
      const paper = a + (b * (r + 0.5)) / rows + (c * (col + 0.5)) / cols;
      const ink = Math.max(0, paper - data[k]);
      out.data[k] = ink;
      if (ink > peak) peak = ink;
    }
  }
  if (peak < BLANK) return grid(rows, cols);
  for (let k = 0; k < out.data.length; k++) {
    out.data[k] = 255 * clamp((out.data[k] / peak - 0.2) / 0.6, 1);
  }
  return out;
}

/** @param {Grid} ink @param {boolean} on */
function cropToInk(ink, on) {
  const { rows, cols, data } = ink;
  let top = rows, bottom = -1, left = cols, right = -1;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      if (data[r * cols + c] < 64) continue;
      if (r < top) top = r;
      bottom = r;
      if (c < left) left = c;
      if (c > right) right = c;
    }
  }
  if (!on || bottom < 0) return ink;
  const out = grid(bottom - top + 1, right - left + 1);
  for (let r = 0; r < out.rows; r++) {
    for (let c = 0; c < out.cols; c++) out.data[r * out.cols + c] = data[(r + top) * cols + c + left];
  }
  return out;
}

/** Cubic convolution kernel, a = -0.5 (Keys 1981). @param {number} t */
function cubic(t) {
  const x = Math.abs(t);
  if (x <= 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

/**
 * Weights of one axis: out[i] = sum over taps of weight * in[index].
 * @param {number} from @param {number} to
 */
function taps(from, to) {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale - 0.5;
    const first = Math.floor(centre - 2 * stretch) + 1;
    const last = Math.ceil(centre + 2 * stretch) - 1;
    const list = [];
    let sum = 0;
    for (let k = first; k <= last; k++) {
      const weight = cubic((k - centre) / stretch);
      sum += weight;
      list.push({ index: clamp(k, from - 1), weight });
    }
    for (const tap of list) tap.weight /= sum;
    return list;
  });
}

/** Separable, antialiased bicubic resize. @param {Grid} source @param {number} rows @param {number} cols */
export function resize(source, rows, cols) {
  const half = grid(source.rows, cols);
  taps(source.cols, cols).forEach((list, c) => {
    for (let r = 0; r < source.rows; r++) {
      let sum = 0;
      for (const { index, weight } of list) sum += weight * source.data[r * source.cols + index];
      half.data[r * cols + c] = sum;
    }
  });
  const out = grid(rows, cols);
  taps(source.rows, rows).forEach((list, r) => {
    for (let c = 0; c < cols; c++) {
      let sum = 0;
      for (const { index, weight } of list) sum += weight * half.data[index * cols + c];
      out.data[r * cols + c] = sum;
    }
  });
  return out;
}

/** @param {Grid} digit @param {boolean} on */
function scaleToBox(digit, on) {
  const longest = Math.max(digit.rows, digit.cols);
  const rows = on ? Math.max(1, round((digit.rows * BOX) / longest)) : FIELD;
  const cols = on ? Math.max(1, round((digit.cols * BOX) / longest)) : FIELD;
  const out = resize(digit, rows, cols);
  out.data = out.data.map((v) => clamp(v, 255));
  return out;
}

/** @param {Grid} digit @param {boolean} on */
function centreByMass(digit, on) {
  const { rows, cols, data } = digit;
  let mass = 0, sumR = 0, sumC = 0;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      const v = data[r * cols + c];
      mass += v;
      sumR += v * r;
      sumC += v * c;
    }
  }
  const [cr, cc] = mass > 0 ? [sumR / mass, sumC / mass] : [(rows - 1) / 2, (cols - 1) / 2];
  const top = on ? clamp(round(FIELD / 2 - cr), FIELD - rows) : 0;
  const left = on ? clamp(round(FIELD / 2 - cc), FIELD - cols) : 0;
  const out = grid(FIELD, FIELD);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) out.data[(r + top) * FIELD + c + left] = data[r * cols + c];
  }
  return out;
}

/** @param {Grid} field @param {number} side @param {boolean} on */
function toSide(field, side, on) {
  if (on) return resize(field, side, side);
  const out = grid(side, side);
  const step = FIELD / side;
  for (let r = 0; r < side; r++) {
    const from = Math.floor((r + 0.5) * step) * FIELD;
    for (let c = 0; c < side; c++) out.data[r * side + c] = field.data[from + Math.floor((c + 0.5) * step)];
  }
  return out;
}

/**
 * The vector of a square image, column by column ("F") or row by row ("C").
 * @param {ArrayLike<number>} image  row by row @param {number} side @param {string} order
 */
function unroll(image, side, order) {
  const x = new Float64Array(side * side);
  for (let k = 0; k < x.length; k++) {
    x[k] = order === "F" ? image[(k % side) * side + Math.floor(k / side)] : image[k];
  }
  return x;
}

/** The square image of a vector: unrolling twice gives back the image. @param {ArrayLike<number>} x @param {number} side @param {string} order */
export const roll = unroll;

/**
 * What each stage makes of the one before. @type {Record<string, (now: any, on: boolean, input: {side: number, order: string}) => Grid>}
 */
const STAGES = {
  grey: toGrey,
  invert: toInk,
  crop: cropToInk,
  scale: scaleToBox,
  centre: centreByMass,
  resize: (field, on, { side }) => toSide(field, side, on),
  normalise: (digit, on) => (on ? { ...digit, data: digit.data.map((/** @type {number} */ v) => v / 255) } : digit),
  unroll: (digit, on, { side, order }) => (on ? digit : { ...digit, data: roll(unroll(digit.data, side, order === "F" ? "C" : "F"), side, order) }),
};

/** The stages' names, in their order. @param {number} side */
export const stageNames = (side) => Object.keys(STAGES).filter((name) => name !== "resize" || side !== FIELD);

/**
 * All stages of one picture.
 * @param {Picture} picture
 * @param {{side: number, order: string}} input
 * @param {(name: string) => boolean} [wanted]  which stages are on; all by default
 * @returns {{stages: Stage[], x: Float64Array}}
 */
export function preprocess(picture, input, wanted = () => true) {
  /** @type {any} */
  let now = picture;
  const stages = stageNames(input.side).map((name) => {
    const on = wanted(name);
    now = STAGES[name](now, on, input);
    return { name, on, grid: now };
  });
  return { stages, x: unroll(now.data, input.side, input.order) };
}
