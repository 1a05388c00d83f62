/** The digit: drawn, picked or loaded, and what the network makes of it. Always in view. */

import { attr, button, checkbox, h, segmented, times, uid, write } from "../dom.js";
import { digit, pixels, prepare, trace } from "../draw.js";
import { PAPER } from "../ink.js";
import { asImage } from "../derive.js";
import { createPen } from "./pen.js";
import { createVerdict } from "./verdict.js";
import { paintBars } from "./paint.js";

const SIZE = 280;
/** Classes that have a button each; more of them have a list. */
const FEW = 12;

/** @param {import("../app.js").Context} ctx */
export function createPaper(ctx) {
  const { store, bundle } = ctx;
  const { input, say } = bundle;
  const { drawable } = input;
  const { canvas, undo, undoable, clear, cursor } = createPen(ctx);
  let painted = "";

  const hint = h("p.hint");

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
      const key = [d.inputKey, d.weightsKey, state.tool, state.onto, state.source, d.label, JSON.stringify(cursor()), colours.ink].join();
      if (key === painted) return;
      painted = key;
      paintSheet(canvas, d, cursor(), colours);
      const untouched = state.source === "sample" && drawable;
      write(hint, given.blank && drawable ? say("drawHere") : untouched && !state.onto ? say("drawOn") : "");
      attr(hint, "data-empty", given.blank);
      attr(canvas, "data-tool", state.tool);
      tools.update(state.tool);
      onto.update(Boolean(state.onto));
      onto.node.hidden = state.source === "ink" || state.tool !== "draw";
      undoButton.disabled = !undoable();
      picks.forEach((pickButton, k) => attr(pickButton, "aria-pressed", state.source === "sample" && d.label === k));
      if (!picks.length && d.label >= 0) select.value = String(d.label);
    },
  };
}

/** The drawing, the loaded picture or the digit; over it what is hidden, and the keyboard's pen. @param {HTMLCanvasElement} canvas @param {import("../derive.js").Derived} d @param {import("./pen.js").Cursor | null} cursor @param {import("../draw.js").Colours} colours */
function paintSheet(canvas, d, cursor, colours) {
  const { bundle, bundle: { input }, input: { picture, clean, hidden } } = d;
  const context = prepare(canvas, SIZE, SIZE);
  if (picture) {
    const { rows, cols, channels, data } = picture;
    const shade =
      channels === 1
        ? data
        : Float64Array.from({ length: rows * cols }, (_, k) =>
            (data[k * channels] * 2 + data[k * channels + 1] * 5 + data[k * channels + 2]) / 8);
    pixels(context, shade, { rows, cols, low: 255, high: 0, size: SIZE, colours, smooth: true });
  } else if (input.kind !== "image") paintBars(context, { x: 0, y: 0, wide: SIZE, high: SIZE }, d, colours);
  else digit(context, asImage(clean, input), bundle, SIZE, colours);
  paintHidden(context, hidden, input, colours);
  if (cursor) paintCursor(context, cursor, colours);
}

/** @param {CanvasRenderingContext2D} context @param {Set<number>} hidden @param {import("../bundle.js").Input} input @param {import("../draw.js").Colours} colours */
function paintHidden(context, hidden, { side, order }, colours) {
  const cell = SIZE / side;
  for (const k of hidden) {
    const [row, col] = order === "F" ? [k % side, Math.floor(k / side)] : [Math.floor(k / side), k % side];
    context.fillStyle = colours.soft;
    context.fillRect(col * cell, row * cell, cell + 0.5, cell + 0.5);
    trace(context, [[col * cell, (row + 1) * cell], [(col + 1) * cell, row * cell]], colours.muted);
  }
}

/** @param {CanvasRenderingContext2D} context @param {import("./pen.js").Cursor} at @param {import("../draw.js").Colours} colours */
function paintCursor(context, at, colours) {
  const scale = SIZE / PAPER;
  context.strokeStyle = colours.accent;
  context.lineWidth = 2;
  context.beginPath();
  context.arc((at.x + 0.5) * scale, (at.y + 0.5) * scale, at.down ? 6 : 12, 0, 7);
  context.stroke();
}
