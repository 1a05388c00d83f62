/** The training over again: any epoch's weights, on the same digit. */

import { weightsAt } from "../derive.js";
import { createClock } from "../clock.js";
import { describe, h, num, percent, picture, playButton, range, row, tableView, write } from "../dom.js";
import { prepare, squares, trace } from "../draw.js";
import { forward } from "../engine.js";

const CHART = 150;
const STRIP = 14;
const A_SECOND = 6;

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createRewind(ctx) {
  const { store, bundle: { say } } = ctx;
  /** @param {number} at */
  const go = (at) => {
    const last = ctx.now().model.epochs.length - 1;
    store.set({ epoch: at >= last ? -1 : Math.max(0, at), steps: 0 });
  };
  const slider = range("Epoch", 0, 0, 1, go);
  const clock = createClock(ctx.refresh, () => A_SECOND,
    (steps) => {
      if (store.state.panel !== "training" || !strip.isConnected) return false;
      if (steps) go(store.state.epoch + steps);
      return store.state.epoch >= 0;
    },
    () => store.state.epoch < 0 && go(0));
  const play = playButton(" the training", clock);
  const where = h("output.num");
  /** @type {{key: string, passes: import("../engine.js").Pass[]}} */
  let past = { key: "", passes: [] };
  const loss = picture(".curve");
  const accuracy = picture(".curve");
  const strip = picture(".strip");
  const matrix = picture(".square");
  const numbers = h("tbody");
  const said = h("p.lead");
  const none = h("p.lead", say("unrecorded"));
  const controls = h(".row@epochs", play.node, slider.node, where);
  const table = tableView("Metrics of every epoch", () => {
    const { log } = ctx.now().model;
    const keys = [...new Set(log.flatMap((entry) => Object.keys(entry)))].filter((key) => key !== "epoch");
    return { head: ["Epoch", ...keys], rows: log.map((e) => [e.epoch, ...keys.map((key) => (key in e ? num(e[key], 4) : "–"))]) };
  });
  const confusionTable = tableView(say("epochConfusion"), () => {
    const confusion = ctx.now().counted()?.confusion ?? [];
    return { head: ["Actual", ...confusion.map((_, k) => String(k))], rows: confusion.map((row, k) => [k, ...row]) };
  });
  const reading = h("figure", h("figcaption", say("strip")), strip);
  const figures = h(".two",
      h(".stack", h("table@figures", h("caption.sr", "This epoch's figures"), numbers)),
      h("figure", h("figcaption", say("matrix")), matrix, confusionTable.node));
  const details = h(".training", reading, said, figures);

  strip.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const box = strip.getBoundingClientRect();
    go(Math.floor(((event.clientX - box.left - 18) / (box.width - 18)) * ctx.now().model.epochs.length));
  });

  return {
    node: h(".stack", controls, none,
      h(".two",
        h("figure", h("figcaption", say("curve", "Loss")), loss),
        h("figure", h("figcaption", say("curve", "Accuracy")), accuracy)),
      details, table.node),
    update(d) {
      const { model, state } = d;
      const { epochs, log } = model;
      const last = epochs.length - 1;
      const at = state.epoch < 0 ? last : Math.min(state.epoch, last);
      none.hidden = epochs.length > 0;
      controls.hidden = details.hidden = !epochs.length;
      const colours = ctx.colours();
      const now = epochs.length ? epochs[at].epoch : -1;
      curves(loss, ctx.widthOf(loss), log, ["loss", "val_loss"], now, colours, "Loss");
      curves(accuracy, ctx.widthOf(accuracy), log, [accuracyKey(log), `val_${accuracyKey(log)}`], now, colours, "Accuracy");
      table.update();
      if (!epochs.length) return;
      slider.update(at, `after epoch ${now}`, last);
      write(where, `after epoch ${now} of ${epochs[last].epoch}`);
      play.update();
      const key = `${d.inputKey}#${state.model}`;
      if (past.key !== key) past = { key, passes: epochs.map((_, e) => forward(weightsAt(model, e), d.input.x)) };
      const { passes } = past;
      reading.hidden = d.input.blank;
      // What is trained in the page has its pictures above: here all is the notebook's.
      paintStrip(strip, ctx.widthOf(strip), passes, at, d, d.live ? passes[at] : d.pass, colours);
      const settled = passes.findLastIndex((pass) => pass.digit !== passes[last].digit) + 1;
      write(said, d.input.blank ? "" : say(settled ? "settled" : "always", passes[last].digit, epochs[settled].epoch));
      const stats = d.live ? undefined : d.counted();
      figures.hidden = !stats && !d.live;
      matrix.parentElement.hidden = !stats;
      if (!stats && !d.live) return ctx.count();
      const size = 200;
      if (stats) {
        const off = stats.confusion.flatMap((row, a) => row.map((n, p) => (a === p ? n / 12 : n)));
        squares(prepare(matrix, size, size), off, size, colours, { top: Math.max(8, ...off) });
        describe(matrix, say("matrixSays", now, percent(stats.accuracy)));
      }
      const entry = epochs[at];
      const rows = [...Object.keys(entry).filter((key) => key !== "epoch").map((key) => [`Keras: ${key}`, num(entry[key], 4)]),
        ...(stats ? [["here: loss", num(stats.loss, 4)], ["here: accuracy", num(stats.accuracy, 4)]] : [])];
      numbers.replaceChildren(...rows.map(([name, value]) => row(name, value)));
      confusionTable.update();
    },
  };
}

/** @param {import("../bundle.js").Epoch[]} log */
const accuracyKey = (log) => Object.keys(log[log.length - 1] ?? {}).find((key) => /^(sparse_categorical_)?acc/.test(key)) ?? "accuracy";

/**
 * @param {HTMLCanvasElement} canvas @param {number} width @param {import("../bundle.js").Epoch[]} log @param {string[]} keys @param {number} now
 * @param {import("../draw.js").Colours} colours @param {string} name
 */
function curves(canvas, width, log, keys, now, colours, name) {
  const context = prepare(canvas, width, CHART);
  const values = log.flatMap((entry) => keys.map((key) => entry[key])).filter((v) => v !== undefined);
  describe(canvas, values.length ? `${name}, from ${num(values[0], 2)} to ${num(values[values.length - keys.length] ?? values[0], 2)}` : `${name}: not recorded`);
  if (!values.length) return;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const end = log[log.length - 1].epoch;
  /** @param {number} e */
  const x = (e) => 42 + (e / end) * (width - 50);
  /** @param {number} v */
  const y = (v) => CHART - 22 - ((v - low) / (high - low || 1)) * (CHART - 36);
  context.fillStyle = colours.muted;
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "right";
  context.fillText(num(high, 2), 36, y(high) + 4);
  context.fillText(num(low, 2), 36, y(low) + 4);
  context.fillText(String(end), width - 2, CHART - 5);
  context.textAlign = "left";
  context.fillText("0", 40, CHART - 5);
  trace(context, [[42, y(low)], [width - 8, y(low)]], colours.line);
  keys.forEach((key, k) => {
    const points = log.filter((entry) => key in entry).map((entry) => [x(entry.epoch), y(entry[key])]);
    trace(context, points, k ? colours.ink : colours.accent, 1.75, 1, k ? [4, 3] : undefined);
  });
  if (now >= 0) trace(context, [[x(now), 8], [x(now), CHART - 22]], colours.muted);
}

/**
 * @param {HTMLCanvasElement} canvas @param {number} width @param {import("../engine.js").Pass[]} passes @param {number} at
 * @param {import("../derive.js").Derived} d @param {import("../engine.js").Pass} shown  the pass of the epoch that is chosen @param {import("../draw.js").Colours} colours
 */
function paintStrip(canvas, width, passes, at, d, shown, colours) {
  const height = STRIP * d.classes + 2;
  const context = prepare(canvas, width, height);
  const cell = (width - 18) / passes.length;
  context.font = "12px system-ui, sans-serif";
  for (let k = 0; k < d.classes; k++) {
    context.globalAlpha = 1;
    context.fillStyle = k === shown.digit ? colours.ink : colours.muted;
    context.fillText(String(k), 2, STRIP * k + 12);
    passes.forEach((pass, e) => {
      const p = pass.probabilities[k];
      context.globalAlpha = 0.06 + 0.94 * p;
      context.fillStyle = p > 0.02 ? colours.accent : colours.muted;
      context.fillRect(18 + e * cell, STRIP * k + 1, Math.max(1, cell - 1), STRIP - 2);
    });
  }
  context.globalAlpha = 1;
  context.strokeStyle = colours.ink;
  context.lineWidth = 1.5;
  context.strokeRect(18 + at * cell - 0.5, 0.75, cell, height - 1.5);
  describe(canvas, d.bundle.say("stripSays", shown.digit, percent(shown.share)));
}
