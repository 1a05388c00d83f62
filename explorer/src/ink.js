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
