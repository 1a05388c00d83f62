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
async function unpackPicture(text) {
  const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const { canvas, context } = await toCanvas(new Blob([bytes]));
  const { width: cols, height: rows } = canvas;
  const data = context.getImageData(0, 0, cols, rows).data.filter((_, k) => k % 4 < 3);
  return { rows, cols, channels: 3, data };
}

/**
 * The loaded picture. Unpacking takes a moment; until it is there the last digit stays.
 * @param {import("./store.js").Store} store @param {AbortSignal} gone
 * @param {() => void} changed @param {() => void} failed
 */
export function createPhoto(store, gone, changed, failed) {
  /** @type {{text: string, picture: Picture} | null} */
  let photo = null;
  let unpacking = "";
  return {
    picture: () => photo,
    async unpack() {
      const { photo: text } = store.state;
      if (!text || text === unpacking) return;
      unpacking = text;
      try {
        const picture = await unpackPicture(text);
        if (text !== unpacking || gone.aborted) return;
        photo = { text, picture };
        changed();
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        failed();
      }
    },
  };
}

/**
 * A digit of the data as a picture again: dark on white, small and away from the middle.
 * @param {Float64Array} image  row by row, 0 paper and 1 ink @param {number} side
 * @returns {Picture}
 */
export function onPaper(image, side) {
  const size = 72;
  const { data } = resize({ rows: side, cols: side, data: image }, size, size);
  const sheet = new Uint8Array(PAPER * PAPER).fill(255);
  data.forEach((v, k) => {
    const ink = clamp(v, 1);
    sheet[(30 + Math.floor(k / size)) * PAPER + 8 + (k % size)] = Math.round(255 * (1 - ink));
  });
  return { rows: PAPER, cols: PAPER, channels: 1, data: sheet };
}
