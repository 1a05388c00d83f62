/** Where one asks to see what a question claims: its situation is set up, the claim said, and what is meant marked. */

import { button, h, write } from "../dom.js";

/** Frames in which what is marked comes into view: a panel may take some to find its size. */
const FRAMES = 4;

/**
 * @typedef {object} Sight
 * @property {string} id  of the question
 * @property {string} mark  a selector of what is marked
 * @property {string} text  what is claimed
 * @property {Partial<import("../store.js").State>} patch  the situation it is claimed of
 */

/** @param {import("../app.js").Context} ctx @param {HTMLElement} root */
export function createSeen(ctx, root) {
  const { store } = ctx;
  /** @type {Sight | null} */
  let seen = null;
  /** What the situation took the place of. @type {Partial<import("../store.js").State>} */
  let before = {};
  let [settling, weights, returning] = [0, "", ""];
  /** @type {Element[]} */
  let marked = [];
  const text = h("span");
  const back = button("Back to the questions", () => ctx.open("questions"));
  const node = h("p.notice.seen", { role: "status", hidden: true }, text, " ", back);

  ctx.see = (sight) => {
    before = Object.fromEntries(Object.keys(sight.patch).map((name) => [name, store.state[/** @type {keyof import("../store.js").State} */ (name)]]));
    store.set(sight.patch);
    [seen, settling, weights] = [sight, FRAMES, ""];
    ctx.refresh();
  };

  return {
    node,
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      if (seen && store.state.panel === "questions") {
        returning = seen.id;
        seen = null;
        store.set({ ...before, panel: "questions" });
        ctx.refresh();
      } else if (returning) {
        /** @type {HTMLElement | null} */ (root.querySelector(`[data-question="${returning}"] .dlx-link`))?.focus();
        returning = "";
      }
      weights ||= d.weightsKey;
      // Whoever looks at something else has seen it.
      if (seen && (weights !== d.weightsKey || Object.entries(seen.patch).some(([name, value]) => store.state[/** @type {keyof import("../store.js").State} */ (name)] !== value))) seen = null;
      node.hidden = !seen;
      for (const one of marked) one.removeAttribute("data-seen");
      marked = seen ? [...root.querySelectorAll(seen.mark)] : [];
      for (const one of marked) one.setAttribute("data-seen", "");
      if (!seen) return;
      write(text, seen.text);
      if (!settling || !marked.length) return;
      if (settling-- === FRAMES) back.focus({ preventScroll: true });
      for (const one of [marked[marked.length - 1], marked[0]]) one.scrollIntoView({ block: "nearest" });
      ctx.refresh();
    },
  };
}
