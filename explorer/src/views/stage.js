/** The stage: a button for every unit or map in its place, the layers' names, and what is pointed at. */

import { clamp, isMap, nodesOf, unitOf } from "../engine.js";
import { ARROWS, attr, button, describe, h, num, percent, setStyle, whole, write } from "../dom.js";
import { largest } from "../draw.js";
import { layOut } from "./layout.js";

/** Pixels that a digit of a unit's number takes, and the part of a unit that numbers may take: in a layer where they take more, the open unit alone has one. */
const [DIGIT, NUMBER] = [7, 0.8];

/** @param {import("../app.js").Context} ctx */
export function createStage(ctx) {
  const { store, bundle } = ctx;
  const { say } = bundle;
  const canvas = h("canvas", { "aria-hidden": "true", on: { pointermove: hover, pointerleave: () => ctx.point(null) } });
  const over = h("canvas.over", { "aria-hidden": "true" });
  const stage = h(".stage", { role: "group", "aria-label": say("stage") });
  const tip = h("span.tip", { "aria-hidden": "true" });
  /** @type {Map<string, any>} */
  let buttons = new Map();
  /** @type {{node: any, value: any, k: number}[]} */
  let outputs = [];
  let built = "";
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
    const { size, square, listed, parts } = plan.blocks[l];
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
    }, !listed && h("span.no", { "aria-hidden": "true" }, j));
    attr(node, "data-numbered", DIGIT * String(parts.length - 1).length + 2 <= NUMBER * size);
    buttons.set(`${l}.${j}`, node);
    if (l < plan.blocks.length - 1) return [node];
    const value = h("span.num");
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
    node: h(".stage-box", { tabindex: -1 }, stage),
    canvas,
    over,
    /** Lay the network out in a room, and make its buttons anew where that differs. @param {import("../derive.js").Derived} d @param {number} room */
    fit(d, room) {
      plan = layOut(d.layers, room, bundle.input, d.state);
      const shape = [room, d.state.model, plan.blocks.map((block) => block.first)].join("|");
      if (shape !== built) {
        // What had the focus goes: the open unit has it then.
        if (stage.contains(document.activeElement)) ahead ??= { l: d.state.layer, j: d.state.unit % nodesOf(d.layers[d.state.layer]) };
        build(d);
        built = shape;
      }
      return { plan, shape };
    },
    show: showUnits,
    /** The focus goes where the last key led. */
    follow() {
      if (ahead) buttons.get(`${ahead.l}.${ahead.j}`)?.focus();
      ahead = null;
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
        const off = layer.off?.has(j);
        attr(node, "data-off", Boolean(off));
        attr(node, "data-zero", shown && !map && a === 0 ? l : "");
        attr(node, "aria-pressed", open);
        const says = !shown ? "not computed yet" : map ? "a map" : num(a, 2);
        attr(node, "data-lit", lit?.layer === l && lit.unit === j);
        describe(node, `${layer.name} ${map ? "map" : "unit"} ${j}, ${says} ${off ? say("turnedOff") : habit}`);
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
}

/** How many units or maps a layer has. @param {import("../engine.js").Layer} layer */
export const sizeOf = (layer) => `${whole(nodesOf(layer))} ${isMap(layer) ? "map" : "unit"}${nodesOf(layer) > 1 ? "s" : ""}`;

/** What a layer does, in a word. @param {import("../engine.js").Layer} layer */
export const kindOf = ({ kind, activation, window = [1, 1] }) => {
  const does = { dense: "", conv: `${window.join("×")} filters`, max: `largest of ${window.join("×")}`, average: `mean of ${window.join("×")}`, scale: "factor and summand", activation: "" }[kind];
  return [does, activation === "linear" && does ? "" : activation].filter(Boolean).join(", ");
};
