/** Two models, or one model at two epochs, on the same digit. */

import { evaluate, weightCount, weightsAt } from "../derive.js";
import { attr, bar, h, num, percent, row, setBar, times, whole, write } from "../dom.js";
import { forward } from "../engine.js";
import { createThumbs } from "./thumbs.js";

const MANY = 24;

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createCompare(ctx) {
  const { store, bundle } = ctx;
  const { say } = bundle;
  const select = h("select", { "aria-label": "Compare with", on: { change: () => store.set({ other: select.value }) } });
  const none = h("p.lead", say("alone"));
  const names = times(2, () => h("th", { scope: "col", colspan: 2 }));
  const body = h("tbody");
  const title = ctx.heading();
  const thumbs = createThumbs(ctx, say("disagreement"));
  const content = h(".split",
    h("table.versus@versus", h("thead", h("tr", h("td"), names)), body),
    h(".stack", title, thumbs.node));
  let options = "";
  /** @type {{key: string, stats: import("../derive.js").Statistics} | null} */
  let kept = null;
  const wide = () => h("td.wide", bar());

  return {
    node: h(".stack", h("label.field", h("span", "Compare with"), select), none, content),
    update(d) {
      const choices = bundle.models.flatMap((model, k) => (k === d.state.model ? [] : [[`m${k}`, model.name]]));
      const { epochs } = d.model;
      const marks = [0, 1, 2, 5, 10, 20, 50].filter((e) => e < epochs.length - 1);
      choices.push(...marks.map((e) => [`e${e}`, say("sameModel", epochs[e].epoch)]));
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
      if (!body.children.length) {
        body.append(
          ...times(d.classes, (k) => row(k, "", wide(), "", wide())),
          ...["answer", "accuracy", "loss", "weights"].map((name) => row(name, "", "", "", "")));
      }
      for (let k = 0; k < d.classes; k++) {
        const line = body.children[k];
        [d.pass, pass].forEach((one, side) => {
          const p = one.probabilities[k];
          write(line.children[1 + 2 * side], percent(p));
          const box = line.children[2 + 2 * side].firstChild;
          setBar(box, p);
          attr(box, "data-top", k === one.digit);
        });
      }
      [[d.pass.digit, pass.digit], [percent(ours.accuracy), percent(theirs.accuracy)], [num(ours.loss), num(theirs.loss)], [weightCount(d.layers), weightCount(layers)]].forEach(([one, two], k) => {
        const line = body.children[d.classes + k];
        write(line.children[1], String(one));
        write(line.children[3], String(two));
      });
      const split = times(bundle.count, (s) => s).filter((s) => ours.digits[s] !== theirs.digits[s]);
      write(title, say("disagree", split.length, whole(bundle.count)));
      thumbs.update(d, split.slice(0, MANY), (s) => `${ours.digits[s]} | ${theirs.digits[s]}`);
    },
  };
}
