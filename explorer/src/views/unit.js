/** One unit's whole arithmetic: terms, running sum, bias, activation; every number can be checked. */

import { biasOf, isMap, nodesOf } from "../engine.js";
import { attr, button, checkbox, describe, h, heads, num, picture, range, row, scroller, segmented, signed, tableView, write } from "../dom.js";
import { largest, prepare, signedMaps, trace } from "../draw.js";
import { whyOf } from "./blame.js";
import { createGrip } from "./grip.js";
import { createSilence } from "./silence.js";
import { createWindow } from "./window.js";
import { sortedTerms, source, unitName } from "./terms.js";

const CHART = 96;
const FEW = 8;

/** What an activation does, with a number in it. @type {Record<string, (z: string, alpha: number) => string>} */
const FORMULA = {
  relu: (z) => `max(0, ${z})`,
  linear: () => "z",
  sigmoid: (z) => `1 / (1 + exp(−(${z})))`,
  tanh: (z) => `tanh(${z})`,
  elu: (z, alpha) => `${z} if above 0, else ${num(alpha, 2)} (exp(${z}) − 1)`,
  leaky_relu: (z, alpha) => `${z} if above 0, else ${num(alpha, 2)} · ${z}`,
  softmax: (z) => `exp(${z}) / sum`,
};

/** What the sum is called. @type {Record<string, string>} */
const SUM = { max: "z = largest x", average: "z = mean of x", scale: "z = factor · x + summand", activation: "z = x" };

/** @param {import("../app.js").Context} ctx @param {() => void} toWhy  the way to why the answer is what it is */
export function createUnit(ctx, toWhy) {
  const { store, bundle: { say } } = ctx;
  const title = ctx.heading();
  title.tabIndex = -1;
  const back = button("", toWhy);
  const sum = h("p.formula@formula");
  const gate = h("p.formula");
  const silence = createSilence(ctx);
  const windows = createWindow(ctx);
  const map = createMap(ctx);
  const chart = picture(".chart");
  const running = h("figure", chart, h("figcaption", say("runningLabel")));
  const by = segmented("Order of the terms", { size: "Largest first", place: "In place" }, (value) => store.set({ order: value }));
  const all = checkbox("every term", (on) => store.set({ all: on ? 1 : 0 }));
  const body = h("tbody", { on: {
    pointerover: (/** @type {Event} */ e) => pointAt(/** @type {any} */ (e.target).closest("tr")?.dataset.i),
    pointerleave: () => ctx.point(null),
    click: (/** @type {Event} */ e) => {
      const chosen = /** @type {any} */ (e.target).closest("button");
      if (chosen) grip.take(Number(chosen.dataset.at));
    },
    keydown: (/** @type {KeyboardEvent} */ e) => {
      const line = /** @type {any} */ (e.target).closest("tr");
      const to = { ArrowDown: line.nextElementSibling, ArrowUp: line.previousElementSibling }[e.key];
      if (!to) return;
      e.preventDefault();
      to.querySelector("button").focus();
    },
  } });
  const rest = h("p.note@rest");
  const table = scroller("Terms of the sum", h("table.terms", heads(["from", "x", "w", "w · x", "sum"]), body));
  const grip = createGrip(ctx);
  const pictureTable = tableView(say("termsTable"), () => {
    const d = ctx.now();
    const { x, inputs, weights, terms } = sortedTerms(d);
    const told = stage(d) !== "ahead";
    return { head: ["From", "x", "w", "w · x"], rows: Array.from(terms, (v, k) => [source(d, inputs[k]), num(x[inputs[k]]), num(weights[k]), told ? num(v) : "…"]) };
  });
  const node = h("section.unit-panel@unit", { "aria-label": "One unit's arithmetic" },
    h(".stack", h(".row", title, h("span.gap"), back), sum, gate, silence.node, grip.node, map.node, windows.node),
    h(".stack", running, h(".row", by.node, h("span.gap"), all.node), table, rest, pictureTable.node));
  let shown = "";

  /** @param {string | undefined} i  an input of the open unit */
  function pointAt(i) {
    if (i === undefined) return;
    const { layers, state: { layer } } = ctx.now();
    ctx.point({ layer: layer - 1, unit: layer ? Number(i) % nodesOf(layers[layer - 1]) : Number(i) });
  }

  return {
    node,
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      reveal();
      const key = [d.inputKey, d.weightsKey, d.label, JSON.stringify(d.place), d.state.layer, d.state.unit, d.state.order, d.state.all, ctx.widthOf(chart), ctx.colours().ink, JSON.stringify(ctx.pointed()), grip.key()].join();
      if (key === shown) return;
      shown = key;
      show(d);
    },
  };

  /** The formula comes into view, and as much of what is under it as leaves the network in sight. */
  function reveal() {
    if (!ctx.revealing) return;
    if (ctx.revealing === "focus") title.focus({ preventScroll: true });
    ctx.revealing = "";
    sum.scrollIntoView({ block: "nearest", behavior: ctx.motion.reduced() ? "auto" : "smooth" });
  }

  /** @param {import("../derive.js").Derived} d */
  function show(d) {
    const { state, layers, pass, place } = d;
    const layer = layers[state.layer];
    const found = sortedTerms(d);
    const { terms, order } = found;
    const at = stage(d);
    const walking = state.grain === "term" && place.terms >= 0;
    const count = at === "ahead" ? 0 : walking ? place.terms : terms.length;
    const sums = new Float64Array(terms.length + 1);
    order.forEach((k, n) => (sums[n + 1] = sums[n] + terms[k]));
    const total = sums[terms.length];
    const z = pass.z[state.layer][state.unit];
    const a = pass.a[state.layer][state.unit];
    const bias = biasOf(layer, state.unit);
    write(title, unitName(d));
    back.hidden = !place.answer;
    write(back, `↑ ${whyOf(d)}`);
    write(sum, formula());
    const shaped = FORMULA[layer.activation](num(z), layer.alpha ?? 1);
    const off = layer.off?.has(state.unit % nodesOf(layer));
    write(gate, at !== "whole" && at !== "gated" ? "a = ?" : off ? `${say("turnedOff")}: a = 0` : `a = ${shaped} = ${num(a)}`);
    silence.update(d);
    attr(sum, "data-lit", ctx.pointed()?.layer === state.layer && ctx.pointed()?.unit === state.unit % nodesOf(layer));
    for (const [name, value] of Object.entries({ z, sum: total, bias, a })) {
      if (at === "whole" || at === "gated") node.dataset[name] = String(value);
      else delete node.dataset[name];
    }
    windows.update(d, found, count);
    map.update(d);
    running.hidden = at === "ahead";
    describe(chart, say("running", num(sums[count])));
    paintRunning(chart, ctx.widthOf(chart), sums, count, at === "whole" ? z : 0, ctx.colours());
    by.update(state.order);
    all.update(Boolean(state.all));
    const from = state.all ? 0 : Math.max(0, walking ? Math.min(count, terms.length) - FEW : 0);
    const to = state.all ? terms.length : Math.min(terms.length, from + FEW);
    const hovered = ctx.pointed();
    grip.update(d, found);
    const held = grip.at();
    // One weight is reached by the Tab key, the others by arrows.
    const reached = order.slice(from, to).find((k) => found.at[k] === held) ?? order[from];
    fill(body, to - from, (cells, n) => {
      const k = order[from + n];
      const done = at !== "ahead" && from + n < count;
      const i = found.inputs[k];
      const [name, weight] = [source(d, i), num(found.weights[k])];
      const take = cells[2].firstChild;
      [name, num(found.x[i]), weight, done ? signed(terms[k]) : "…", done ? num(sums[from + n + 1]) : "…"].forEach((text, c) => write(c === 2 ? take : cells[c], text));
      take.disabled = held < 0;
      attr(take, "data-at", found.at[k]);
      attr(take, "tabindex", k === reached ? 0 : -1);
      attr(take, "aria-pressed", found.at[k] === held);
      describe(take, say("take", name, weight));
      const line = cells[0].parentElement;
      const nodes = state.layer ? nodesOf(layers[state.layer - 1]) : Infinity;
      attr(line, "data-i", i);
      attr(line, "data-done", done);
      attr(line, "data-lit", hovered?.layer === state.layer - 1 && hovered.unit === i % nodes);
    });
    const missing = terms.length - (to - from);
    rest.hidden = at === "ahead" || (at === "adding" && !from);
    write(rest, at === "adding"
      ? say("earlierTerms", from, signed(sums[from]))
      : missing
      ? say("moreTerms", missing, signed(total - (sums[to] - sums[from])), signed(bias))
      : say("allTerms", terms.length, signed(total), signed(bias)));
    pictureTable.update();

    function formula() {
      if (at === "ahead") return `${SUM[layer.kind] ?? "z = Σ w·x + b"} = ?`;
      if (at === "adding" && count < terms.length) return `Σ w·x so far = ${num(sums[count])}`;
      const b = at === "adding" ? "…" : `${num(Math.abs(bias))} = ${num(z)}`;
      if (!layer.bias.length) return `${SUM[layer.kind]} = ${num(z)}`;
      return `${SUM[layer.kind] ?? "z = Σ w·x + b"} = ${num(total)} ${bias < 0 ? "−" : "+"} ${b}`;
    }
  }
}

/**
 * How far the open unit is: nothing computed (ahead), terms being added (adding), all added (summed),
 * the bias too (biased), the activation (gated); whole where it is not being walked through.
 * @param {import("../derive.js").Derived} d
 */
function stage({ state, place, layers }) {
  if (state.grain === "term" && place.terms >= 0) {
    return place.phase === "activation" ? "gated" : place.phase === "bias" ? "biased" : "adding";
  }
  return state.unit % nodesOf(layers[state.layer]) < place.shown[state.layer] ? "whole" : "ahead";
}

/** Keep a body at `count` rows of five cells and let `each` write them. @param {HTMLElement} body @param {number} count @param {(cells: any[], at: number) => void} each */
function fill(body, count, each) {
  while (body.children.length > count) body.lastElementChild?.remove();
  while (body.children.length < count) body.append(row("", "", h("button.take"), "", ""));
  [...body.children].forEach((line, k) => each([...line.children], k));
}

/** The open map, large, to choose the point whose arithmetic is shown. @param {import("../app.js").Context} ctx */
function createMap(ctx) {
  const { store, bundle: { say } } = ctx;
  const SIDE = 168;
  const canvas = picture(".map");
  /** @param {number} row @param {number} col */
  const go = (row, col) => {
    const { layers, state } = ctx.now();
    const [rows, cols, channels] = layers[state.layer].shape;
    if (row >= 0 && col >= 0 && row < rows && col < cols) store.set({ unit: (row * cols + col) * channels + (state.unit % channels), t: -1 });
  };
  const where = () => {
    const { layers, state } = ctx.now();
    const [, cols, channels] = layers[state.layer].shape;
    const point = Math.floor(state.unit / channels);
    return [Math.floor(point / cols), point % cols];
  };
  const down = range("Row of the map", 0, 0, 1, (v) => go(v, where()[1]));
  const right = range("Column of the map", 0, 0, 1, (v) => go(where()[0], v));
  canvas.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const { layers, state } = ctx.now();
    const [rows, cols] = layers[state.layer].shape;
    const box = canvas.getBoundingClientRect();
    go(Math.floor(((event.clientY - box.top) / box.height) * rows), Math.floor(((event.clientX - box.left) / box.width) * cols));
  });
  const node = h("figure.map-figure", canvas, h("figcaption", say("mapSays")), h("label.row", h("span.label", "Row"), down.node), h("label.row", h("span.label", "Column"), right.node));
  return {
    node,
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const layer = d.layers[d.state.layer];
      node.hidden = !isMap(layer) || stage(d) === "ahead";
      if (node.hidden) return;
      const [rows, cols, channels] = layer.shape;
      const values = Float64Array.from({ length: rows * cols }, (_, p) => d.pass.a[d.state.layer][p * channels + (d.state.unit % channels)]);
      const context = prepare(canvas, SIDE, SIDE * (rows / cols));
      const colours = ctx.colours();
      signedMaps(context, [{ j: 0, x: 0, y: 0 }], { rows, cols, size: SIDE, colours, top: () => largest(values) }, (_, p) => values[p]);
      const [row, col] = where();
      context.strokeStyle = colours.ink;
      context.lineWidth = 2;
      context.strokeRect((col * SIDE) / cols, (row * SIDE) / cols, SIDE / cols, SIDE / cols);
      describe(canvas, `${say("mapSays")} ${unitName(d)}`);
      down.update(row, String(row), rows - 1);
      right.update(col, String(col), cols - 1);
    },
  };
}

/**
 * @param {HTMLCanvasElement} canvas @param {number} width @param {Float64Array} running @param {number} count @param {number} z
 * @param {import("../draw.js").Colours} colours
 */
function paintRunning(canvas, width, running, count, z, colours) {
  const context = prepare(canvas, width, CHART);
  const low = Math.min(0, z, ...running);
  const high = Math.max(0, z, ...running);
  const pad = 6;
  /** @param {number} v */
  const y = (v) => CHART - pad - ((v - low) / (high - low || 1)) * (CHART - 2 * pad);
  /** @param {number} k */
  const x = (k) => (k / (running.length - 1)) * (width - 8) + 2;
  trace(context, [[0, y(0)], [width, y(0)]], colours.line);
  const path = Array.from(running, (v, k) => [x(k), y(v)]);
  trace(context, path.slice(0, count + 1), colours.accent, 1.5);
  context.fillStyle = colours.accent;
  context.beginPath();
  context.arc(x(count), y(running[count]), 3, 0, 7);
  context.fill();
}
