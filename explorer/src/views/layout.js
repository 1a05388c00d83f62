/**
 * Where everything in the picture of the network is. A part is a unit of a dense layer or a map of
 * another; it is never smaller than a finger's target. What does not fit beside the rest is folded
 * into pages, and a network of many layers is wider than the page and scrolls in its own box.
 *
 * @typedef {import("../engine.js").Layer} Layer
 * @typedef {{x: number, y: number}} Point
 *
 * @typedef {object} Block  one layer
 * @property {number} left
 * @property {number} wide
 * @property {number} size  of a part
 * @property {number} room  for its name: up to halfway to its neighbours
 * @property {boolean} square  whether parts are pictures
 * @property {boolean} listed  whether a class and its probability stand beside each part
 * @property {number} first  the first part shown
 * @property {(Point | undefined)[]} parts  centres; those that are folded are left out
 *
 * @typedef {object} Plan
 * @property {number} width
 * @property {number} height
 * @property {{x: number, y: number, wide: number, high: number}} image
 * @property {Block[]} blocks
 * @property {(layer: number, unit: number) => Point | undefined} at  a unit's place; layer -1: the input
 */

import { clamp, isMap, nodesOf } from "../engine.js";
import { times } from "../dom.js";

const HIGH = 440;
const TOP = 56;
const LEAST = 25;
const GAP = 30;
const PITCHES = [46, 40, 34, 29, LEAST];
const ROUND = 32;
const LISTED = 26;
const ASIDE = 84;

/** Whether a layer's parts are pictures: weights that lie over an image, or maps. @param {Layer[]} layers @param {number} l @param {import("../bundle.js").Input} input */
export const isPicture = (layers, l, input) => isMap(layers[l]) || (l === 0 && layers[0].kind === "dense" && input.kind === "image" && input.channels === 1);

/**
 * Columns and rows of each layer's parts at a size.
 * @param {Layer[]} layers @param {number} high @param {number} pitch @param {import("../bundle.js").Input} input
 */
function grids(layers, high, pitch, input) {
  return layers.map((layer, l) => {
    const square = isPicture(layers, l, input);
    const listed = l === layers.length - 1 && nodesOf(layer) <= LISTED;
    const step = listed ? LEAST : square ? pitch : Math.min(pitch, ROUND);
    const most = Math.floor((high - TOP) / step);
    const count = nodesOf(layer);
    const cols = listed ? 1 : Math.ceil(count / most);
    return { square, listed, step, count, cols, rows: listed ? count : Math.min(most, Math.ceil(count / cols)) };
  });
}

/** @param {{cols: number, step: number}[]} found @param {number} aside */
const spread = (found, aside) => aside + found.reduce((sum, { cols, step }) => sum + cols * step + GAP, 0);

/**
 * @param {Layer[]} layers
 * @param {number} room  the box's width
 * @param {import("../bundle.js").Input} input
 * @param {{layer: number, unit: number}} open  the open unit is on the page that is shown
 * @returns {Plan}
 */
export function layOut(layers, room, input, open) {
  const classes = nodesOf(layers[layers.length - 1]);
  const most = classes <= LISTED ? Math.max(HIGH, TOP + LEAST * classes + 8) : HIGH;
  const wide = Math.round(clamp(room * 0.2, 170)) || 60;
  const right = classes <= LISTED ? ASIDE : 8;
  const aside = wide + right + 4;
  const tried = PITCHES.map((pitch) => grids(layers, most, pitch, input));
  const found = tried.find((one) => spread(one, aside) <= room) ?? fold(tried[tried.length - 1], Math.max(room, 600), aside);
  const width = Math.max(room, spread(found, aside));
  const free = (width - spread(found, aside)) / layers.length;
  // As high as the highest of it: what lies below comes the sooner into view.
  const high = Math.min(most, TOP + Math.max(tall(input, wide, most), ...found.map(({ rows, step }) => rows * step)) + 16);
  const middle = TOP + (high - TOP) / 2;
  const image = { x: 1, y: middle - tall(input, wide, high) / 2, wide, high: tall(input, wide, high) };
  let x = image.x + image.wide + GAP + free * 0.6;
  const blocks = found.map(({ square, listed, step, count, cols, rows }, l) => {
    const page = cols * rows;
    const part = open.layer === l ? open.unit % nodesOf(layers[l]) : 0;
    const first = Math.floor(part / page) * page;
    const shown = Math.min(page, count - first);
    const left = x;
    x += cols * step + GAP + free;
    const parts = times(count, (j) => {
      const k = j - first;
      if (k < 0 || k >= shown) return undefined;
      const inColumn = Math.min(rows, shown);
      return { x: left + (Math.floor(k / rows) + 0.5) * step, y: middle + ((k % rows) - (inColumn - 1) / 2) * step };
    });
    return { left, wide: cols * step, room: cols * step + GAP + free - 6, size: Math.min(step - 3, square ? 43 : 24), square, listed, first, parts };
  });
  return { width, height: high, image, blocks, at: (l, unit) => (l < 0 ? inImage(image, input, unit) : inBlock(blocks[l], layers[l], unit)) };
}

/** Fewer columns for the widest layers until all fit. @param {ReturnType<typeof grids>} found @param {number} room @param {number} aside */
function fold(found, room, aside) {
  let cols = Math.max(...found.map((one) => one.cols));
  const capped = () => found.map((one) => ({ ...one, cols: Math.min(one.cols, cols) }));
  while (cols > 1 && spread(capped(), aside) > room) cols--;
  return capped();
}

/** How tall the input is drawn. @param {import("../bundle.js").Input} input @param {number} wide @param {number} high */
const tall = ({ kind, rows, cols }, wide, high) => (kind === "image" ? (wide * rows) / cols : Math.min(high - TOP, Math.max(60, 22 * cols)));

/** @param {Plan["image"]} image @param {import("../bundle.js").Input} input @param {number} unit */
function inImage(image, { kind, rows, cols, channels, order }, unit) {
  if (kind !== "image") return { x: image.x + image.wide, y: image.y + ((unit + 0.5) / cols) * image.high };
  const k = Math.floor(unit / channels);
  const [row, col] = order === "F" ? [k % rows, Math.floor(k / rows)] : [Math.floor(k / cols), k % cols];
  return { x: image.x + ((col + 0.5) / cols) * image.wide, y: image.y + ((row + 0.5) / rows) * image.high };
}

/** @param {Block} block @param {Layer} layer @param {number} unit */
function inBlock({ parts, size }, layer, unit) {
  const [rows, cols, channels] = layer.shape;
  const centre = parts[unit % channels];
  if (!centre || rows * cols === 1) return centre;
  const point = Math.floor(unit / channels);
  return { x: centre.x + ((point % cols + 0.5) / cols - 0.5) * size, y: centre.y + ((Math.floor(point / cols) + 0.5) / rows - 0.5) * size };
}
