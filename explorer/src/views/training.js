/** Training: here in the page, and the one over again that was recorded in the notebook. */

import { attr, button, describe, h, num, percent, picture, range, segmented, times, whole, write } from "../dom.js";
import { largest, prepare, signedMaps, squares, trace, unrolled } from "../draw.js";
import { createRewind } from "./rewind.js";

const CHART = 130;
/** Room above a curve for the number that it reaches. */
const LABEL = 18;
const SQUARE = 200;
/** Units whose weights are drawn. */
const MAPS = 36;

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createTrainingPanel(ctx) {
  const here = createTrainHere(ctx);
  const rewind = createRewind(ctx);
  return {
    node: h(".stack", here.node, ctx.heading(ctx.bundle.say("rewind")), rewind.node),
    update(d) {
      here.update(d);
      rewind.update(d);
    },
  };
}

/** @param {import("../app.js").Context} ctx */
function createTrainHere(ctx) {
  const { training, bundle } = ctx;
  const { say } = bundle;
  const play = button("", () => training.toggle(ctx.now().layers), { "data-main": true, class: "dlx-button dlx-train" });
  const one = button("One step", () => training.step(ctx.now().layers));
  const back = button("Back to the model", training.back);
  const from = segmented("Start from", { own: "Its weights", new: "New weights" }, (value) => training.change({ from: value }));
  const how = segmented("Optimiser", { adam: "Adam", sgd: "SGD" }, (value) => training.change({ optimiser: value, rate: value === "sgd" ? 0.02 : 0.001 }));
  const size = segmented("Batch", { 1: "1", 8: "8", 32: "32", 128: "128" }, (value) => training.change({ batch: Number(value) }));
  const rate = range("Learning rate of the training", -4, 0, 0.05, (power) => training.change({ rate: Number((10 ** power).toPrecision(2)) }));
  const rateText = h("output.num");
  const said = h("p.lead@trained", { role: "status" });
  const loss = picture(".curve");
  const accuracy = picture(".curve");
  const matrix = picture(".square");
  const maps = picture(".square");
  const curves = h(".two",
    h("figure", h("figcaption", say("lossHere")), loss),
    h("figure", h("figcaption", say("accuracyHere")), accuracy),
    h("figure", h("figcaption", say("matrixOf")), matrix),
    h("figure", h("figcaption", say("mapsHere")), maps));
  const cannot = h("p.lead");
  const leftOut = h("p.note");
  const controls = h(".stack",
    h(".row@train", play, one, back),
    h(".row.settings", h("span.label", "Start from"), from.node, h("span.label", "Optimiser"), how.node,
      h("span.label", "Batch"), size.node, h("label.row.rate", h("span.label", "Rate"), rate.node, rateText)),
    said, curves, leftOut);
  const node = h("section.stack@trainhere", { "aria-label": "Train here" },
    ctx.heading("Train here"), h("p.lead", say("trainHere", whole(bundle.count))), cannot, controls);

  return {
    node,
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const { untrainable } = d.model;
      const norm = untrainable.includes("BatchNormalization");
      cannot.hidden = !norm;
      controls.hidden = norm;
      write(cannot, say("noTraining"));
      if (norm) return;
      write(leftOut, untrainable.length ? say("trainedWithout", untrainable.join(", ")) : "");
      const { settings } = training;
      const running = training.running();
      write(play, running ? "❚❚ Pause" : d.live ? "▶ Go on" : "▶ Train");
      one.disabled = running;
      back.disabled = !d.live;
      from.update(settings.from);
      how.update(settings.optimiser);
      size.update(String(settings.batch));
      rate.update(Number(Math.log10(settings.rate).toFixed(2)), String(settings.rate));
      write(rateText, String(settings.rate));
      const marks = training.marks();
      const now = training.now() ?? marks.at(-1);
      attr(said, "data-epoch", now?.epoch ?? 0);
      write(said, training.trouble() ? say("trainedAstray") : now ? say("trainedSo", num(now.epoch, 2), num(now.loss, 4), percent(now.accuracy)) : d.live ? say("trainingBegins") : say("trainFirst"));
      curves.hidden = !d.live;
      if (!d.live) return;
      const points = [...marks, ...(training.now() ? [/** @type {any} */ (training.now())] : [])];
      curve(ctx, loss, points.map((p) => [p.epoch, p.loss]), "Loss");
      curve(ctx, accuracy, points.map((p) => [p.epoch, p.accuracy]), "Accuracy", 1);
      paintConfusion(ctx, matrix, d);
      paintMaps(ctx, maps, d);
    },
  };
}

/** @param {import("../app.js").Context} ctx @param {HTMLCanvasElement} canvas @param {import("../derive.js").Derived} d */
function paintConfusion(ctx, canvas, d) {
  const stats = d.counted();
  if (!stats) return;
  const off = stats.confusion.flatMap((row, a) => row.map((n, p) => (a === p ? n / 12 : n)));
  squares(prepare(canvas, SQUARE, SQUARE), off, SQUARE, ctx.colours(), { top: Math.max(8, ...off) });
  canvas.dataset.accuracy = String(stats.accuracy);
  describe(canvas, ctx.bundle.say("matrixHere", percent(stats.accuracy)));
}

/** The weights of the first layer's first units, or its first filters. @param {import("../app.js").Context} ctx @param {HTMLCanvasElement} canvas @param {import("../derive.js").Derived} d */
function paintMaps(ctx, canvas, d) {
  const { input, say } = ctx.bundle;
  const layer = d.layers.find(({ kind }) => kind === "dense" || kind === "conv");
  if (!layer) return;
  const units = Math.min(MAPS, layer.shape[2]);
  const side = Math.ceil(Math.sqrt(units));
  const overImage = layer === d.layers[0] && layer.kind === "dense" && input.side > 0 && input.channels === 1;
  const [rows, cols] = layer.kind === "conv" ? layer.window ?? [1, 1] : overImage ? [input.side, input.side] : [1, layer.inputs];
  const ins = layer.kind === "conv" ? layer.from[2] : 1;
  const context = prepare(canvas, SQUARE, SQUARE);
  const size = SQUARE / side - 3;
  const place = unrolled(overImage ? input.order : "C", rows, cols);
  const spots = times(units, (j) => ({ j, x: (j % side) * (size + 3) + 1, y: Math.floor(j / side) * (size + 3) + 1 }));
  const weight = (/** @type {number} */ j, /** @type {number} */ p) => layer.weights[place(p) * ins * layer.shape[2] + j];
  const top = (/** @type {number} */ j) => largest(times(rows * cols, (p) => weight(j, p)));
  signedMaps(context, spots, { rows, cols, size, colours: ctx.colours(), top }, weight);
  describe(canvas, say("mapsHere"));
}

/** @param {import("../app.js").Context} ctx @param {HTMLCanvasElement} canvas @param {number[][]} points @param {string} name @param {number} [least]  what the axis reaches at least */
function curve(ctx, canvas, points, name, least = 0) {
  const width = ctx.widthOf(canvas);
  const context = prepare(canvas, width, CHART);
  const colours = ctx.colours();
  const [mostX, mostY] = [0, 1].map((c) => points.reduce((most, p) => Math.max(most, p[c]), c ? least : 1));
  /** @param {number[]} p */
  const at = ([x, y]) => [4 + (x / mostX) * (width - 12), CHART - 20 - (y / (mostY || 1)) * (CHART - 20 - LABEL)];
  trace(context, [[0, CHART - 20], [width, CHART - 20]], colours.line);
  trace(context, points.map(at), colours.accent, 1.75);
  context.fillStyle = colours.muted;
  context.font = "12px system-ui, sans-serif";
  context.fillText(`${num(mostX, 0)} ${mostX === 1 ? "epoch" : "epochs"}`, 4, CHART - 5);
  context.fillText(num(mostY, 2), 4, 12);
  const last = points.at(-1);
  describe(canvas, last ? `${name}: ${num(last[1], 4)} after ${num(last[0], 2)} epochs` : name);
}
