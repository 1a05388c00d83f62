/** Which digits are taken for which; from a cell to its digits, from a digit to the units responsible. */

import { ARROWS, attr, button, describe, h, heads, percent, row, scroller, times, whole, write } from "../dom.js";
import { createBlame } from "./blame.js";
import { createThumbs } from "./thumbs.js";

const MANY = 24;

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createMistakes(ctx) {
  const { store, bundle: { say } } = ctx;
  const table = h("table.confusion@confusion");
  const title = ctx.heading();
  const thumbs = createThumbs(ctx, "Digits of this cell");
  const worst = button("Worst mistakes", () => store.set({ actual: -1, predicted: -1 }));
  const blame = createBlame(ctx);
  /** @type {any[][]} */
  let cells = [];

  /** @param {number} n */
  const build = (n) => {
    cells = times(n, (a) => times(n, (p) =>
      h("button", { tabindex: -1, on: {
        click: () => store.set({ actual: a, predicted: p }),
        keydown: (/** @type {KeyboardEvent} */ e) => {
          const to = ARROWS[e.key];
          const next = to && cells[a + to[1]]?.[p + to[0]];
          if (!next) return;
          e.preventDefault();
          cells[a][p].tabIndex = -1;
          next.tabIndex = 0;
          next.focus();
        },
      } })));
    table.replaceChildren(h("caption", say("confusionCaption")), heads(["", ...times(n, String)]), h("tbody", cells.map((line, a) => row(a, line))));
    cells[0][0].tabIndex = 0;
  };

  return {
    node: h(".split",
      h(".stack", scroller("Confusion matrix", table)),
      h(".stack", h(".row", title, h("span.gap"), worst), thumbs.node, blame.node)),
    update(d) {
      const stats = d.counted();
      if (!stats) {
        ctx.count();
        if (!cells.length) write(title, say("counting"));
        return;
      }
      const { labels, count } = d.bundle;
      if (cells.length !== d.classes) build(d.classes);
      const { actual, predicted } = d.state;
      const most = Math.max(1, ...stats.confusion.flatMap((row, a) => row.filter((_, p) => p !== a)));
      cells.forEach((row, a) => row.forEach((cell, p) => {
        const n = stats.confusion[a][p];
        write(cell, n ? String(n) : "·");
        describe(cell, say("cell", n, a, p));
        attr(cell, "aria-pressed", a === actual && p === predicted);
        cell.style.setProperty("--n", a === p ? 0 : (n / most).toFixed(2));
        attr(cell, "data-right", a === p);
      }));
      const all = times(count, (s) => s);
      const wrong = all.filter((s) => stats.digits[s] !== labels[s]);
      const open = actual >= 0;
      const found = open
        ? all.filter((s) => labels[s] === actual && stats.digits[s] === predicted)
        : wrong.sort((s, t) => stats.losses[t] - stats.losses[s]);
      const more = found.length > MANY ? say("more", MANY) : "";
      write(title, open
        ? say(actual === predicted ? "cellRight" : "cellWrong", found.length, actual, predicted, more)
        : say("mistakes", wrong.length, whole(count), percent(stats.accuracy), more));
      worst.hidden = !open;
      thumbs.update(d, found.slice(0, MANY), (at) => (open ? percent(stats.shares[at], 0) : `${labels[at]} → ${stats.digits[at]}`));
      blame.node.hidden = d.input.blank;
      blame.update(d);
    },
  };
}
