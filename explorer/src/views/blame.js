/**
 * Why the answer and not another one: the ink that spoke for it, and the units that decided between the
 * answer and the label, or the runner-up.
 */

import { button, describe, h, num, picture, signed, tableView, times } from "../dom.js";
import { largest, prepare, squares } from "../draw.js";
import { evidence, isMap, nodesOf, termsOf } from "../engine.js";
import { asImage } from "../derive.js";
import { source } from "./terms.js";

const SIDE = 112;
/** Of what speaks for the answer, so much is named at most. */
const MOST = 6;

/**
 * What each unit below the last layer adds to the answer's lead over the label.
 * @param {import("../derive.js").Derived} d @param {number} against
 */
function pushes(d, against) {
  const { layers, pass } = d;
  const last = layers.length - 1;
  const below = last ? pass.a[last - 1] : pass.x;
  const [one, two] = [pass.digit, against].map((unit) => termsOf(layers[last], below, unit));
  // Two units of a pool or of a factor have no input in common: then there is nothing to weigh up.
  if (layers[last].kind !== "dense") return [];
  return one.inputs.map((unit, k) => ({ unit, push: one.terms[k] - two.terms[k] })).sort((p, q) => q.push - p.push);
}

/** What a unit of a layer is called in it. @param {import("../engine.js").Layer} layer @param {number} unit */
const named = (layer, unit) => (isMap(layer) ? `map ${unit % layer.shape[2]}` : `unit ${unit}`);

/** The class that the answer is held against: the right one where it is wrong, else the next one. @param {import("../derive.js").Derived} d */
export function rivalOf({ pass: { digit, logits }, label, classes }) {
  if (label >= 0 && label !== digit) return label;
  return times(classes, (k) => k).filter((k) => k !== digit).sort((a, b) => logits[b] - logits[a])[0];
}

/** The question that is answered. @param {import("../derive.js").Derived} d */
export const whyOf = (d) => d.bundle.say("why", d.pass.digit, rivalOf(d));

/** @param {import("../app.js").Context} ctx */
export function createBlame(ctx) {
  const { bundle: { say, input } } = ctx;
  const canvas = picture(".evidence");
  const title = ctx.heading();
  title.tabIndex = -1;
  const list = h("ul.pushes");
  const note = h("p.note");
  const legend = h("p.note.legend");
  /** @type {Float64Array} */
  let found = new Float64Array(0);
  const table = tableView(say("evidenceTable"), () => {
    const d = ctx.now();
    return { head: ["From", "x", "w · x"], rows: Array.from(found, (v, k) => [source({ ...d, state: { ...d.state, layer: 0 } }, k), num(d.pass.x[k]), signed(v)]) };
  });
  const drawn = input.kind === "image";
  const node = h(".blame@blame", drawn && h("figure", canvas), h(".because", h(".row", title, drawn && legend), list, note, drawn && table.node));
  let shown = "";
  /** Who points at a unit's name sees where it is. @param {number} layer @param {number} unit */
  const pointing = (layer, unit) => {
    const show = () => ctx.point({ layer, unit });
    const hide = () => ctx.point(null);
    return { on: { pointerenter: show, pointerleave: hide, focus: show, blur: hide } };
  };
  /** @param {import("../engine.js").Layer[]} layers @param {number} below @param {number} unit */
  const opener = (layers, below, unit) => {
    const name = named(layers[below], unit);
    const open = () => {
      ctx.openUnit(below, unit);
      ctx.open("network");
      ctx.point(null);
      ctx.reveal(true);
    };
    return button(name, open, { "aria-label": `${layers[below].name} ${name}`, ...pointing(below, unit % nodesOf(layers[below])) });
  };
  return {
    node,
    /** Bring it into view, and the focus to it. */
    show() {
      title.focus({ preventScroll: true });
      node.scrollIntoView({ block: "nearest", behavior: ctx.motion.reduced() ? "auto" : "smooth" });
    },
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const key = [d.weightsKey, d.inputKey, d.label, ctx.colours().ink].join("#");
      if (key === shown) return;
      shown = key;
      const rival = rivalOf(d);
      title.textContent = whyOf(d);
      if (drawn) paint(d, rival);
      tell(d, rival);
    },
  };

  /** @param {import("../derive.js").Derived} d @param {number} rival */
  function paint(d, rival) {
    const { digit } = d.pass;
    found = evidence(d.layers, d.pass, digit, rival, input.drawable ? input.low : 0);
    const shares = asImage(found, input);
    squares(prepare(canvas, SIDE, (SIDE * input.rows) / input.cols), shares, SIDE, ctx.colours(), { cols: input.cols, top: largest(shares) });
    describe(canvas, say("evidenceSays", digit, rival));
    legend.textContent = say("evidence", digit, rival);
    table.update();
  }

  /** @param {import("../derive.js").Derived} d @param {number} rival */
  function tell(d, rival) {
    const { pass: { digit, logits }, layers } = d;
    const below = layers.length - 2;
    const all = pushes(d, rival);
    const lead = logits[digit] - logits[rival];
    const against = all.slice(-1).filter(({ push }) => push < 0);
    const others = (/** @type {number} */ count) => lead - [...all.slice(0, count), ...against].reduce((sum, { push }) => sum + push, 0);
    // What did most for the answer, and what most against it: as many as together are no less than the rest,
    // which is said in one number.
    const speaking = all.filter(({ push }) => push > 0).length;
    let count = Math.min(2, speaking);
    while (count < Math.min(MOST, speaking) && others(count) > lead / 2) count++;
    const shares = [...all.slice(0, count), ...against];
    const rest = others(count);
    const inputs = input.kind === "image" ? "pixel" : "";
    list.replaceChildren(
      h("li", h("b", below >= 0 ? layers[below].name : inputs)),
      ...shares.map(({ unit, push }) => h("li",
        below >= 0 ? opener(layers, below, unit) : h("span", inputs ? unit : input.columns[unit]),
        h("span.num", signed(push)))),
      h("li", h("span", say("others")), h("span.num@others", signed(rest))),
      h("li", h("span", "= "), h("b.num@lead", num(lead))));
    note.textContent = say(below >= 0 ? "lead" : "leadInput", digit, rival) + (shares.length && rest > lead / 2 ? say("outweigh") : "");
  }
}
