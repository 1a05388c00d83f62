/** The pen on the sheet: strokes, erasures and hidden pixels, by mouse, finger, pen or keyboard. */

import { clamp } from "../engine.js";
import { ARROWS, h } from "../dom.js";
import { PAPER, decodeInk, encodeInk } from "../ink.js";

const KEY_STEP = 4;

/** @typedef {{x: number, y: number, down: boolean}} Cursor  where the keyboard's pen is, and whether it is on the sheet */

/** @param {import("../app.js").Context} ctx */
export function createPen(ctx) {
  const { store, bundle: { say, input: { side, order, drawable } } } = ctx;
  /** @type {Cursor | null} */
  let cursor = null;
  const start = () => ({ x: PAPER / 2, y: PAPER / 4, down: false });
  let drawing = false;
  /** What a stroke on a digit, or a clearing, put aside, and how many strokes there were after it. @type {{state: Partial<import("../store.js").State>, strokes: number}[]} */
  let past = [];
  /** @param {number} strokes */
  const remember = (strokes) => {
    const { source, base, ink, hide, truth, t } = store.state;
    past.push({ state: { source, base, ink, hide, truth, t }, strokes });
  };

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
    if (fresh) remember(1);
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
    const { state } = store;
    if (state.tool === "hide") return store.set({ hide: "" });
    if (state.source !== "ink" || state.ink) remember(0);
    store.set({ source: "ink", base: "", ink: "", hide: "", truth: -1 });
  };
  const undo = () => {
    const { state } = store;
    if (state.tool === "hide") return store.set({ hide: "" });
    if (state.source !== "ink") return;
    const strokes = decodeInk(state.ink);
    const last = past.at(-1);
    if (last?.strokes === strokes.length) {
      past.pop();
      return store.set(last.state);
    }
    const left = strokes.slice(0, -1);
    store.set(left.length || !state.base ? { ink: encodeInk(left) } : { source: state.base, base: "", ink: "" });
  };
  /** Whether there is something to undo. */
  const undoable = () => {
    const { state } = store;
    return state.tool === "hide" ? state.hide !== "" : state.source === "ink" && (state.ink !== "" || past.at(-1)?.strokes === 0);
  };

  return { canvas, clear, undo, undoable, cursor: () => cursor };
}
