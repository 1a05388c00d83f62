/** What the network makes of the digit: the answer, how sure, and every class's probability. */

import { attr, bar, h, num, percent, setBar, times, whole, write } from "../dom.js";

/** Classes with a bar each; of more only the most probable have one. */
const BARS = 12;

/** @param {import("../app.js").Context} ctx */
export function createVerdict(ctx) {
  const { bundle } = ctx;
  const { say } = bundle;
  const classes = bundle.models[0].layers.at(-1)?.units ?? 10;
  const big = h("strong.answer");
  const sure = h("span.sure");
  const truth = h("p.truth");
  const rows = times(Math.min(classes, BARS), () => h("li", h("span"), bar(), h("span.num")));
  const rest = h("p.note");
  let shown = "";
  return {
    node: h(".answers", h(".verdict@answer", big, h("div", sure, truth)),
      h("ol.bars", { "aria-label": "Probability of each class" }, rows), rest),
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const { pass, input: { blank }, told } = d;
      const key = [d.inputKey, d.weightsKey, d.label, told].join();
      if (key === shown) return;
      shown = key;
      write(big, blank ? "–" : told ? String(pass.digit) : "?");
      write(sure, blank ? "no ink yet" : told ? percent(pass.share) : say("notYet"));
      write(truth, sayTruth(d));
      attr(truth, "data-right", told && d.label >= 0 ? pass.digit === d.label : "");
      const order = times(classes, (k) => k);
      if (classes > BARS && told) order.sort((a, b) => pass.probabilities[b] - pass.probabilities[a]);
      rows.forEach((row, n) => {
        const k = order[n];
        const p = told ? pass.probabilities[k] : 0;
        write(row.firstChild, String(k));
        setBar(row.children[1], p);
        write(row.lastChild, told ? num(100 * p, 1) : blank ? "–" : "?");
        attr(row, "data-top", told && k === pass.digit);
      });
      const others = order.slice(BARS);
      rest.hidden = !others.length;
      write(rest, say("otherClasses", whole(others.length), told ? percent(others.reduce((sum, k) => sum + pass.probabilities[k], 0)) : "?"));
    },
  };

  /** @param {import("../derive.js").Derived} d */
  function sayTruth({ state, input, told, pass, label }) {
    if (input.blank) return "";
    if (!told && state.grain === "term") return say("oneUnit");
    let what = state.source === "photo" || state.base === "photo" ? "your picture" : "your drawing";
    if (state.base === "sample") what = say("drawnOver", bundle.labels[state.sample]);
    if (state.source === "sample") {
      const which = [whole(state.sample + 1), whole(bundle.count)];
      what = told ? say(pass.digit === label ? "right" : "wrong", label, ...which) : say("oneOf", ...which);
    }
    return state.off ? say("leftOut", what, state.off.replaceAll(".", ", ")) : what;
  }
}
