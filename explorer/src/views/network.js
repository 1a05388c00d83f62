/** Every unit of the network: buttons for the units, a canvas below them for the lines. */

import { clamp } from "../engine.js";
import { ARROWS, attr, describe, h, num, percent, segmented, tableView, times, whole, write } from "../dom.js";
import { digit, largest, prepare, trace } from "../draw.js";
import { createBlame } from "./blame.js";
import { createTransport } from "./transport.js";
import { createUnit } from "./unit.js";

const HEIGHT = 470;
const TOP = 26;
const LINES = 400;
const TALL = 32;

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createNetworkPanel(ctx) {
  const transport = createTransport(ctx);
  const network = createNetwork(ctx);
  const unit = createUnit(ctx);
  const blame = createBlame(ctx);
  return {
    node: h(".network-panel",
      transport.node,
      h(".split", h(".stack", network.node, blame.node), unit.node)),
    update(d) {
      transport.update(d);
      network.update(d);
      unit.update(d);
      blame.node.hidden = !d.place.answer || d.input.blank;
      blame.update(d);
    },
  };
}

/**
 * Where everything is, for a given width.
 * @param {import("../engine.js").Layer[]} layers @param {number} width
 */
function layOut(layers, width) {
  const image = Math.round(Math.min(130, width * 0.24));
  const right = Math.min(76, width * 0.19);
  const blocks = layers.map((layer) => {
    const cols = Math.ceil(layer.units / TALL);
    const rows = Math.ceil(layer.units / cols);
    const pitch = Math.min(34, (HEIGHT - TOP - 8) / rows, cols > 1 ? 13 : 34);
    return { cols, rows, pitch, size: Math.min(22, pitch - 3) };
  });
  const from = image + 30;
  const to = width - right - 14;
  const used = blocks.reduce((sum, b) => sum + b.cols * b.pitch, 0);
  const gap = (to - from - used) / Math.max(1, layers.length - 0.5);
  let x = from + gap * 0.5;
  const middle = TOP + (HEIGHT - TOP) / 2;
  const units = layers.map((layer, l) => {
    const { cols, rows, pitch } = blocks[l];
    const left = x;
    x += cols * pitch + gap;
    return times(layer.units, (j) => ({
      x: left + (Math.floor(j / rows) + 0.5) * pitch,
      y: middle + ((j % rows) - (rows - 1) / 2) * pitch,
    }));
  });
  return { image, imageY: middle - image / 2, blocks, units, middle };
}

/** @param {import("../app.js").Context} ctx */
function createNetwork(ctx) {
  const { store, bundle } = ctx;
  const { say } = bundle;
  const canvas = h("canvas", { "aria-hidden": "true" });
  const stage = h(".stage", { style: `height:${HEIGHT}px`, role: "group", "aria-label": say("stage") }, canvas);
  const note = h("p.note");
  const edges = segmented("Lines", { signal: "Signal", weight: "Weights" }, (value) => store.set({ edges: value }));
  const table = tableView(say("unitsTable"), () => {
    const { layers, pass } = ctx.now();
    return {
      head: ["Unit", "z", "Activation"],
      rows: layers.flatMap((layer, l) => Array.from(pass.z[l], (z, j) => [`${layer.name} unit ${j}`, num(z), num(pass.a[l][j])])),
    };
  });
  const key = h("p.key",
    h("span.swatch"), "positive ", h("span.swatch.neg"), "negative ",
    h("span.mark", "×"), say("dead"), h("span.mark", "∙"), "always on");
  /** @type {any[][]} */
  let buttons = [];
  /** @type {any[]} */
  let outputs = [];
  let built = "";
  let painted = "";
  let width = 0;
  /** @type {ReturnType<typeof layOut>} */
  let plan;

  /** @param {import("../derive.js").Derived} d */
  function build(d) {
    plan = layOut(d.layers, width);
    stage.replaceChildren(canvas);
    buttons = d.layers.map((layer, l) => {
      const { size } = plan.blocks[l];
      const block = h(".layer-name", { style: `left:${(plan.units[l][0].x + (plan.units[l].at(-1)?.x ?? 0)) / 2}px` },
        h("b", layer.name), h("span", ` ${layer.activation}`));
      stage.append(block);
      return plan.units[l].map(({ x, y }, j) => {
        const node = h("button", {
          class: "dlx-unit",
          tabindex: -1,
          style: `left:${x - size / 2}px;top:${y - size / 2}px;width:${size}px;height:${size}px`,
          on: { click: () => ctx.openUnit(l, j), keydown: (/** @type {KeyboardEvent} */ e) => walk(e, l, j) },
        });
        stage.append(node);
        return node;
      });
    });
    outputs = plan.units[d.layers.length - 1].map(({ x, y }, k) => {
      const value = h("span.num");
      const node = h(".output", { style: `left:${x + plan.blocks[d.layers.length - 1].size / 2 + 8}px;top:${y}px` }, h("b", k), value);
      stage.append(node);
      return { node, value };
    });
  }

  /** @param {KeyboardEvent} event @param {number} l @param {number} j */
  function walk(event, l, j) {
    const to = ARROWS[event.key];
    if (!to) return;
    event.preventDefault();
    const layer = clamp(l + to[0], buttons.length - 1);
    const share = to[0] ? Math.floor(((j + 0.5) / buttons[l].length) * buttons[layer].length) : j + to[1];
    const unit = clamp(share, buttons[layer].length - 1);
    ctx.openUnit(layer, unit);
    buttons[layer][unit].tabIndex = 0;
    buttons[layer][unit].focus();
  }

  return {
    node: h(".network@network", stage, h(".row", edges.node, h("span.gap")), key, note, table.node),
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const measured = ctx.widthOf(stage);
      if (!measured) return;
      const shape = `${measured}|${d.state.model}`;
      if (shape !== built) {
        width = measured;
        build(d);
        built = shape;
      }
      const drawn = [shape, d.inputKey, d.weightsKey, d.place.shown, d.place.answer, d.state.layer, d.state.unit, d.state.edges, !d.counted(), ctx.colours().ink].join();
      if (drawn === painted) return;
      painted = drawn;
      edges.update(d.state.edges);
      const { place, pass, layers, state } = d;
      // The habits take a pass over all digits: the first picture does not wait for it.
      const counted = d.counted();
      if (!counted) ctx.later(() => d.statistics());
      const habits = counted?.habits ?? layers.map((layer) => new Array(layer.units).fill(""));
      const input = prepare(canvas, width, HEIGHT);
      const colours = ctx.colours();
      const cut = paintLines(input, d, plan, colours);
      digit(input, d.image, bundle, plan.image, colours, 0.5, plan.imageY);
      input.strokeStyle = colours.line;
      input.lineWidth = 1;
      input.strokeRect(0.5, Math.round(plan.imageY) - 0.5, plan.image, plan.image);
      layers.forEach((layer, l) => {
        const top = largest(pass.a[l]) || 1;
        buttons[l].forEach((node, j) => {
          const a = pass.a[l][j];
          const open = l === state.layer && j === state.unit;
          const shown = j < place.shown[l];
          node.style.setProperty("--a", (shown ? Math.abs(a) / top : 0).toFixed(3));
          attr(node, "data-shown", shown);
          attr(node, "data-sign", shown && a < 0 ? "-" : "");
          attr(node, "data-habit", habits[l][j]);
          attr(node, "aria-pressed", open);
          describe(node, `${layer.name} unit ${j}, ${shown ? num(a, 2) : "not computed yet"} ${habits[l][j]}`);
          if (node.tabIndex !== (open ? 0 : -1)) node.tabIndex = open ? 0 : -1;
        });
      });
      outputs.forEach(({ node, value }, k) => {
        write(value, place.answer ? percent(pass.probabilities[k]) : "");
        attr(node, "data-top", place.answer && k === pass.digit);
      });
      /** @param {string} kind */
      const many = (kind) => habits.flat().filter((habit) => habit === kind).length;
      write(note, counted ? cut + say("habits", many("dead"), many("always on"), whole(bundle.count)) : say("counting"));
      table.update();
    },
  };
}

/**
 * The strongest lines between the layers that are there.
 * @param {CanvasRenderingContext2D} context @param {import("../derive.js").Derived} d
 * @param {ReturnType<typeof layOut>} plan @param {import("../draw.js").Colours} colours
 */
function paintLines(context, d, plan, colours) {
  const { layers, pass, place, state } = d;
  let cut = "";
  for (let l = 1; l < layers.length; l++) {
    const { inputs, units, weights } = layers[l];
    const strength = Float64Array.from(weights, (w, k) => (state.edges === "signal" ? w * pass.a[l - 1][Math.floor(k / units)] : w));
    let floor = 0;
    if (strength.length > LINES) {
      const sizes = strength.map(Math.abs).sort();
      floor = sizes[sizes.length - LINES];
      cut = d.bundle.say("lines", LINES);
    }
    const top = largest(strength) || 1;
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < units; j++) {
        const v = strength[i * units + j];
        if (Math.abs(v) < floor || Math.abs(v) < 0.02 * top || j >= place.shown[l]) continue;
        const open = (l === state.layer && j === state.unit) || (l - 1 === state.layer && i === state.unit);
        const [from, to, size] = [plan.units[l - 1][i], plan.units[l][j], Math.abs(v) / top];
        trace(context, [[from.x, from.y], [to.x, to.y]],
          v > 0 ? colours.accent : colours.ink,
          0.5 + (open ? 3 : 2.2) * size,
          open ? Math.min(1, 0.35 + size) : 0.06 + 0.5 * size,
          v > 0 ? undefined : [3, 3]);
      }
    }
  }
  // Into the first layer lead too many lines to draw: a fan stands for those of each unit there.
  plan.units[0].forEach(({ x, y }, j) => {
    if (j >= place.shown[0]) return;
    const open = state.layer === 0 && j === state.unit;
    const from = [plan.image + 1, plan.middle + ((j + 0.5) / plan.units[0].length - 0.5) * plan.image];
    trace(context, [from, [x, y]], open ? colours.accent : colours.muted, open ? 1.5 : 0.75, open ? 0.9 : 0.25);
  });
  return cut;
}
