/** The network: the input, every unit or map, the lines between them, and what travels along them. */

import { clamp, isMap, nodesOf, unitOf } from "../engine.js";
import { ARROWS, attr, button, describe, h, labelled, num, percent, segmented, setStyle, tableView, whole, write } from "../dom.js";
import { largest } from "../draw.js";
import { createBlame } from "./blame.js";
import { createFlow } from "./flow.js";
import { layOut } from "./layout.js";
import { paintNetwork } from "./paint.js";
import { createTransport } from "./transport.js";
import { createUnit } from "./unit.js";

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createNetworkPanel(ctx) {
  const [transport, network, unit, blame] = [createTransport(ctx), createNetwork(ctx), createUnit(ctx), createBlame(ctx)];
  return {
    // What a step does, and at the end why the answer is what it is, lie in one place: the network under it does not jump.
    node: h(".network-panel", transport.node, h(".explain", transport.said, blame.node), network.node, h(".below", unit.node)),
    update(d) {
      for (const part of [transport, network, unit]) part.update(d);
      attr(blame.node, "data-on", d.place.answer);
      blame.update(d);
    },
  };
}

/** @param {import("../app.js").Context} ctx */
function createNetwork(ctx) {
  const { store, bundle } = ctx;
  const { say } = bundle;
  const canvas = h("canvas", { "aria-hidden": "true", on: { pointermove: hover, pointerleave: () => ctx.point(null) } });
  const over = h("canvas.over", { "aria-hidden": "true" });
  const stage = h(".stage", { role: "group", "aria-label": say("stage") });
  const box = h(".stage-box", { tabindex: -1 }, stage);
  const tip = h("span.tip", { "aria-hidden": "true" });
  const note = h("p.note");
  const edges = segmented("Lines", { signal: "Signal", weight: "Weights", gradient: "Backward" }, (value) => store.set({ edges: value }));
  const table = tableView(say("unitsTable"), () => unitRows(ctx.now()));
  const key = h("p.key",
    h("span.swatch"), "positive ", h("span.swatch.neg"), "negative, dashed ", h("span.mark", "○"), "0 ",
    h("span.mark", "×"), say("dead"), h("span.mark", "∙"), "always on");
  const flow = createFlow(ctx, over);
  /** @type {Map<string, any>} */
  let buttons = new Map();
  /** @type {{node: any, value: any, k: number}[]} */
  let outputs = [];
  let [built, painted] = ["", ""];
  /** @type {import("./layout.js").Plan} */
  let plan;
  /** Where the last key led, until it is drawn. @type {{l: number, j: number} | null} */
  let ahead = null;

  /** @param {import("../derive.js").Derived} d */
  function build(d) {
    buttons = new Map();
    outputs = [];
    stage.style.cssText = `width:${plan.width}px;height:${plan.height}px`;
    stage.replaceChildren(canvas, ...d.layers.flatMap((layer, l) => [caption(layer, l), ...plan.blocks[l].parts.flatMap((point, j) => (point ? part(l, j, point) : []))]), over, tip);
  }

  /** A layer's name, what it is, and the way to what is folded. @param {import("../engine.js").Layer} layer @param {number} l */
  function caption(layer, l) {
    const { left, wide, room, first, parts } = plan.blocks[l];
    const shown = parts.filter(Boolean).length;
    const folded = parts.length - shown;
    return h(".layer-name", { style: `left:${left + wide / 2}px;width:${room}px`, title: `${layer.name}: ${sizeOf(layer)}, ${kindOf(layer)}` },
      h("b", layer.name), h("span", sizeOf(layer)), h("span", kindOf(layer)),
      folded > 0 && button(`+${whole(folded)}`, () => ctx.openUnit(l, unitOf(layer, (first + shown) % parts.length)),
        { class: "dlx-button dlx-more", "aria-label": say("folded", whole(folded), layer.name) }));
  }

  /** @param {number} l @param {number} j @param {import("./layout.js").Point} point */
  function part(l, j, { x, y }) {
    const { size, square, listed } = plan.blocks[l];
    const open = () => {
      ctx.openUnit(l, store.state.layer === l && isMap(layersNow()[l]) ? sameSpot(l, j) : unitOf(layersNow()[l], j));
      ctx.reveal();
    };
    const node = h("button", {
      class: `dlx-unit${square ? " dlx-square-unit" : ""}`,
      tabindex: -1,
      style: `left:${x - size / 2}px;top:${y - size / 2}px;width:${size}px;height:${size}px`,
      on: {
        click: open,
        keydown: (/** @type {KeyboardEvent} */ e) => walk(e, l, j),
        pointerenter: () => ctx.point({ layer: l, unit: j }),
        pointerleave: () => ctx.point(null),
        focus: () => ctx.point({ layer: l, unit: j }),
        blur: () => ctx.point(null),
      },
    });
    buttons.set(`${l}.${j}`, node);
    if (l < plan.blocks.length - 1) return [node];
    const value = h("span.num");
    if (!listed) {
      write(node, String(j));
      node.dataset.listed = "false";
    }
    const output = listed ? h(".output", { style: `left:${x + size / 2 + 8}px;top:${y}px` }, h("b", j), value) : node;
    outputs.push({ node: output, value, k: j });
    return listed ? [node, output] : [node];
  }

  const layersNow = () => ctx.now().layers;
  /** The same point of another map. @param {number} l @param {number} j */
  const sameSpot = (l, j) => {
    const channels = nodesOf(layersNow()[l]);
    return Math.floor(ctx.now().state.unit / channels) * channels + j;
  };

  /** @param {KeyboardEvent} event @param {number} l @param {number} j */
  function walk(event, l, j) {
    const to = ARROWS[event.key];
    if (!to) return;
    event.preventDefault();
    // Keys come faster than frames: each goes on from where the last one led, not from what has the focus still.
    const from = ahead ?? { l, j };
    const layers = layersNow();
    const layer = clamp(from.l + to[0], layers.length - 1);
    const count = nodesOf(layers[layer]);
    const share = to[0] ? Math.floor(((from.j + 0.5) / nodesOf(layers[from.l])) * count) : from.j + to[1];
    const part = clamp(share, count - 1);
    ctx.openUnit(layer, layer === from.l && isMap(layers[layer]) ? sameSpot(layer, part) : unitOf(layers[layer], part));
    ahead = { l: layer, j: part };
  }

  /** @param {PointerEvent} event */
  function hover(event) {
    const { input } = bundle;
    const { x, y, wide, high } = plan.image;
    const frame = canvas.getBoundingClientRect();
    const [u, v] = [(event.clientX - frame.left - x) / wide, (event.clientY - frame.top - y) / high];
    if (u < 0 || v < 0 || u >= 1 || v >= 1 || input.kind !== "image") return ctx.point(null);
    const [row, col] = [Math.floor(v * input.rows), Math.floor(u * input.cols)];
    ctx.point({ layer: -1, unit: (input.order === "F" ? col * input.rows + row : row * input.cols + col) * input.channels });
  }

  return {
    node: h(".network@network", box, h(".row", labelled("Lines", edges.node), h("span.gap"), key), note, table.node),
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const room = ctx.widthOf(box);
      if (!room) return;
      plan = layOut(d.layers, room, bundle.input, d.state);
      const shape = [room, d.state.model, plan.blocks.map((block) => block.first)].join("|");
      if (shape !== built) {
        // What had the focus goes: the open unit has it then.
        if (stage.contains(document.activeElement)) ahead ??= { l: d.state.layer, j: d.state.unit % nodesOf(d.layers[d.state.layer]) };
        build(d);
        built = shape;
      }
      // The habits take a pass over all digits: the first picture does not wait for it.
      const counted = d.counted();
      if (!counted) ctx.count();
      const drawn = [shape, d.inputKey, d.weightsKey, d.label, d.place.shown, d.place.answer, d.state.layer, d.state.unit, d.state.edges, !counted, JSON.stringify(ctx.pointed()), ctx.colours().ink].join();
      if (drawn !== painted) {
        painted = drawn;
        edges.update(d.state.edges);
        const cut = paintNetwork(ctx, canvas, plan, d);
        showUnits(d, counted?.habits);
        write(note, [cut, foldedNote(d), counted ? sayHabits(counted.habits) : say("counting")].join(""));
        table.update();
      }
      if (ahead) buttons.get(`${ahead.l}.${ahead.j}`)?.focus();
      ahead = null;
      flow.update(d, plan);
    },
  };

  /** @param {import("../derive.js").Derived} d @param {string[][] | undefined} habits */
  function showUnits(d, habits) {
    const { place, pass, layers, state } = d;
    const lit = ctx.pointed();
    layers.forEach((layer, l) => {
      const nodes = nodesOf(layer);
      const top = largest(pass.a[l]) || 1;
      for (let j = 0; j < nodes; j++) {
        const node = buttons.get(`${l}.${j}`);
        if (!node) continue;
        const map = isMap(layer);
        const a = pass.a[l][j];
        const open = l === state.layer && j === state.unit % nodes;
        const shown = j < place.shown[l];
        const habit = habits?.[l][j] ?? "";
        setStyle(node, "--a", (shown && !map ? Math.abs(a) / top : 0).toFixed(3));
        attr(node, "data-shown", shown);
        attr(node, "data-sign", shown && !map && a < 0 ? "-" : "");
        attr(node, "data-habit", habit);
        attr(node, "aria-pressed", open);
        const says = !shown ? "not computed yet" : map ? "a map" : num(a, 2);
        attr(node, "data-lit", lit?.layer === l && lit.unit === j);
        describe(node, `${layer.name} ${map ? "map" : "unit"} ${j}, ${says} ${habit}`);
        if (node.tabIndex !== (open ? 0 : -1)) node.tabIndex = open ? 0 : -1;
      }
    });
    for (const { node, value, k } of outputs) {
      write(value, place.answer ? percent(pass.probabilities[k]) : "");
      attr(node, "data-top", place.answer && k === pass.digit);
    }
    showTip(lit);
  }

  /** The name and the value of the unit that is pointed at, beside it and inside the stage. @param {import("../app.js").Pointed | null} lit */
  function showTip(lit) {
    const spot = lit && lit.layer >= 0 ? plan.blocks[lit.layer].parts[lit.unit] : undefined;
    tip.hidden = !lit || !spot;
    if (!lit || !spot) return;
    write(tip, (buttons.get(`${lit.layer}.${lit.unit}`)?.getAttribute("aria-label") ?? "").trim());
    const off = plan.blocks[lit.layer].size / 2 + 6;
    const up = spot.y + off + 28 > plan.height;
    tip.style.cssText = `left:${clamp(spot.x - 75, plan.width - 190)}px;top:${up ? spot.y - off - 24 : spot.y + off}px`;
  }

  /** @param {import("../derive.js").Derived} d */
  function foldedNote(d) {
    const folded = plan.blocks.flatMap(({ parts }, l) => {
      const hidden = parts.length - parts.filter(Boolean).length;
      return hidden ? [`${d.layers[l].name}: ${whole(hidden)} of ${whole(parts.length)}`] : [];
    });
    return folded.length ? say("foldedNote", folded.join(", ")) : "";
  }

  /** @param {string[][]} habits */
  function sayHabits(habits) {
    /** @param {string} kind */
    const many = (kind) => habits.flat().filter((habit) => habit === kind).length;
    return say("habits", many("dead"), many("always on"), whole(bundle.count));
  }
}

/** How many units or maps a layer has. @param {import("../engine.js").Layer} layer */
export const sizeOf = (layer) => `${whole(nodesOf(layer))} ${isMap(layer) ? "map" : "unit"}${nodesOf(layer) > 1 ? "s" : ""}`;

/** What a layer does, in a word. @param {import("../engine.js").Layer} layer */
export const kindOf = ({ kind, activation, window = [1, 1] }) => {
  const does = { dense: "", conv: `${window.join("×")} filters`, max: `largest of ${window.join("×")}`, average: `mean of ${window.join("×")}`, scale: "factor and summand", activation: "" }[kind];
  return [does, activation === "linear" && does ? "" : activation].filter(Boolean).join(", ");
};

/** The table view: units by name; maps by the sum and the largest of what is in them. @param {import("../derive.js").Derived} d */
function unitRows({ layers, pass, place }) {
  return {
    head: ["Unit", "z", "Activation"],
    rows: layers.flatMap((layer, l) => {
      const nodes = nodesOf(layer);
      return Array.from({ length: nodes }, (_, j) => {
        if (j >= place.shown[l]) return [`${layer.name} ${isMap(layer) ? "map" : "unit"} ${j}`, "…", "…"];
        if (!isMap(layer)) return [`${layer.name} unit ${j}`, num(pass.z[l][j]), num(pass.a[l][j])];
        const most = (/** @type {Float64Array} */ values) => num(values.reduce((top, v, k) => (k % nodes === j ? Math.max(top, v) : top), -Infinity));
        return [`${layer.name} map ${j}, at most`, most(pass.z[l]), most(pass.a[l])];
      });
    }),
  };
}
