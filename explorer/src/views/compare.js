/** Two models, or one model at two epochs, on the same digit. */

import { createCount, weightCount, weightsAt } from "../derive.js";
import { attr, bar, h, num, percent, row, setBar, times, whole, write } from "../dom.js";
import { forward } from "../engine.js";
import { createThumbs } from "./thumbs.js";

const MANY = 24;
const SLICE = 12;

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
  /** @type {{key: string, counting: ReturnType<typeof createCount>, stats: import("../derive.js").Statistics | null} | null} */
  let kept = null;
  /** The other model's statistics, counted in slices. @param {string} key @param {import("../engine.js").Layer[]} layers @param {(at: number) => Float64Array} sample */
  const countOther = (key, layers, sample) => {
    if (kept?.key !== key) kept = { key, counting: createCount(bundle, layers, sample), stats: null };
    if (!kept.stats && kept.counting.run(performance.now() + SLICE)) kept.stats = kept.counting.result();
    if (!kept.stats) ctx.refresh();
    return kept.stats;
  };
  const wide = () => h("td.wide", bar());

  return {
    node: h(".stack", h("p.lead", say("compareLead")), h("label.field", h("span", "Compare with"), select), none, content),
    update(d) {
      const { epochs } = d.model;
      const early = !d.live && d.state.epoch >= 0 && d.state.epoch < epochs.length - 1;
      const given = early ? d.model.name : d.live ? say("asGiven", d.model.name) : "";
      const choices = bundle.models.map((model, k) => [`m${k}`, k === d.state.model ? given : model.name]).filter(([, name]) => name);
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
      const ours = d.counted();
      if (!ours) ctx.count();
      const theirs = countOther(key, layers, d.sample);
      write(names[0], d.live ? say("asTrained", d.model.name) : early ? say("atEpoch", d.model.name, epochs[d.state.epoch].epoch) : d.model.name);
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
          write(line.children[1 + 2 * side], d.input.blank ? "–" : percent(p));
          const box = line.children[2 + 2 * side].firstChild;
          setBar(box, d.input.blank ? 0 : p);
          attr(box, "data-top", k === one.digit);
        });
      }
      [d.input.blank ? ["–", "–"] : [d.pass.digit, pass.digit], [ours && percent(ours.accuracy), theirs && percent(theirs.accuracy)], [ours && num(ours.loss), theirs && num(theirs.loss)], [weightCount(d.layers), weightCount(layers)]].forEach(([one, two], k) => {
        const line = body.children[d.classes + k];
        write(line.children[1], String(one ?? "…"));
        write(line.children[3], String(two ?? "…"));
      });
      if (!ours || !theirs) return write(title, say("counting"));
      const split = times(bundle.count, (s) => s).filter((s) => ours.digits[s] !== theirs.digits[s]);
      write(title, say("disagree", split.length, whole(bundle.count)));
      thumbs.update(d, split.slice(0, MANY), (s) => `${ours.digits[s]} | ${theirs.digits[s]}`);
    },
  };
}
