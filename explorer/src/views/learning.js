/** The backward pass for this digit, and what a step of gradient descent would do. */

import { button, describe, h, heads, num, percent, picture, range, row, scientific, tableView, times, whole, write } from "../dom.js";
import { largest, prepare, squares } from "../draw.js";
import { backward, crossEntropy, forward, numericalSlope, sgdStep } from "../engine.js";
import { roll } from "../prep.js";

const SIDE = 168;
const MOST = 50;
/** Rows of the table of gradients, at most. */
const ROWS = 2000;

/** A loss: what is small keeps its figures. @param {number} value */
const fine = (value) => (value < 0.01 ? scientific(value) : num(value, 4));

/** Length of a vector. @param {Float64Array} values */
const norm = (values) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createLearning(ctx) {
  const { store, bundle } = ctx;
  const { input, say } = bundle;
  const select = h("select", { on: { change: () => store.set({ truth: Number(select.value), steps: 0 }) } });
  const target = h("label.field", h("span", "It is meant to be a"), select);
  const ask = h("p.lead", say("askTarget"));
  const loss = h("p.formula");
  const saliency = picture();
  const rows = h("tbody");
  const check = h("p.note@check");
  const rate = range("Learning rate", -3, 0, 0.05, (power) => store.set({ lr: Number((10 ** power).toPrecision(3)) }));
  const rateText = h("output.num");
  const one = button("Take one step", () => store.set({ steps: Math.min(MOST, store.state.steps + 1) }), { "data-main": true });
  const undo = button("Undo the steps", () => store.set({ steps: 0 }));
  const after = h("tbody");
  const verdict = h("p.lead@step");
  const unitsTable = tableView(say("gradientTable"), () => {
    const d = ctx.now();
    const g = backward(d.layers, d.pass, label(d));
    return { head: ["Unit", "dL/dz"], rows: d.layers.flatMap((layer, l) => Array.from(g.z[l], (v, j) => [`${layer.name} unit ${j}`, num(v, 5)])).slice(0, ROWS) };
  });
  const content = h(".split",
    h("section.stack", { "aria-label": "Backward pass" },
      ctx.heading("Backward: who is to blame"),
      h("p.lead", say("learningLead")),
      loss,
      h("figure.half", saliency, h("figcaption", say("saliency"))),
      h("table", h("caption.sr", "Gradients by layer"),
        heads(["layer", "size of dL/dw", "largest", "units reached"]), rows),
      check, unitsTable.node),
    h("section.stack@descent", { "aria-label": "Gradient descent" },
      ctx.heading("One step downhill"),
      h("p.lead", say("descent")),
      h("label.row", h("span.label", "Learning rate"), rate.node, rateText),
      h(".row", one, undo),
      h("table", h("caption.sr", "Before and after"), heads(["on this digit", "before", "after"]), after),
      verdict));

  /** @param {import("../derive.js").Derived} d */
  const label = (d) => (d.label >= 0 ? d.label : d.pass.digit);

  let shown = "";
  return {
    node: h(".stack", target, ask, content),
    update(d) {
      const key = [d.inputKey, d.weightsKey, d.label, d.state.lr, d.state.steps, ctx.colours().ink].join();
      if (key === shown) return;
      shown = key;
      if (select.children.length !== d.classes + 1) {
        select.replaceChildren(h("option", { value: -1 }, "…"), ...times(d.classes, (k) => h("option", { value: k }, k)));
      }
      select.value = String(d.label);
      select.disabled = d.state.source === "sample";
      ask.hidden = d.label >= 0;
      content.hidden = d.label < 0;
      if (d.label < 0) return;
      const { layers, pass, state } = d;
      const g = backward(layers, pass, d.label);
      write(loss, `L = −log p(${d.label}) = ${fine(g.loss)}`);
      const flat = input.channels === 1 && input.side > 0;
      saliency.parentElement.hidden = !flat;
      if (flat) squares(prepare(saliency, SIDE, SIDE), roll(g.input, input.side, input.order), SIDE, ctx.colours());
      describe(saliency, say("saliencySays"));
      rows.replaceChildren(...layers.map((layer, l) => {
        const reached = g.z[l].filter((v) => v !== 0).length;
        return row(layer.name, g.weights[l].length ? scientific(norm(g.weights[l])) : "–", g.weights[l].length ? scientific(largest(g.weights[l])) : "–", `${whole(reached)} of ${whole(layer.units)}`);
      }));
      write(check, probe(d, g));
      rate.update(Number(Math.log10(state.lr).toFixed(2)), String(state.lr));
      write(rateText, String(state.lr));
      let stepped = layers;
      let last = pass;
      for (let s = 0; s < Math.min(MOST, state.steps); s++) {
        stepped = sgdStep(stepped, backward(stepped, last, d.label), state.lr);
        last = forward(stepped, d.input.x);
      }
      const done = crossEntropy(last.logits, d.label);
      const show = state.steps > 0;
      after.replaceChildren(...[
        ["loss", fine(g.loss), fine(done)],
        [`p(${d.label})`, percent(pass.probabilities[d.label], 2), percent(last.probabilities[d.label], 2)],
        ["answer", String(pass.digit), String(last.digit)],
      ].map(([name, before, now]) => row(name, before, show ? now : "–")));
      verdict.dataset.before = String(g.loss);
      verdict.dataset.after = String(done);
      write(verdict, show
        ? say(done < g.loss ? "lower" : done > g.loss ? "higher" : "same", state.steps, fine(Math.abs(done - g.loss)))
        : say("predictFirst"));
      undo.disabled = !show;
      one.disabled = state.steps >= MOST;
      unitsTable.update();
    },
  };

  /** The steepest weight's slope by both ways. @param {import("../derive.js").Derived} d @param {import("../engine.js").Gradients} g */
  function probe(d, g) {
    const l = d.layers.findLastIndex(({ weights }) => weights.length);
    const k = g.weights[l].reduce((best, v, at, all) => (Math.abs(v) > Math.abs(all[best]) ? at : best), 0);
    const measured = numericalSlope(d.layers, d.input.x, d.label, l, k);
    check.dataset.difference = String(Math.abs(measured - g.weights[l][k]));
    return say("checked", d.layers[l].name, num(g.weights[l][k], 6), num(measured, 6));
  }
}
