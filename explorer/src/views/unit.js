/** One unit's whole arithmetic: terms, running sum, bias, activation; every number can be checked. */

import { contributions } from "../engine.js";
import { attr, button, checkbox, describe, h, heads, num, picture, range, row, scroller, segmented, signed, tableView, times, write } from "../dom.js";
import { parseEdits } from "../derive.js";
import { prepare, squares, trace } from "../draw.js";
import { roll } from "../prep.js";

const SIDE = 168;
const CHART = 96;
const FEW = 8;

/** What an activation does, with a number in it. @type {Record<string, (z: string) => string>} */
const FORMULA = {
  relu: (z) => `max(0, ${z})`,
  linear: (z) => `${z}`,
  sigmoid: (z) => `1 / (1 + exp(−(${z})))`,
  tanh: (z) => `tanh(${z})`,
  softmax: (z) => `exp(${z}) / sum`,
};

/** A unit's terms in the chosen order. @param {import("../derive.js").Derived} d */
export function sortedTerms(d) {
  const { layers, pass, state } = d;
  const x = state.layer ? pass.a[state.layer - 1] : pass.x;
  const terms = contributions(layers[state.layer], x, state.unit);
  const order = Array.from(terms, (_, i) => i);
  if (state.order === "size") order.sort((a, b) => Math.abs(terms[b]) - Math.abs(terms[a]) || a - b);
  return { x, terms, order };
}

/** @param {import("../app.js").Context} ctx */
export function createUnit(ctx) {
  const { store, bundle } = ctx;
  const { input: { side, order }, say } = bundle;
  const title = ctx.heading();
  const sum = h("p.formula@formula");
  const gate = h("p.formula");
  const left = picture();
  const right = picture();
  const pictures = h(".pictures",
    h("figure", left, h("figcaption", say("looksFor"))),
    h("figure", right, h("figcaption", say("found"))));
  const chart = picture(".chart");
  const by = segmented("Order of the terms", { size: "Largest first", place: "In place" }, (value) => store.set({ order: value }));
  const all = checkbox("every term", (on) => store.set({ all: on ? 1 : 0 }));
  const body = h("tbody");
  const rest = h("p.note@rest");
  const table = scroller("Terms of the sum", h("table.terms", heads(["from", "x", "w", "w · x", "sum"]), body));
  const grip = createGrip(ctx);
  const pictureTable = tableView(say("termsTable"), () => {
    const d = ctx.now();
    const { x, terms } = sortedTerms(d);
    const layer = d.layers[d.state.layer];
    return {
      head: ["From", "x", "w", "w · x"],
      rows: Array.from(terms, (v, i) => [source(d, i), num(x[i]), num(layer.weights[i * layer.units + d.state.unit]), num(v)]),
    };
  });
  const node = h("section.unit-panel@unit", { "aria-label": "One unit's arithmetic" },
    title, sum, gate, pictures, chart, h(".row", by.node, h("span.gap"), all.node), table, rest, grip.node, pictureTable.node);

  /** Where a term comes from. @param {import("../derive.js").Derived} d @param {number} i */
  function source(d, i) {
    if (d.state.layer) return `${d.layers[d.state.layer - 1].name} unit ${i}`;
    return order === "F" ? `row ${i % side}, col ${Math.floor(i / side)}` : `row ${Math.floor(i / side)}, col ${i % side}`;
  }

  return {
    node,
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const { state, layers, pass, place } = d;
      const layer = layers[state.layer];
      const { x, terms, order: sequence } = sortedTerms(d);
      const walking = state.grain === "term" && place.terms >= 0;
      const count = walking ? place.terms : terms.length;
      const running = new Float64Array(terms.length + 1);
      sequence.forEach((i, k) => (running[k + 1] = running[k] + terms[i]));
      const total = running[terms.length];
      const z = pass.z[state.layer][state.unit];
      const a = pass.a[state.layer][state.unit];
      const bias = layer.bias[state.unit];
      write(title, `${layer.name}, unit ${state.unit}`);
      const biased = !walking || place.phase !== "term";
      const gated = !walking || place.phase === "activation";
      write(sum, count < terms.length
        ? `Σ w·x so far = ${num(running[count])}`
        : `z = Σ w·x + b = ${num(total)} ${bias < 0 ? "−" : "+"} ${biased ? `${num(Math.abs(bias))} = ${num(z)}` : "…"}`);
      write(gate, gated ? `a = ${FORMULA[layer.activation](num(z))} = ${num(a)}` : "a = …");
      Object.assign(node.dataset, { z, sum: total, bias, a });
      const colours = ctx.colours();
      const isImage = state.layer === 0;
      pictures.hidden = !isImage;
      if (isImage) {
        const weights = times(layer.inputs, (i) => layer.weights[i * layer.units + state.unit]);
        const reached = new Set(walking ? sequence.slice(0, count) : []);
        const at = roll(times(layer.inputs, (i) => i), side, order);
        squares(prepare(left, SIDE, SIDE), roll(weights, side, order), SIDE, colours);
        squares(prepare(right, SIDE, SIDE), roll(terms, side, order), SIDE, colours, { dim: walking ? (k) => !reached.has(at[k]) : undefined });
        describe(left, say("looksForSays", num(Math.min(...weights)), num(Math.max(...weights))));
        describe(right, say("foundSays", num(Math.min(...terms)), num(Math.max(...terms))));
      }
      describe(chart, say("running", num(running[count])));
      paintRunning(chart, ctx.widthOf(chart), running, count, z, colours);
      by.update(state.order);
      all.update(Boolean(state.all));
      const from = state.all ? 0 : Math.max(0, walking ? Math.min(count, terms.length) - FEW : 0);
      const to = state.all ? terms.length : Math.min(terms.length, from + FEW);
      fill(body, to - from, (cells, at) => {
        const i = sequence[from + at];
        const w = layer.weights[i * layer.units + state.unit];
        [source(d, i), num(x[i]), num(w), signed(terms[i]), num(running[from + at + 1])].forEach((text, k) => write(cells[k], text));
        const line = cells[0].parentElement;
        attr(line, "data-i", i);
        attr(line, "data-done", !walking || from + at < count);
      });
      const missing = terms.length - (to - from);
      const remainder = total - (running[to] - running[from]);
      write(rest, missing
        ? say("moreTerms", missing, signed(remainder), signed(bias))
        : say("allTerms", terms.length, signed(total), signed(bias)));
      grip.update(d, sequence[0], source);
      pictureTable.update();
    },
  };
}

/** Keep a body at `count` rows of five cells and let `each` write them. @param {HTMLElement} body @param {number} count @param {(cells: any[], at: number) => void} each */
function fill(body, count, each) {
  while (body.children.length > count) body.lastElementChild?.remove();
  while (body.children.length < count) body.append(row("", "", "", "", ""));
  [...body.children].forEach((line, k) => each([...line.children], k));
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
  trace(context, path.slice(count), colours.muted, 1.5, 0.35);
  trace(context, path.slice(0, count + 1), colours.accent, 1.5);
  context.fillStyle = colours.accent;
  context.beginPath();
  context.arc(x(count), y(running[count]), 3, 0, 7);
  context.fill();
}

/** Take hold of one weight and change it. @param {import("../app.js").Context} ctx */
function createGrip(ctx) {
  const { store } = ctx;
  let input = 0;
  let held = -1;
  const label = h("span");
  const value = h("output.num");
  const slider = range(null, -2, 2, 0.01, (value) => {
    held = input;
    const { layer, unit } = ctx.now().state;
    const others = parseEdits(store.state.edits).filter((e) => e.layer !== layer || e.input !== input || e.unit !== unit);
    store.set({ edits: [...others, { layer, input, unit, value }].map((e) => `${e.layer}_${e.input}_${e.unit}_${e.value}`).join("~") });
  });
  const next = button("Another", () => { held = -2; ctx.refresh(); });
  let rank = 0;
  let shown = "";
  return {
    node: h(".grip@grip", h("label", label, slider.node), value, next),
    /** @param {import("../derive.js").Derived} d @param {number} strongest @param {(d: import("../derive.js").Derived, i: number) => string} source */
    update(d, strongest, source) {
      const layer = d.layers[d.state.layer];
      const key = `${d.state.layer}.${d.state.unit}`;
      if (shown !== key) {
        shown = key;
        held = -1;
        rank = 0;
      }
      if (held === -2) {
        rank++;
        held = sortedTerms(d).order[rank % layer.inputs];
      }
      input = held >= 0 ? held : strongest;
      const w = layer.weights[input * layer.units + d.state.unit];
      write(label, ctx.bundle.say("change", source(d, input)));
      slider.update(Number(w.toFixed(2)));
      write(value, num(w, 2));
    },
  };
}
