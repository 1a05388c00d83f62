/**
 * Pictures as text, small enough for the page's address, and text as pictures. The text is a JPEG
 * file: whoever opens the address has the same picture as the one who loaded it.
 *
 * @typedef {import("./prep.js").Picture} Picture
 */

import { clamp } from "./engine.js";
import { PAPER } from "./ink.js";
import { resize } from "./prep.js";

const LONGEST = 240;
const QUALITY = 0.7;

/** A file's picture on a canvas, on white where transparent. @param {Blob} file */
async function toCanvas(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(bitmap.width * scale);
  canvas.height = Math.ceil(bitmap.height * scale);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return { canvas, context };
}

/** A picture's text: base64 with - and _ for + and /. @param {Blob} file */
export async function packPicture(file) {
  const { canvas } = await toCanvas(file);
  const [, text] = canvas.toDataURL("image/jpeg", QUALITY).split(",");
  return text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

/** @param {string} text @returns {Promise<Picture>} */
export async function unpackPicture(text) {
  const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const { canvas, context } = await toCanvas(new Blob([bytes]));
  const { width: cols, height: rows } = canvas;
  const data = context.getImageData(0, 0, cols, rows).data.filter((_, k) => k % 4 < 3);
  return { rows, cols, channels: 3, data };
}

/**
 * A digit of the data as a picture again: dark on white, small and away from the middle.
 * @param {Float64Array} image  row by row @param {number} side @param {boolean} normalised
 * @returns {Picture}
 */
export function onPaper(image, side, normalised) {
  const size = 72;
  const { data } = resize({ rows: side, cols: side, data: image }, size, size);
  const sheet = new Uint8Array(PAPER * PAPER).fill(255);
  data.forEach((v, k) => {
    const ink = clamp(normalised ? v : v / 255, 1);
    sheet[(30 + Math.floor(k / size)) * PAPER + 8 + (k % size)] = Math.round(255 * (1 - ink));
  });
  return { rows: PAPER, cols: PAPER, channels: 1, data: sheet };
}
