/** The units that decided between the answer and the label, or the runner-up. */

import { button, h, num, signed, times } from "../dom.js";

/**
 * What each unit below the last layer adds to the answer's lead over the label.
 * @param {import("../derive.js").Derived} d @param {number} against
 */
export function pushes(d, against) {
  const { layers, pass } = d;
  const last = layers[layers.length - 1];
  const below = layers.length > 1 ? pass.a[layers.length - 2] : pass.x;
  return Array.from(below, (a, j) => ({
    unit: j,
    push: a * (last.weights[j * last.units + pass.digit] - last.weights[j * last.units + against]),
  })).sort((p, q) => q.push - p.push);
}

/** @param {import("../app.js").Context} ctx */
export function createBlame(ctx) {
  const { say } = ctx.bundle;
  const node = h(".stack@blame");
  let shown = "";
  return {
    node,
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const key = d.weightsKey + d.inputKey;
      if (key === shown) return;
      shown = key;
      const { pass: { digit, logits }, layers } = d;
      const [next] = times(d.classes, (k) => k).filter((k) => k !== digit).sort((a, b) => logits[b] - logits[a]);
      const rival = d.label >= 0 && d.label !== digit ? d.label : next;
      const below = layers.length - 2;
      node.replaceChildren(
        ctx.heading(say("why", digit, rival)),
        h("p.note", say("lead", digit, rival, num(logits[digit] - logits[rival]))),
        h("ul.pushes", pushes(d, rival).slice(0, 4).filter(({ push }) => push > 0).map(({ unit, push }) => h("li",
          below >= 0
            ? button(`${layers[below].name} unit ${unit}`, () => { ctx.openUnit(below, unit); ctx.open("network"); })
            : h("span", `pixel ${unit}`),
          h("span.num", signed(push))))));
    },
  };
}
