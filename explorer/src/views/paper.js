/** The digit: drawn, picked or loaded, and what the network makes of it. Always in view. */

import { clamp } from "../engine.js";
import { ARROWS, attr, button, checkbox, h, segmented, times, uid, write } from "../dom.js";
import { digit, pixels, prepare, trace } from "../draw.js";
import { PAPER, decodeInk, encodeInk } from "../ink.js";
import { asImage } from "../derive.js";
import { createVerdict } from "./verdict.js";
import { paintBars } from "./paint.js";

const SIZE = 280;
const KEY_STEP = 4;
/** Classes that have a button each; more of them have a list. */
const FEW = 12;

/** @param {import("../app.js").Context} ctx */
export function createPaper(ctx) {
  const { store, bundle } = ctx;
  const { input, say } = bundle;
  const { side, order, drawable } = input;
  /** @type {{x: number, y: number, down: boolean} | null} */
  let cursor = null;
  const start = () => ({ x: PAPER / 2, y: PAPER / 4, down: false });
  let drawing = false;
  let painted = "";

  const hint = h("p.hint");

  /** Begin a stroke or an occlusion at a point of the sheet. @param {number} x @param {number} y */
  const begin = (x, y) => {
    const { state } = store;
    if (state.tool === "hide") return hideAt(x, y);
    const erase = state.tool === "erase";
    const fresh = state.source !== "ink";
    const strokes = fresh ? [] : decodeInk(state.ink);
    // Only what is there can be erased; a stroke begins a clean sheet unless it is to go onto what is shown.
    const base = !fresh ? state.base : erase || state.onto ? state.source : "";
    if (erase && !strokes.length && !base) return;
    strokes.push({ erase, points: [[x, y]] });
    store.set({ source: "ink", base, ink: encodeInk(strokes), hide: "", t: state.t > 0 ? -1 : state.t, ...(fresh ? { truth: -1 } : {}) });
  };
  /** @param {number[][]} points */
  const extend = (points) => {
    const { state } = store;
    if (state.tool === "hide") return points.forEach(([x, y]) => hideAt(x, y));
    const strokes = decodeInk(state.ink);
    if (!strokes.length) return;
    strokes[strokes.length - 1].points.push(...points);
    store.set({ ink: encodeInk(strokes) });
  };
  /** Hide the network's pixels around a point. @param {number} x @param {number} y */
  const hideAt = (x, y) => {
    const hidden = new Set(store.state.hide ? store.state.hide.split(".").map(Number) : []);
    const [c, r] = [x, y].map((v) => Math.floor((v / PAPER) * side));
    for (let dr = -1; dr <= 1; dr++) {
      for (let dc = -1; dc <= 1; dc++) {
        const [row, col] = [r + dr, c + dc];
        if (row < 0 || col < 0 || row >= side || col >= side) continue;
        hidden.add(order === "F" ? col * side + row : row * side + col);
      }
    }
    store.set({ hide: [...hidden].sort((a, b) => a - b).join(".") });
  };
  /** @param {PointerEvent} event */
  const spot = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * PAPER - 0.5,
      ((event.clientY - box.top) / box.height) * PAPER - 0.5,
    ].map((v) => clamp(Math.round(v), PAPER - 1));
  };

  const lift = () => (drawing = false);
  const on = {
    /** @param {PointerEvent} event */
    pointerdown(event) {
      if (!event.isPrimary || event.button) return;
      canvas.setPointerCapture(event.pointerId);
      drawing = true;
      cursor = null;
      const [x, y] = spot(event);
      begin(x, y);
    },
    /** @param {PointerEvent} event */
    pointermove(event) {
      if (!drawing || !event.isPrimary) return;
      const events = event.getCoalescedEvents?.() ?? [];
      extend((events.length ? events : [event]).map(spot));
    },
    pointerup: lift,
    pointercancel: lift,
    /** @param {KeyboardEvent} event */
    keydown(event) {
      const arrow = ARROWS[event.key];
      if (arrow && !event.altKey && !event.ctrlKey && !event.metaKey) {
        const step = event.shiftKey ? 1 : KEY_STEP;
        cursor ??= start();
        cursor.x = clamp(cursor.x + step * arrow[0], PAPER - 1);
        cursor.y = clamp(cursor.y + step * arrow[1], PAPER - 1);
        if (cursor.down) extend([[cursor.x, cursor.y]]);
      } else if (event.key === " ") {
        cursor ??= start();
        cursor.down = !cursor.down;
        if (cursor.down) begin(cursor.x, cursor.y);
      } else if (event.key === "Delete" || event.key === "Backspace") {
        clear();
      } else return;
      event.preventDefault();
      ctx.refresh();
    },
    blur() {
      cursor = null;
      ctx.refresh();
    },
  };
  const canvas = drawable
    ? h("canvas.paper", { role: "application", tabindex: 0, "aria-roledescription": "drawing area", "aria-label": say("paper"), on })
    : h("canvas.paper", { role: "img", "aria-label": say("shown") });

  const clear = () => {
    if (store.state.tool === "hide") store.set({ hide: "" });
    else store.set({ source: "ink", base: "", ink: "", hide: "", truth: -1 });
  };
  const undo = () => {
    const { state } = store;
    if (state.tool === "hide") store.set({ hide: "" });
    else if (state.source === "ink") {
      const left = decodeInk(state.ink).slice(0, -1);
      store.set(left.length || !state.base ? { ink: encodeInk(left) } : { source: state.base, base: "", ink: "" });
    }
  };
  /** Show the next sample of a class. @param {number} wanted */
  const pick = (wanted) => {
    const { sample, source } = store.state;
    const from = source === "sample" ? sample : -1;
    for (let k = 1; k <= bundle.count; k++) {
      const at = (from + k) % bundle.count;
      if (bundle.labels[at] === wanted) return ctx.pickSample(at);
    }
  };

  const tools = segmented("Tool", { draw: "Draw", erase: "Erase", hide: "Hide" }, (tool) => store.set({ tool }));
  const file = h("input", {
    type: "file",
    accept: "image/*",
    class: "dlx-sr",
    "aria-label": "Load a picture",
    on: { change: () => file.files[0] && ctx.loadPicture(file.files[0]).then(() => (file.value = "")) },
  });
  const classes = bundle.models[0].layers.at(-1)?.units ?? 10;
  const picks = times(classes <= FEW ? classes : 0, (k) =>
    button(String(k), () => pick(k), { class: "dlx-pick", "aria-label": say("pick", k) }),
  );
  const select = h("select", { "aria-label": say("pickOne"), on: { change: () => pick(Number(select.value)) } },
    times(classes > FEW ? classes : 0, (k) => h("option", { value: k }, k)));
  const onto = checkbox("draw on this", (on) => store.set({ onto: on ? 1 : 0 }));
  const undoButton = button("Undo", undo);
  const clearButton = button("Clear", clear);
  // A narrow screen has room for the rest when it is asked for.
  const rest = h(".row.rest", { id: uid() }, h("label.button.file", "Load a picture…", file), onto.node);
  const more = button(say("moreTools"), () => {
    const open = more.getAttribute("aria-expanded") !== "true";
    attr(more, "aria-expanded", open);
    attr(rest, "data-open", open);
  }, { class: "dlx-button dlx-narrow", "aria-expanded": false, "aria-controls": rest.id });

  const verdict = createVerdict(ctx);
  const node = h("section.side", { "aria-label": "The digit and its prediction" },
    h(".sheet@paper", canvas, hint),
    h(".tools",
      drawable && h(".row", tools.node, undoButton, clearButton, more),
      h(".row.picks", picks.length ? picks : [select, button("Next", () => pick(Number(select.value)))]),
      drawable && rest),
    verdict.node,
  );

  return {
    node,
    sheet: canvas,
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const { state, input: given } = d;
      const colours = ctx.colours();
      verdict.update(d);
      // While a pass is played nothing here changes: then there is nothing to draw.
      const key = [d.inputKey, d.weightsKey, state.tool, state.onto, state.source, d.label, JSON.stringify(cursor), colours.ink].join();
      if (key === painted) return;
      painted = key;
      const context = prepare(canvas, SIZE, SIZE);
      if (given.picture) {
        const { rows: r, cols, channels, data } = given.picture;
        const shade =
          channels === 1
            ? data
            : Float64Array.from({ length: r * cols }, (_, k) =>
                (data[k * channels] * 2 + data[k * channels + 1] * 5 + data[k * channels + 2]) / 8);
        pixels(context, shade, { rows: r, cols, low: 255, high: 0, size: SIZE, colours, smooth: true });
      } else if (input.kind !== "image") paintBars(context, { x: 0, y: 0, wide: SIZE, high: SIZE }, d, colours);
      else digit(context, asImage(given.clean, input), bundle, SIZE, colours);
      paintHidden(context, given.hidden, colours);
      if (cursor) paintCursor(context, cursor, colours);
      const untouched = state.source === "sample" && drawable;
      write(hint, given.blank && drawable ? say("drawHere") : untouched && !state.onto ? say("drawOn") : "");
      attr(hint, "data-empty", given.blank);
      attr(canvas, "data-tool", state.tool);
      tools.update(state.tool);
      onto.update(Boolean(state.onto));
      onto.node.hidden = state.source === "ink" || state.tool !== "draw";
      undoButton.disabled = state.tool === "hide" ? !state.hide : state.source !== "ink" || !state.ink;
      picks.forEach((pickButton, k) => attr(pickButton, "aria-pressed", state.source === "sample" && d.label === k));
      if (!picks.length && d.label >= 0) select.value = String(d.label);
    },
  };

  /** @param {CanvasRenderingContext2D} context @param {Set<number>} hidden @param {import("../draw.js").Colours} colours */
  function paintHidden(context, hidden, colours) {
    const cell = SIZE / side;
    for (const k of hidden) {
      const [row, col] = order === "F" ? [k % side, Math.floor(k / side)] : [Math.floor(k / side), k % side];
      context.fillStyle = colours.soft;
      context.fillRect(col * cell, row * cell, cell + 0.5, cell + 0.5);
      trace(context, [[col * cell, (row + 1) * cell], [(col + 1) * cell, row * cell]], colours.muted);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {{x: number, y: number, down: boolean}} at @param {import("../draw.js").Colours} colours */
  function paintCursor(context, at, colours) {
    const scale = SIZE / PAPER;
    context.strokeStyle = colours.accent;
    context.lineWidth = 2;
    context.beginPath();
    context.arc((at.x + 0.5) * scale, (at.y + 0.5) * scale, at.down ? 6 : 12, 0, 7);
    context.stroke();
  }
}
