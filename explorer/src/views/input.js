/** From the picture to the network's input, stage by stage, each of which can be left out. */

import { attr, button, checkbox, describe, h, num, percent, picture, tableView, times, write } from "../dom.js";
import { pixels, prepare } from "../draw.js";
import { forward } from "../engine.js";
import { stageNames } from "../prep.js";

const SIZE = 104;

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createInput(ctx) {
  const { store, bundle } = ctx;
  const { input: { side }, say } = bundle;
  /** @param {string} name @param {boolean} on */
  const toggle = (name, on) => {
    const off = new Set(store.state.off.split(".").filter(Boolean));
    on ? off.delete(name) : off.add(name);
    store.set({ off: [...off].join(".") });
  };
  const cards = stageNames(side).map((name, k) => {
    const canvas = picture();
    const size = h("span.note");
    const text = h("p.note");
    const box = checkbox(`${k + 1} ${name}`, (on) => toggle(name, on));
    return { name, canvas, size, text, box, node: h("li.card", canvas, h(".row", box.node, h("span.gap"), size), text) };
  });
  const from = h("p.note");
  const result = h("p.lead@outcome");
  const reset = button("All stages on", () => store.set({ off: "" }));
  /** @type {import("../prep.js").Stage[]} */
  let stages = [];
  const table = tableView(say("inputTable"), () => {
    const { grid } = stages[stages.length - 1];
    return {
      head: ["Row", ...times(side, String)],
      rows: times(side, (r) => [r, ...times(side, (c) => num(grid.data[r * side + c], 2))]),
    };
  });
  return {
    node: h(".stack",
      h("p.lead", say("inputLead")),
      h(".row", result, h("span.gap"), reset),
      h("ol.cards@stages", cards.map((card) => card.node)), from, table.node),
    update(d) {
      const all = d.without("");
      stages = d.input.stages ?? all.stages;
      write(from, d.state.source === "sample" ? say("fromData") : "");
      cards.forEach((card, k) => {
        const { grid, on } = stages[k];
        const one = k >= cards.length - 2 && stages.at(-2)?.on;
        // As numbers are, in every scheme: black is 0, white the most. Inverted, ink is what is white.
        pixels(prepare(card.canvas, SIZE, SIZE), grid.data, { rows: grid.rows, cols: grid.cols, low: 0, high: one ? 1 : 255, size: SIZE, colours: { ...ctx.colours(), surface: "rgb(0, 0, 0)", ink: "rgb(255, 255, 255)" }, smooth: k < 3 });
        card.box.update(on);
        attr(card.node, "data-off", !on);
        describe(card.canvas, say("afterStage", card.name, grid.rows, grid.cols));
        write(card.size, `${grid.rows} × ${grid.cols}`);
        write(card.text, say(`${card.name}.${on ? "on" : "off"}`));
      });
      /** @param {import("../engine.js").Pass} pass */
      const reading = ({ digit, share }) => `${digit} (${percent(share)})`;
      write(result, d.state.off
        ? say("outcome", reading(d.pass), reading(forward(d.layers, all.x)))
        : `Now: ${reading(d.pass)}.`);
      reset.disabled = !d.state.off;
      table.update();
    },
  };
}
