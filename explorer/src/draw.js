/**
 * Pictures of numbers on a canvas. Positive is a filled square in the accent colour, negative a
 * hollow one: the sign can be seen without the colour.
 *
 * @typedef {{ink: string, muted: string, line: string, surface: string, accent: string, soft: string}} Colours
 */

import { clamp } from "./engine.js";

/**
 * The colours that the style sheet resolves to right now.
 * @param {HTMLElement} root
 * @returns {Colours}
 */
export function readColours(root) {
  const probe = document.createElement("span");
  // Where colours are forced, the probe still tells them apart.
  probe.className = "dlx-probe";
  root.append(probe);
  /** @type {any} */
  const found = {};
  for (const name of ["ink", "muted", "line", "surface", "accent", "soft"]) {
    probe.style.color = `var(--dlx-${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

/**
 * A canvas' context, its size in CSS pixels; the drawing is cleared.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height
 */
export function prepare(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, hgt] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== hgt) {
    canvas.width = w;
    canvas.height = hgt;
    canvas.style.aspectRatio = `${width} / ${height}`;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** @param {string} colour @returns {number[]} */
function rgb(colour) {
  const found = colour.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0];
  return colour.startsWith("color(") ? found.slice(-3).map((v) => 255 * v) : found;
}

/**
 * The images that are scaled onto each canvas, by name: making a new one takes longer than filling it.
 * @type {WeakMap<HTMLCanvasElement, Map<string, {image: HTMLCanvasElement, key: string}>>}
 */
const images = new WeakMap();

/** @param {HTMLCanvasElement} canvas @param {number} width @param {number} height @param {string} [name] */
function imageFor(canvas, width, height, name = "") {
  const all = images.get(canvas) ?? new Map();
  const kept = all.get(name) ?? { image: document.createElement("canvas"), key: "" };
  images.set(canvas, all.set(name, kept));
  const { image } = kept;
  if (image.width !== width || image.height !== height) [image.width, image.height, kept.key] = [width, height, ""];
  return kept;
}

/** @param {HTMLCanvasElement} to @param {ImageData} image */
const put = (to, image) => /** @type {CanvasRenderingContext2D} */ (to.getContext("2d")).putImageData(image, 0, 0);

/**
 * An image as ink on paper: `low` is paper, `high` ink.
 * @param {CanvasRenderingContext2D} context
 * @param {ArrayLike<number>} data  row by row
 * @param {{rows: number, cols: number, low: number, high: number, size: number, colours: Colours, smooth?: boolean, x?: number, y?: number}} how
 */
export function pixels(context, data, how) {
  const { rows, cols, low, high, size, colours, x = 0, y = 0 } = how;
  const [paper, ink] = [rgb(colours.surface), rgb(colours.ink)];
  const image = new ImageData(cols, rows);
  for (let k = 0; k < rows * cols; k++) {
    const v = clamp((data[k] - low) / (high - low || 1), 1);
    for (let c = 0; c < 3; c++) image.data[4 * k + c] = paper[c] + v * (ink[c] - paper[c]);
    image.data[4 * k + 3] = 255;
  }
  const { image: small } = imageFor(context.canvas, cols, rows);
  put(small, image);
  context.imageSmoothingEnabled = how.smooth ?? false;
  const scale = size / Math.max(rows, cols);
  const [w, hgt] = [cols * scale, rows * scale];
  context.drawImage(small, x + (size - w) / 2, y + (size - hgt) / 2, w, hgt);
}

/**
 * A network's input as a picture; a table's row as bars.
 * @param {CanvasRenderingContext2D} context
 * @param {ArrayLike<number>} image  row by row
 * @param {import("./bundle.js").Bundle} bundle @param {number} size  the longer side @param {Colours} colours @param {number} [x] @param {number} [y] @param {number} [high]  where it is not square
 */
export function digit(context, image, bundle, size, colours, x = 0, y = 0, high = size) {
  const { kind, rows, cols, low, high: ink } = bundle.input;
  if (kind === "image") return pixels(context, image, { rows, cols, low, high: ink, size: Math.max(size, high), colours, x: x - (Math.max(size, high) - size) / 2, y: y - (Math.max(size, high) - high) / 2 });
  const top = largest(image) || 1;
  context.fillStyle = colours.ink;
  for (let k = 0; k < cols; k++) {
    const tall = (Math.abs(image[k]) / top) * (size - 4);
    context.fillRect(x + (k / cols) * size + 1, y + size - tall - 2, Math.max(1, size / cols - 2), tall);
  }
}

/**
 * Numbers as small pixels, a picture for each spot: positive in the accent colour, negative in ink, each as
 * strong as it is large. All lie side by side in one image: putting each into one of its own takes longest.
 * @param {CanvasRenderingContext2D} context
 * @param {{j: number, x: number, y: number, alpha?: number}[]} spots
 * @param {{rows: number, cols: number, size: number, colours: Colours, top: (j: number) => number, name?: string, key?: string}} how
 *   with a key the image is kept while the key stays the same
 * @param {(j: number, p: number) => number} at  picture j's number at point p, row by row
 */
export function signedMaps(context, spots, { rows, cols, size, colours, top, name = "", key = "" }, at) {
  if (!spots.length) return;
  const wide = spots.length * cols;
  const kept = imageFor(context.canvas, wide, rows, name);
  if (!key || kept.key !== key) {
    kept.key = key;
    const [paper, plus, minus] = [rgb(colours.surface), rgb(colours.accent), rgb(colours.ink)];
    const image = new ImageData(wide, rows);
    spots.forEach(({ j }, n) => {
      const most = top(j) || 1;
      for (let p = 0; p < rows * cols; p++) {
        const value = at(j, p);
        const v = Math.min(1, Math.abs(value) / most);
        const to = value > 0 ? plus : minus;
        const k = 4 * (Math.floor(p / cols) * wide + n * cols + (p % cols));
        for (let c = 0; c < 3; c++) image.data[k + c] = paper[c] + v * (to[c] - paper[c]);
        image.data[k + 3] = 255;
      }
    });
    put(kept.image, image);
  }
  context.imageSmoothingEnabled = false;
  const scale = size / Math.max(rows, cols);
  const [w, hgt] = [cols * scale, rows * scale];
  spots.forEach(({ x, y, alpha = 1 }, n) => {
    context.globalAlpha = alpha;
    context.drawImage(kept.image, n * cols, 0, cols, rows, x + (size - w) / 2, y + (size - hgt) / 2, w, hgt);
  });
  context.globalAlpha = 1;
}

/** The image's point at each point of an input that is unrolled column by column ("F") or row by row. @param {string} order @param {number} rows @param {number} cols */
export const unrolled = (order, rows, cols) => (/** @type {number} */ p) => (order === "F" ? (p % cols) * rows + Math.floor(p / cols) : p);

/**
 * A line through points.
 * @param {CanvasRenderingContext2D} context @param {number[][]} points
 * @param {string} colour @param {number} [width] @param {number} [alpha] @param {number[]} [dash]
 */
export function trace(context, points, colour, width = 1, alpha = 1, dash) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.globalAlpha = alpha;
  if (dash) context.setLineDash(dash);
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
  context.globalAlpha = 1;
  if (dash) context.setLineDash([]);
}

/** The largest size among numbers. @param {ArrayLike<number>} data */
export function largest(data) {
  let most = 0;
  for (let k = 0; k < data.length; k++) most = Math.max(most, Math.abs(data[k]));
  return most;
}

/**
 * A square for each number, its side by the number's size (Hinton's diagram).
 * @param {CanvasRenderingContext2D} context
 * @param {ArrayLike<number>} data  row by row
 * @param {number} size @param {Colours} colours
 * @param {{top?: number, cols?: number, dim?: (k: number) => boolean}} [how]  what fills a square, by default the largest; how many lie side by side, by default as many as under each other
 */
export function squares(context, data, size, colours, { top = largest(data), cols = Math.sqrt(data.length), dim } = {}) {
  const cell = size / cols;
  context.lineWidth = 1;
  for (let k = 0; k < data.length; k++) {
    const share = Math.sqrt(Math.min(1, Math.abs(data[k]) / (top || 1)));
    const width = share * (cell - 1);
    if (width < 0.8) continue;
    context.globalAlpha = dim?.(k) ? 0.18 : 1;
    const x = (k % cols) * cell + (cell - width) / 2;
    const y = Math.floor(k / cols) * cell + (cell - width) / 2;
    if (data[k] > 0) {
      context.fillStyle = colours.accent;
      context.fillRect(x, y, width, width);
    } else if (width > 2) {
      context.strokeStyle = colours.ink;
      context.strokeRect(x + 0.5, y + 0.5, width - 1, width - 1);
    } else {
      context.fillStyle = colours.muted;
      context.fillRect(x, y, width, width);
    }
  }
  context.globalAlpha = 1;
}
