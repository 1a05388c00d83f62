/** From logits to probabilities in 32-bit arithmetic, with the overflow that a shift prevents. */

import { attr, bar, checkbox, h, heads, num, percent, row, scientific, scroller, segmented, setBar, write } from "../dom.js";
import { argmax } from "../activations.js";
import { crossEntropy } from "../engine.js";
import { rivalOf } from "./blame.js";

const F = Math.fround;

/** Softmax as a 32-bit float computes it, with or without the shift. @param {ArrayLike<number>} logits @param {number} plus @param {boolean} shift */
function softmax32(logits, plus, shift) {
  const z = Array.from(logits, (v) => F(F(v) + plus));
  const top = shift ? z[argmax(z)] : 0;
  const shifted = z.map((v) => F(v - top));
  const e = shifted.map((v) => F(Math.exp(v)));
  const sum = e.reduce((total, v) => F(total + v), 0);
  return { z, shifted, e, sum, p: e.map((v) => F(v / sum)) };
}

/** How the answer's lead over the next class becomes its share. @param {import("../derive.js").Derived} d */
function tying(d) {
  const { pass: { digit, logits, probabilities: p }, bundle: { say } } = d;
  const rival = rivalOf(d);
  const lead = logits[digit] - logits[rival];
  const others = logits.reduce((sum, z, k) => (k === digit ? sum : sum + Math.exp(z - logits[digit])), 0);
  const [one, two] = [digit, rival].map((k) => `${scientific(100 * p[k])}\u00a0%`);
  return say("tie", digit, rival, num(lead), scientific(Math.exp(lead)), scientific(others), one, two);
}

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createSoftmax(ctx) {
  const { store, bundle: { say } } = ctx;
  const shift = checkbox(say("subtract"), (on) => store.set({ shift: on ? 1 : 0 }));
  const plus = segmented("Add to every logit", { 0: "+0", 100: "+100", 1000: "+1,000" }, (value) => store.set({ plus: Number(value) }));
  const head = heads(["digit", "logit z", "z − max", "exp", "÷ sum = p", ""]);
  const body = h("tbody");
  const sum = h("td");
  const verdict = h("p.lead@verdict");
  const tie = h("p.lead@tie");
  const loss = h("p.lead");
  return {
    node: h(".stack",
      h("p.lead", say("softmax")),
      h(".row@shift", shift.node, h("span.gap"), h("span.label", "Add to every logit"), plus.node),
      scroller("Softmax, step by step",
        h("table.softmax@softmax", head, body,
          h("tfoot", row("sum", "", "", sum, "", "")))),
      verdict, tie, loss),
    update(d) {
      const { logits, digit } = d.pass;
      const s = softmax32(logits, d.state.plus, Boolean(d.state.shift));
      shift.update(Boolean(d.state.shift));
      plus.update(String(d.state.plus));
      write(head.firstChild.children[2], d.state.shift ? "z − max" : "z");
      while (body.children.length < logits.length) {
        body.append(row(body.children.length, "", "", "", "", h("td.wide", bar())));
      }
      [...body.children].forEach((line, k) => {
        const p = Number.isFinite(s.p[k]) ? s.p[k] : 0;
        [num(s.z[k]), num(s.shifted[k]), num(s.e[k], 4), num(s.p[k], 4)].forEach((text, c) => write(line.children[c + 1], text));
        setBar(line.lastChild.firstChild, p);
        attr(line, "data-top", k === digit);
      });
      write(sum, num(s.sum, 4));
      const broken = s.p.some((p) => Number.isNaN(p));
      write(verdict, broken
        ? say("overflow", num(s.z[argmax(s.z)], 0))
        : say("largest", digit, percent(s.p[digit])));
      tie.hidden = broken;
      write(tie, tying(d));
      const label = d.label >= 0 ? d.label : digit;
      const exact = crossEntropy(logits, label);
      const naive = -Math.log(s.p[label]);
      write(loss, say("fromLogits", label, num(exact, 4), num(naive, 4)) + say(Math.abs(naive - exact) < 1e-3 ? "sameLoss" : "lostLoss"));
    },
  };
}
