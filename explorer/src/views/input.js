/** From the picture to the network's input, stage by stage, each of which can be left out. */

import { attr, button, checkbox, h, num, percent, tableView, write } from "../dom.js";
import { pixels, prepare } from "../draw.js";
import { forward } from "../engine.js";
import { PAPER } from "../ink.js";
import { preprocess, resize, roll, stageNames } from "../prep.js";

const SIZE = 104;

/** What a stage does, and what happens without it. @type {Record<string, [string, string]>} */
const SAYS = {
  grey: ["Colour to brightness: 0.299 R + 0.587 G + 0.114 B.", "The red channel alone."],
  invert: ["Paper minus brightness: ink is high, paper is 0.", "Paper stays bright, ink dark."],
  crop: ["Cut to the ink.", "The whole sheet is kept."],
  scale: ["The longer side becomes 20 pixels, the aspect stays.", "Stretched over the whole field."],
  centre: ["The centre of mass goes to the middle of 28 × 28.", "Left in the corner."],
  resize: ["28 × 28 to the network’s size, smoothly.", "Each pixel takes the nearest one."],
  normalise: ["Divided by 255: 0 to 1.", "0 to 255, as it is."],
  unroll: ["Read out in the order the network learnt.", "Read out in the other order: turned over."],
};

/**
 * A sample as a picture again: dark on white, small and away from the middle.
 * @param {import("../derive.js").Derived} d
 * @returns {import("../prep.js").Picture}
 */
export function onPaper(d) {
  const { side, order, normalised } = d.bundle.input;
  const image = roll(d.sample(d.state.sample), side, order);
  const size = 72;
  const { data } = resize({ rows: side, cols: side, data: image }, size, size);
  const sheet = new Uint8Array(PAPER * PAPER * 3).fill(255);
  data.forEach((v, k) => {
    const ink = Math.min(1, Math.max(0, normalised ? v : v / 255));
    const at = (30 + Math.floor(k / size)) * PAPER + 8 + (k % size);
    sheet.fill(Math.round(255 * (1 - ink)), 3 * at, 3 * at + 3);
  });
  return { rows: PAPER, cols: PAPER, channels: 3, data: sheet };
}

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createInput(ctx) {
  const { store, bundle } = ctx;
  const { side } = bundle.input;
  /** @param {string} name @param {boolean} on */
  const toggle = (name, on) => {
    const off = new Set(store.state.off.split(".").filter(Boolean));
    on ? off.delete(name) : off.add(name);
    if (ctx.now().state.source === "sample") ctx.setPicture(onPaper(ctx.now()));
    store.set({ off: [...off].join(".") });
  };
  const cards = stageNames(side).map((name, k) => {
    const canvas = h("canvas", { role: "img" });
    const size = h("span.note");
    const text = h("p.note");
    const box = checkbox(`${k + 1} ${name}`, (on) => toggle(name, on));
    return { name, canvas, size, text, box, node: h("li.card", canvas, h(".row", box.node, h("span.gap"), size), text) };
  });
  const from = h("p.note");
  const result = h("p.lead", { "data-part": "outcome" });
  const reset = button("All stages on", () => store.set({ off: "" }));
  /** @type {import("../prep.js").Stage[]} */
  let stages = [];
  const table = tableView("The network’s input, pixel by pixel", () => {
    const { grid } = stages[stages.length - 1];
    return {
      head: ["Row", ...Array.from({ length: grid.cols }, (_, c) => String(c))],
      rows: Array.from({ length: grid.rows }, (_, r) => [r, ...Array.from(grid.data.slice(r * grid.cols, (r + 1) * grid.cols), (v) => num(v, 2))]),
    };
  });
  return {
    node: h(".stack",
      h("p.lead", "The network knows digits of one kind only: bright ink on 0, of one size, in the middle. Leave a stage out and see what becomes of the prediction."),
      h(".row", result, h("span.gap"), reset),
      h("ol.cards", { "data-part": "stages" }, cards.map((card) => card.node)), from, table.node),
    update(d) {
      const off = new Set(d.state.off.split("."));
      if (!bundle.input.normalised) off.add("normalise");
      const picture = d.input.picture ?? onPaper(d);
      stages = d.input.stages ?? preprocess(picture, bundle.input).stages;
      write(from, d.input.picture ? "" : "This digit comes from the data, where all of this is done already; here it is put back on paper first.");
      cards.forEach((card, k) => {
        const { grid } = stages[k];
        const on = d.input.picture ? !off.has(card.name) : true;
        const [low, high] = k === 0 ? [255, 0] : k >= cards.length - 2 && !off.has("normalise") ? [0, 1] : [0, 255];
        pixels(prepare(card.canvas, SIZE, SIZE), grid.data, { rows: grid.rows, cols: grid.cols, low, high, size: SIZE, colours: ctx.colours(), smooth: k < 3 });
        card.box.update(on);
        attr(card.node, "data-off", !on);
        attr(card.canvas, "aria-label", `After stage ${card.name}: ${grid.rows} by ${grid.cols} pixels`);
        write(card.size, `${grid.rows} × ${grid.cols}`);
        write(card.text, SAYS[card.name][on ? 0 : 1]);
      });
      const whole = forward(d.layers, preprocess(picture, bundle.input, (name) => name !== "normalise" || bundle.input.normalised).x);
      const now = `Now: ${d.pass.digit} (${percent(d.pass.probabilities[d.pass.digit])}).`;
      write(result, d.state.off ? `${now} With every stage: ${whole.digit} (${percent(whole.probabilities[whole.digit])}).` : now);
      reset.disabled = !d.state.off;
      table.update();
    },
  };
}
