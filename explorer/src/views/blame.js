/** The units that decided between the answer and the label, or the runner-up. */

import { button, h, num, signed, times } from "../dom.js";
import { isMap, nodesOf, termsOf } from "../engine.js";

/**
 * What each unit below the last layer adds to the answer's lead over the label.
 * @param {import("../derive.js").Derived} d @param {number} against
 */
export function pushes(d, against) {
  const { layers, pass } = d;
  const last = layers.length - 1;
  const below = last ? pass.a[last - 1] : pass.x;
  const [one, two] = [pass.digit, against].map((unit) => termsOf(layers[last], below, unit));
  // Two units of a pool or of a factor have no input in common: then there is nothing to weigh up.
  if (layers[last].kind !== "dense") return [];
  return one.inputs.map((unit, k) => ({ unit, push: one.terms[k] - two.terms[k] })).sort((p, q) => q.push - p.push);
}

/** What a unit of a layer is called. @param {import("../engine.js").Layer} layer @param {number} unit */
const named = (layer, unit) => (isMap(layer) ? `${layer.name} map ${unit % layer.shape[2]}` : `${layer.name} unit ${unit}`);

/** @param {import("../app.js").Context} ctx */
export function createBlame(ctx) {
  const { say } = ctx.bundle;
  const node = h(".blame@blame");
  let shown = "";
  /** Who points at a unit's name sees where it is. @param {number} layer @param {number} unit */
  const pointing = (layer, unit) => {
    const show = () => ctx.point({ layer, unit });
    const hide = () => ctx.point(null);
    return { on: { pointerenter: show, pointerleave: hide, focus: show, blur: hide } };
  };
  return {
    node,
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const key = `${d.weightsKey}#${d.inputKey}#${d.label}`;
      if (key === shown) return;
      shown = key;
      const { pass: { digit, logits }, layers } = d;
      const [next] = times(d.classes, (k) => k).filter((k) => k !== digit).sort((a, b) => logits[b] - logits[a]);
      const rival = d.label >= 0 && d.label !== digit ? d.label : next;
      const below = layers.length - 2;
      const all = pushes(d, rival);
      // What did most for the answer, and what most against it; the rest is said in one number.
      const shares = [...all.slice(0, 3).filter(({ push }) => push > 0), ...all.slice(-1).filter(({ push }) => push < 0)];
      const lead = logits[digit] - logits[rival];
      node.replaceChildren(
        ctx.heading(say("why", digit, rival)),
        h("ul.pushes", shares.map(({ unit, push }) => h("li",
          below >= 0
            ? button(named(layers[below], unit), () => { ctx.openUnit(below, unit); ctx.open("network"); ctx.point(null); ctx.reveal(true); }, pointing(below, unit % nodesOf(layers[below])))
            : h("span", d.bundle.input.kind === "image" ? `pixel ${unit}` : d.bundle.input.columns[unit]),
          h("span.num", signed(push))))),
        h("p.note", say(below >= 0 ? "lead" : "leadInput", digit, rival, num(lead), signed(lead - shares.reduce((sum, { push }) => sum + push, 0)))));
    },
  };
}
