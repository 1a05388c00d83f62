/** The panels, in the order of the story: how it thinks, what goes in and comes out, where it errs, how it learns. */

import { attr, button, h, uid } from "./dom.js";
import { createCompare } from "./views/compare.js";
import { createInput } from "./views/input.js";
import { createLearning } from "./views/learning.js";
import { createMistakes } from "./views/mistakes.js";
import { createNetworkPanel } from "./views/network.js";
import { createQuestions } from "./views/questions.js";
import { createSoftmax } from "./views/softmax.js";
import { createTrainingPanel } from "./views/training.js";

/** @type {Record<string, (ctx: import("./app.js").Context) => import("./app.js").View>} */
const PANELS = {
  Network: createNetworkPanel,
  Input: createInput,
  Softmax: createSoftmax,
  Mistakes: createMistakes,
  Learning: createLearning,
  Training: createTrainingPanel,
  Compare: createCompare,
  Questions: createQuestions,
};
/** Panels that speak of the digit on the sheet alone: a blank sheet has nothing to say there. */
const OF_A_DIGIT = new Set(["input", "softmax", "learning", "questions"]);

/** @param {import("./app.js").Context} ctx */
export function createTabs(ctx) {
  const prefix = uid();
  /** @type {Record<string, import("./app.js").View>} */
  const views = {};
  // How an image is made of a drawing is nothing to ask where nothing can be drawn.
  const panels = Object.entries(PANELS).filter(([title]) => title !== "Input" || ctx.bundle.input.drawable);
  const tabs = panels.map(([title, make]) => {
    const name = title.toLowerCase();
    const [id, controls] = [`${prefix}-${name}`, `${prefix}-panel-${name}`];
    return {
      name,
      make,
      tab: h("button", { role: "tab", id, "aria-controls": controls, "data-panel": name, on: { click: () => ctx.open(name) } }, title),
      holder: h("div", { role: "tabpanel", id: controls, "aria-labelledby": id, class: "dlx-panel", "data-panel": name }),
    };
  });
  const blank = h(".stack.blank", { hidden: true },
    h("p.lead", ctx.bundle.say("blank")), h(".row", button("Show a digit of the data", () => ctx.pickSample(ctx.store.state.sample))));
  /** @param {KeyboardEvent} event */
  const keydown = (event) => {
    const at = tabs.findIndex(({ name }) => name === ctx.store.state.panel);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const { name, tab } = tabs[(to + tabs.length) % tabs.length];
    ctx.open(name);
    tab.focus();
  };
  return {
    list: h(".tabs", { role: "tablist", "aria-label": "Panels", on: { keydown } }, tabs.map(({ tab }) => tab)),
    panels: h(".panels", blank, tabs.map(({ holder }) => holder)),
    /** @param {import("./derive.js").Derived} d */
    update(d) {
      const wanted = tabs.some(({ name }) => name === d.state.panel) ? d.state.panel : "network";
      const empty = d.input.blank && OF_A_DIGIT.has(wanted);
      blank.hidden = !empty;
      for (const { name, make, tab, holder } of tabs) {
        const open = name === wanted;
        attr(tab, "aria-selected", open);
        attr(tab, "tabindex", open ? 0 : -1);
        holder.hidden = !open || empty;
        if (holder.hidden) continue;
        if (!views[name]) holder.append((views[name] = make(ctx)).node);
        views[name].update(d);
      }
    },
  };
}
