/** Two models, or one model at two epochs, on the same digit. */

import { evaluate, weightsAt } from "../derive.js";
import { attr, h, num, percent, row, write } from "../dom.js";
import { forward } from "../engine.js";
import { createThumbs } from "./thumbs.js";

const MANY = 24;

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createCompare(ctx) {
  const { store, bundle } = ctx;
  const select = h("select", { "aria-label": "Compare with", on: { change: () => store.set({ other: select.value }) } });
  const none = h("p.lead", "There is nothing to compare with yet. Give a second model, Explorer(model, X, y, compare={\"another\": model2}), or a Recorder as history.");
  const names = [h("th", { scope: "col" }), h("th", { scope: "col" })];
  const body = h("tbody");
  const title = h(`h${ctx.level + 1}.h`);
  const thumbs = createThumbs(ctx, "Digits on which they disagree");
  const content = h(".split",
    h("table.versus", { "data-part": "versus" }, h("thead", h("tr", h("td"), names[0], h("td"), names[1], h("td"))), body),
    h(".stack", title, thumbs.node));
  let options = "";
  /** @type {{key: string, stats: import("../derive.js").Statistics} | null} */
  let kept = null;
  const bar = () => h("td.wide", h("span.bar", h("span.bar-fill")));

  return {
    node: h(".stack", h("label.field", h("span", "Compare with"), select), none, content),
    update(d) {
      const choices = bundle.models.flatMap((model, k) => (k === d.state.model ? [] : [[`m${k}`, model.name]]));
      const { epochs } = d.model;
      const marks = [0, 1, 2, 5, 10, 20, 50].filter((e) => e < epochs.length - 1);
      choices.push(...marks.map((e) => [`e${e}`, `the same model after epoch ${epochs[e].epoch}`]));
      if (options !== String(choices)) {
        options = String(choices);
        select.replaceChildren(...choices.map(([value, text]) => h("option", { value }, text)));
      }
      none.hidden = choices.length > 0;
      content.hidden = select.parentElement.hidden = !choices.length;
      if (!choices.length) return;
      const other = choices.some(([value]) => value === d.state.other) ? d.state.other : choices[0][0];
      if (select.value !== other) select.value = other;
      const at = Number(other.slice(1));
      const layers = other[0] === "m" ? bundle.models[at].layers : weightsAt(d.model, at);
      const pass = forward(layers, d.input.x);
      const key = `${d.state.model}${other}`;
      if (kept?.key !== key) kept = { key, stats: evaluate(bundle, layers, d.sample) };
      const theirs = kept.stats;
      const ours = d.statistics();
      write(names[0], d.model.name);
      write(names[1], select.selectedOptions[0]?.textContent ?? "");
      while (body.children.length < d.classes) {
        body.append(row(body.children.length, "", bar(), "", bar()));
      }
      if (body.children.length === d.classes) {
        for (const name of ["answer", "accuracy", "loss", "weights"]) body.append(row(name, "", "", "", ""));
      }
      for (let k = 0; k < d.classes; k++) {
        const line = body.children[k];
        [d.pass, pass].forEach((one, side) => {
          const p = one.probabilities[k];
          write(line.children[1 + 2 * side], percent(p));
          const box = line.children[2 + 2 * side].firstChild;
          box.firstChild.style.transform = `scaleX(${p.toFixed(4)})`;
          attr(box, "data-top", k === one.digit);
        });
      }
      /** @param {import("../engine.js").Layer[]} list */
      const size = (list) => list.reduce((sum, l) => sum + l.inputs * l.units + l.units, 0).toLocaleString("en");
      [[d.pass.digit, pass.digit], [percent(ours.accuracy), percent(theirs.accuracy)], [num(ours.loss), num(theirs.loss)], [size(d.layers), size(layers)]].forEach(([one, two], k) => {
        const line = body.children[d.classes + k];
        write(line.children[1], String(one));
        write(line.children[3], String(two));
      });
      const split = Array.from({ length: bundle.count }, (_, s) => s).filter((s) => ours.digits[s] !== theirs.digits[s]);
      write(title, `They disagree on ${split.length} of ${bundle.count.toLocaleString("en")} digits`);
      thumbs.update(d, split.slice(0, MANY), (s) => `${ours.digits[s]} | ${theirs.digits[s]}`);
    },
  };
}
