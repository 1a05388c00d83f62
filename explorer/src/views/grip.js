/** Take hold of one weight and change it. */

import { parseEdits } from "../derive.js";
import { button, h, num, range, write } from "../dom.js";
import { source } from "./terms.js";

/** @param {import("../app.js").Context} ctx */
export function createGrip(ctx) {
  const { store } = ctx;
  let [rank, held] = [0, -1];
  let shown = "";
  const label = h("span");
  const value = h("output.num");
  /** Index of the weight among its layer's. */
  let at = -1;
  const slider = range(null, -2, 2, 0.01, (value) => {
    held = at;
    const { layer } = ctx.now().state;
    const others = parseEdits(store.state.edits).filter((e) => e.layer !== layer || e.at !== at);
    store.set({ edits: [...others, { layer, at, value }].map((e) => `${e.layer}_${e.at}_${e.value}`).join("~") });
  });
  const next = button("Another weight", () => {
    rank++;
    held = -1;
    ctx.refresh();
  });
  const node = h(".grip@grip", h("label", label, slider.node), value, next, h("p.note", ctx.bundle.say("chooseWeight")));
  return {
    node,
    /** Index of the weight that is held; -1: none can be. */
    at: () => (node.hidden ? -1 : at),
    /** Take hold of a weight, and of the slider. @param {number} which */
    take(which) {
      at = held = which;
      slider.node.focus();
      ctx.refresh();
    },
    /** What is held: whoever remembers what was drawn compares it. */
    key: () => `${rank}.${held}`,
    /** @param {import("../derive.js").Derived} d @param {ReturnType<typeof import("./terms.js").sortedTerms>} found */
    update(d, { at: places, weights, inputs, order }) {
      const open = `${d.state.layer}.${d.state.unit}`;
      if (shown !== open) [rank, held] = [0, -1];
      shown = open;
      const k = held >= 0 ? places.indexOf(held) : order[rank % order.length];
      at = places[k] ?? -1;
      node.hidden = at < 0 || Boolean(d.live);
      if (node.hidden) return;
      write(label, ctx.bundle.say("change", source(d, inputs[k])));
      slider.update(Number(weights[k].toFixed(2)));
      write(value, num(weights[k], 2));
    },
  };
}
