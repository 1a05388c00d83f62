/** From logits to probabilities in 32-bit arithmetic, with the overflow that a shift prevents. */

import { attr, checkbox, h, heads, num, percent, row, segmented, write } from "../dom.js";
import { argmax, crossEntropy } from "../engine.js";

const F = Math.fround;

/** Softmax as a 32-bit float computes it, with or without the shift. @param {ArrayLike<number>} logits @param {number} plus @param {boolean} shift */
export function softmax32(logits, plus, shift) {
  const z = Array.from(logits, (v) => F(F(v) + plus));
  const top = shift ? z[argmax(z)] : 0;
  const shifted = z.map((v) => F(v - top));
  const e = shifted.map((v) => F(Math.exp(v)));
  const sum = e.reduce((total, v) => F(total + v), 0);
  return { z, shifted, e, sum, p: e.map((v) => F(v / sum)) };
}

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createSoftmax(ctx) {
  const { store } = ctx;
  const shift = checkbox("Subtract the largest logit first", (on) => store.set({ shift: on ? 1 : 0 }));
  const plus = segmented("Add to every logit", { 0: "+0", 100: "+100", 1000: "+1,000" }, (value) => store.set({ plus: Number(value) }));
  const head = heads(["digit", "logit z", "z − max", "exp", "÷ sum = p", "p"]);
  const body = h("tbody");
  const sum = h("td");
  const verdict = h("p.lead", { "data-part": "verdict" });
  const loss = h("p.lead");
  return {
    node: h(".stack",
      h("p.lead", "The last layer gives a number for each digit, a logit. Softmax makes them positive with exp and divides by their sum, so that they add up to 1; the order stays the same, and the largest one is the answer."),
      h(".row", shift.node, h("span.gap"), h("span.label", "Add to every logit"), plus.node),
      h(".scroll.tall", { tabindex: 0, role: "region", "aria-label": "Softmax, step by step" },
        h("table.softmax", { "data-part": "softmax" }, head, body,
          h("tfoot", row("sum", "", "", sum, "", "")))),
      verdict, loss),
    update(d) {
      const { logits, digit } = d.pass;
      const s = softmax32(logits, d.state.plus, Boolean(d.state.shift));
      shift.update(Boolean(d.state.shift));
      plus.update(String(d.state.plus));
      write(head.firstChild.children[2], d.state.shift ? "z − max" : "z");
      while (body.children.length < logits.length) {
        body.append(row(body.children.length, "", "", "", "",
          h("td.wide", h("span.bar", h("span.bar-fill")))));
      }
      [...body.children].forEach((line, k) => {
        const p = Number.isFinite(s.p[k]) ? s.p[k] : 0;
        [num(s.z[k]), num(s.shifted[k]), num(s.e[k], 4), num(s.p[k], 4)].forEach((text, c) => write(line.children[c + 1], text));
        line.children[5].firstChild.firstChild.style.transform = `scaleX(${p.toFixed(4)})`;
        attr(line, "data-top", k === digit);
      });
      write(sum, num(s.sum, 4));
      const broken = s.p.some((p) => Number.isNaN(p));
      write(verdict, broken
        ? `exp(${num(s.z[argmax(s.z)], 0)}) is more than a 32-bit float can hold (3.4 × 10³⁸), so it becomes ∞, and ∞ / ∞ is not a number. Subtract the largest logit first: every exp is then at most 1.`
        : `The largest is ${digit}, with ${percent(s.p[digit])}. ${d.state.plus ? "Adding the same number to every logit changes nothing." : "A constant added to every logit would change nothing."}`);
      const label = d.label >= 0 ? d.label : digit;
      const naive = -Math.log(s.p[label]);
      write(loss, `Why from_logits=True: the loss of label ${label} is log Σ exp(z) − z[${label}] = ${num(crossEntropy(logits, label), 4)} when it is computed from the logits. By way of the probabilities it is −log p = ${num(naive, 4)}${naive === crossEntropy(logits, label) || Math.abs(naive - crossEntropy(logits, label)) < 1e-3 ? ", the same as long as nothing overflows." : ": the way through p has lost it."}`);
    },
  };
}
