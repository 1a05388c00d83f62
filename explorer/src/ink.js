/**
 * The drawing: strokes on a sheet of 112 x 112, and their bitmap. Rasterised here rather than by
 * the canvas, so that the same strokes give the same pixels everywhere.
 *
 * @typedef {{erase: boolean, points: number[][]}} Stroke
 */

import { clamp } from "./engine.js";

export const PAPER = 112;
const PEN = 5;
const RUBBER = 9;

/** Strokes as text: two base-36 digits a coordinate, "." between strokes, "-" before an eraser's. @param {Stroke[]} strokes */
export function encodeInk(strokes) {
  return strokes
    .map(({ erase, points }) => (erase ? "-" : "") + points.map((p) => p.map(pair).join("")).join(""))
    .join(".");
}

/** @param {number} v */
const pair = (v) => clamp(Math.round(v), PAPER - 1).toString(36).padStart(2, "0");

/** @param {string} text @returns {Stroke[]} */
export function decodeInk(text) {
  if (!text) return [];
  return text.split(".").map((part) => {
    const erase = part.startsWith("-");
    const digits = part.replace(/[^0-9a-z]/g, "");
    const points = [];
    for (let k = 0; k + 4 <= digits.length; k += 4) {
      points.push([parseInt(digits.slice(k, k + 2), 36), parseInt(digits.slice(k + 2, k + 4), 36)]);
    }
    return { erase, points };
  });
}

/** What was rasterised last: a stroke that grows only adds its new segments to it. */
const last = { text: "", ink: new Float64Array(PAPER * PAPER) };

/**
 * The bitmap of strokes given as text: 0 (ink) to 255 (paper), row by row.
 * @param {string} text
 */
export function rasterise(text) {
  const known = text.startsWith(last.text) ? decodeInk(last.text) : [];
  if (!known.length) last.ink = new Float64Array(PAPER * PAPER);
  decodeInk(text).forEach(({ erase, points }, s) => {
    const radius = erase ? RUBBER : PEN;
    for (let k = known[s]?.points.length ?? 0; k < points.length; k++) {
      segment(last.ink, points[Math.max(0, k - 1)], points[k], radius, erase);
    }
  });
  last.text = text;
  const bitmap = new Uint8Array(PAPER * PAPER);
  for (let k = 0; k < bitmap.length; k++) bitmap[k] = Math.round(255 * (1 - last.ink[k]));
  return bitmap;
}

/** How much of each cell of a grid a stroke covers: 0 to 1, row by row. @param {Stroke} stroke @param {number} side */
function coverage({ erase, points }, side) {
  const whole = new Float64Array(PAPER * PAPER);
  points.forEach((point, k) => segment(whole, points[Math.max(0, k - 1)], point, erase ? RUBBER : PEN, false));
  const cell = PAPER / side;
  const out = new Float64Array(side * side);
  for (let y = 0; y < PAPER; y++) {
    for (let x = 0; x < PAPER; x++) {
      const v = whole[y * PAPER + x];
      if (v === 0) continue;
      // A pixel of the sheet may lie across the border of two cells.
      for (const [row, high] of shares(y, cell)) {
        for (const [col, wide] of shares(x, cell)) if (row < side && col < side) out[row * side + col] += (v * high * wide) / (cell * cell);
      }
    }
  }
  return out.map((v) => Math.min(1, v));
}

/** The cells that a pixel lies in, and how much of it in each. @param {number} at @param {number} cell */
function shares(at, cell) {
  const first = Math.floor(at / cell);
  const inside = Math.min(1, (first + 1) * cell - at);
  return inside < 1 ? [[first, inside], [first + 1, 1 - inside]] : [[first, 1]];
}

/**
 * A digit of the data with strokes on it, at the network's own size: where no stroke went, its pixels stay.
 * @param {Float64Array} x  the network's input @param {string} text
 * @param {{side: number, order: string, low: number, high: number}} input
 */
export function drawOnto(x, text, { side, order, low, high }) {
  const out = x.slice();
  for (const stroke of decodeInk(text)) {
    coverage(stroke, side).forEach((cover, k) => {
      if (!cover) return;
      const at = order === "F" ? (k % side) * side + Math.floor(k / side) : k;
      out[at] = stroke.erase ? Math.min(out[at], high - cover * (high - low)) : Math.max(out[at], low + cover * (high - low));
    });
  }
  return out;
}

/**
 * A loaded picture with strokes on it: black ink, and the picture's own paper where it was erased.
 * @param {import("./prep.js").Picture} picture @param {string} text
 * @returns {import("./prep.js").Picture}
 */
export function drawOnPicture(picture, text) {
  const { rows, cols, channels, data } = picture;
  const out = Uint8Array.from(data);
  const paper = out.reduce((most, v) => Math.max(most, v), 0);
  const scale = PAPER / Math.max(rows, cols);
  const [down, right] = [(PAPER - rows * scale) / 2, (PAPER - cols * scale) / 2];
  for (const stroke of decodeInk(text)) {
    const cover = coverage(stroke, PAPER);
    for (let k = 0; k < rows * cols; k++) {
      const y = Math.floor(Math.floor(k / cols) * scale + down);
      const x = Math.floor((k % cols) * scale + right);
      const v = cover[y * PAPER + x];
      for (let c = 0; v && c < channels; c++) {
        const at = k * channels + c;
        out[at] = Math.round(stroke.erase ? Math.max(out[at], v * paper) : Math.min(out[at], 255 * (1 - v)));
      }
    }
  }
  return { rows, cols, channels, data: out };
}

/**
 * @param {Float64Array} ink @param {number[]} from @param {number[]} to
 * @param {number} radius @param {boolean} erase
 */
function segment(ink, [x0, y0], [x1, y1], radius, erase) {
  const reach = radius + 1;
  const left = Math.max(0, Math.floor(Math.min(x0, x1) - reach));
  const right = Math.min(PAPER - 1, Math.ceil(Math.max(x0, x1) + reach));
  const top = Math.max(0, Math.floor(Math.min(y0, y1) - reach));
  const bottom = Math.min(PAPER - 1, Math.ceil(Math.max(y0, y1) + reach));
  const dx = x1 - x0;
  const dy = y1 - y0;
  const length = dx * dx + dy * dy;
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const along = length ? clamp(((x - x0) * dx + (y - y0) * dy) / length, 1) : 0;
      const [u, v] = [x - x0 - along * dx, y - y0 - along * dy];
      const distance = Math.sqrt(u * u + v * v);
      const cover = clamp(radius + 0.5 - distance, 1);
      const k = y * PAPER + x;
      ink[k] = erase ? Math.min(ink[k], 1 - cover) : Math.max(ink[k], cover);
    }
  }
}
