/** Paints the network on its canvas: the input, the lines, the weight maps and feature maps. */

import { backward, isMap, nodesOf } from "../engine.js";
import { isPicture } from "./layout.js";
import { digit, largest, prepare, signedMaps, squares, trace, unrolled } from "../draw.js";
import { roll } from "../prep.js";
import { edgesInto, edgesOf, standFor, strongest } from "./edges.js";

const FAINT = 0.02;

/**
 * What the lines of a picture are: computed again only where digit, weights or kind differ.
 * @type {WeakMap<import("../app.js").Context, {key: string, edges: import("./edges.js").Edge[][], slopes?: import("../engine.js").Gradients}>}
 */
const kept = new WeakMap();

/** @param {import("../app.js").Context} ctx @param {import("../derive.js").Derived} d */
export function linesOf(ctx, d) {
  const key = [d.inputKey, d.weightsKey, d.state.edges, d.label].join();
  const last = kept.get(ctx);
  if (last?.key === key) return last;
  const slopes = d.state.edges === "gradient" && d.label >= 0 ? backward(d.layers, d.pass, d.label) : undefined;
  const lines = { key, slopes, edges: d.layers.map((_, l) => edgesInto(d, l, slopes?.z[l])) };
  kept.set(ctx, lines);
  return lines;
}

/**
 * @param {import("../app.js").Context} ctx @param {HTMLCanvasElement} canvas
 * @param {import("./layout.js").Plan} plan @param {import("../derive.js").Derived} d
 * @returns {string} what the lines are, for the note
 */
export function paintNetwork(ctx, canvas, plan, d) {
  const context = prepare(canvas, plan.width, plan.height);
  const colours = ctx.colours();
  const { say } = d.bundle;
  const { edges, slopes } = linesOf(ctx, d);
  const pointed = ctx.pointed();
  const lit = pointed ? litEdges(d, pointed, slopes) : [];
  d.layers.forEach((_, l) => paintEdges(context, plan, l, edges[l].filter(({ to }) => to % nodesOf(d.layers[l]) < d.place.shown[l]), colours, lit.length ? 0.25 : 1));
  for (const { l, found } of lit) paintEdges(context, plan, l, found, colours, 1, 2);
  paintInput(context, plan, d, colours, slopes);
  for (const { l, found } of lit) if (l === 0) paintPixels(context, plan, d, found.map(({ from }) => from), colours);
  if (pointed?.layer === -1) paintPixels(context, plan, d, [pointed.unit], colours);
  d.layers.forEach((_, l) => paintParts(context, plan, d, l, colours, slopes));
  const tiles = d.layers[0].kind === "dense" && isPicture(d.layers, 0, d.bundle.input) ? say("tiles") : "";
  if (d.state.edges !== "gradient") return tiles + say("lines");
  return slopes ? say("backwardNote", d.label) : say("askTarget");
}

/**
 * The lines that belong to what is pointed at: into and out of a unit, or out of a pixel.
 * @param {import("../derive.js").Derived} d @param {{layer: number, unit: number}} pointed @param {import("../engine.js").Gradients | undefined} slopes
 */
function litEdges(d, { layer, unit }, slopes) {
  const lit = [];
  if (layer >= 0 && unit < d.place.shown[layer]) {
    const found = standFor(d, layer, unit).flatMap((to) => edgesOf(d, layer, to, 40, slopes?.z[layer]));
    lit.push({ l: layer, found });
  }
  const next = layer + 1;
  if (next < d.layers.length && d.layers[next].kind === "dense" && !(layer >= 0 && isMap(d.layers[layer]))) {
    const { units, weights } = d.layers[next];
    const x = layer < 0 ? d.pass.x[unit] : d.pass.a[layer][unit];
    const values = Float64Array.from({ length: d.place.shown[next] }, (_, j) => {
      const w = weights[unit * units + j];
      return slopes ? x * slopes.z[next][j] : d.state.edges === "weight" ? w : w * x;
    });
    lit.push({ l: next, found: strongest(values, 12).map((to) => ({ from: unit, to, value: values[to] })) });
  }
  return lit;
}

/**
 * @param {CanvasRenderingContext2D} context @param {import("./layout.js").Plan} plan @param {number} l
 * @param {import("./edges.js").Edge[]} edges @param {import("../draw.js").Colours} colours @param {number} [dim] @param {number} [thick]
 */
function paintEdges(context, plan, l, edges, colours, dim = 1, thick = 1) {
  const top = edges.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0) || 1;
  for (const { from, to, value } of edges) {
    const size = Math.abs(value) / top;
    const [one, two] = [plan.at(l - 1, from), plan.at(l, to)];
    if (size >= FAINT && one && two) paintEdge(context, one, two, value, size, colours, dim, thick);
  }
}

/**
 * A line as thick as its value is large beside the largest; dashed where it is negative.
 * @param {CanvasRenderingContext2D} context @param {import("./layout.js").Point} one @param {import("./layout.js").Point} two
 * @param {number} value @param {number} size @param {import("../draw.js").Colours} colours @param {number} [dim] @param {number} [thick]
 */
export function paintEdge(context, one, two, value, size, colours, dim = 1, thick = 1) {
  trace(context, [[one.x, one.y], [two.x, two.y]], value > 0 ? colours.accent : colours.ink,
    (0.4 + 1.8 * size) * thick, Math.min(1, (0.08 + 0.5 * size) * dim * thick), value > 0 ? undefined : [3, 3]);
}

/**
 * @param {CanvasRenderingContext2D} context @param {import("./layout.js").Plan} plan @param {import("../derive.js").Derived} d
 * @param {import("../draw.js").Colours} colours @param {import("../engine.js").Gradients | undefined} slopes
 */
function paintInput(context, { image: { x, y, wide, high } }, d, colours, slopes) {
  const { input } = d.bundle;
  context.fillStyle = colours.surface;
  context.fillRect(x, y, wide, high);
  if (input.kind !== "image") paintBars(context, { x, y, wide, high }, d, colours);
  else if (slopes && input.side && input.channels === 1) {
    context.save();
    context.translate(x, y);
    squares(context, roll(slopes.input, input.side, input.order), wide, colours);
    context.restore();
  } else digit(context, d.image, d.bundle, wide, colours, x, y, high);
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.strokeRect(x - 0.5, y - 0.5, wide + 1, high + 1);
}

/** A table's row: a bar for each column, over the columns' own range. @param {CanvasRenderingContext2D} context @param {{x: number, y: number, wide: number, high: number}} box @param {import("../derive.js").Derived} d @param {import("../draw.js").Colours} colours */
export function paintBars(context, { x, y, wide, high }, d, colours) {
  const { columns } = d.bundle.input;
  const { low, high: most } = d.ranges();
  const step = high / columns.length;
  context.font = "12px system-ui, sans-serif";
  columns.forEach((name, k) => {
    const v = d.pass.x[k];
    const share = most[k] > low[k] ? (v - low[k]) / (most[k] - low[k]) : 0;
    context.fillStyle = colours.soft;
    context.fillRect(x + 4, y + k * step + step - 5, wide - 8, 3);
    context.fillStyle = colours.accent;
    context.fillRect(x + 4, y + k * step + step - 5, Math.max(1, share * (wide - 8)), 3);
    if (step < 15) return;
    context.fillStyle = colours.ink;
    context.fillText(`${name} ${Number(v.toPrecision(3))}`, x + 4, y + k * step + step - 8, wide - 8);
  });
}

/** Frames around pixels of the input. @param {CanvasRenderingContext2D} context @param {import("./layout.js").Plan} plan @param {import("../derive.js").Derived} d @param {number[]} which @param {import("../draw.js").Colours} colours */
function paintPixels(context, plan, d, which, colours) {
  const { input } = d.bundle;
  if (input.kind !== "image") return;
  const cell = plan.image.wide / input.cols;
  context.strokeStyle = colours.accent;
  context.lineWidth = 1.5;
  for (const k of which) {
    const spot = plan.at(-1, k);
    if (spot) context.strokeRect(spot.x - cell / 2, spot.y - cell / 2, cell, cell);
  }
}

/**
 * What a layer's parts show: a first dense layer's weights, other layers' maps of this digit.
 * @param {CanvasRenderingContext2D} context @param {import("./layout.js").Plan} plan @param {import("../derive.js").Derived} d @param {number} l
 * @param {import("../draw.js").Colours} colours @param {import("../engine.js").Gradients | undefined} slopes
 */
function paintParts(context, plan, d, l, colours, slopes) {
  const { size, square, parts } = plan.blocks[l];
  if (!square) return;
  const layer = d.layers[l];
  const { input } = d.bundle;
  const maps = isMap(layer);
  const from = maps ? (slopes ? slopes.z[l] : d.pass.a[l]) : d.pass.a[l];
  const top = largest(from) || 1;
  const nodes = nodesOf(layer);
  const [rows, cols] = maps ? layer.shape : [input.rows, input.cols];
  const spots = parts.flatMap((point, j) => (point ? [{ j, x: point.x - size / 2, y: point.y - size / 2, alpha: j < d.place.shown[l] && !layer.off?.has(j) ? 1 : 0.35 }] : []));
  context.fillStyle = colours.surface;
  for (const { x, y } of spots) context.fillRect(x, y, size, size);
  const how = { rows, cols, size, colours, name: layer.name };
  if (maps) return signedMaps(context, spots.filter(({ alpha }) => alpha === 1), { ...how, top: () => top }, (j, p) => from[p * nodes + j]);
  const place = unrolled(input.order, rows, cols);
  // The weights stay while one draws: so does their image.
  const key = [d.weightsKey, spots[0]?.j, colours.ink, colours.surface].join();
  signedMaps(context, spots, { ...how, key, top: (j) => largestWeight(layer, j) }, (j, p) => layer.weights[place(p) * nodes + j]);
  for (const { j, x, y } of spots.filter(({ alpha }) => alpha === 1)) {
    // How active the unit is, as a bar under what it looks for.
    context.fillStyle = colours.soft;
    context.fillRect(x, y + size - 4, size, 4);
    context.fillStyle = from[j] < 0 ? colours.ink : colours.accent;
    context.fillRect(x, y + size - 4, (Math.abs(from[j]) / top) * size, 4);
  }
}

/** @param {import("../engine.js").Layer} layer @param {number} unit */
function largestWeight({ weights, inputs, units }, unit) {
  let most = 0;
  for (let i = 0; i < inputs; i++) most = Math.max(most, Math.abs(weights[i * units + unit]));
  return most;
}
