/** A short tour that points at the live parts. The stops are data: `explorer/tour.json`. */

import { button, h, write } from "../dom.js";

const FRAMES = 4;
/** Pixels between the card, what it points at and the end of the screen. */
const AIR = 16;
/** What can be seen of a part at least. */
const SOME = 100;
/** Milliseconds after a step in which the part is kept in view while its panel grows. */
const GROWS = 2000;

/** @param {import("../app.js").Context} ctx @param {HTMLElement} root */
export function createTour(ctx, root) {
  const { store } = ctx;
  const { tour: stops } = ctx.bundle;
  const text = h("p.lead", { "aria-live": "polite" });
  const count = h("span.label");
  /** @param {number} to */
  const go = (to) => {
    asked = settling = FRAMES;
    stepped = performance.now();
    if (stops[to]) store.set({ ...stops[to].patch, tour: to });
    else store.set({ ...before, tour: -1 });
    ctx.refresh();
  };
  /** What the stops change and the end puts back: all but the panel, where one stays to look around. */
  const changed = [...new Set(stops.flatMap(({ patch }) => Object.keys(patch)))].filter((name) => name !== "panel");
  /** @type {Partial<import("../store.js").State>} */
  let before = {};
  const back = button("Back", () => go(store.state.tour - 1));
  const next = button("Next", () => go(store.state.tour + 1), { "data-main": true });
  const end = button("End the tour", () => go(-1));
  const open = button("Take the tour", () => {
    before = Object.fromEntries(changed.map((name) => [name, store.state[/** @type {keyof import("../store.js").State} */ (name)]]));
    go(0);
  });
  /** @type {Element | null} */
  let pointed = null;
  // Only the view whose button was pressed scrolls: there may be others in the notebook.
  let asked = 0;
  let settling = 0;
  let stepped = -GROWS;
  const grown = new ResizeObserver(() => {
    if (performance.now() - stepped > GROWS) return;
    settling = FRAMES;
    ctx.refresh();
  });
  grown.observe(root);
  ctx.gone.addEventListener("abort", () => grown.disconnect());
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && store.state.tour >= 0) go(-1);
  }, { signal: ctx.gone });
  const node = h("section.tour", { "aria-label": "Tour", hidden: true }, text, h(".row", next, back, end, h("span.gap"), count));
  /** @param {string | undefined} part */
  const find = (part) => root.querySelector(`[data-part="${part}"]`);

  /**
   * What is spoken of comes to lie under the card, from its beginning on if there is room for that.
   * @param {Element} target @param {Element | null} from
   */
  function uncover(target, from) {
    const [card, part, begin] = [node, target, from ?? target].map((element) => element.getBoundingClientRect());
    const tall = parseFloat(getComputedStyle(node).top) + card.height + AIR;
    root.style.setProperty("--dlx-under", `${tall}px`);
    const room = innerHeight - tall - AIR;
    const first = from && begin.bottom <= part.top && part.top + Math.min(part.height, SOME) - begin.top <= room ? from : target;
    const { top } = first === target ? part : begin;
    if (top >= card.bottom && part.bottom <= innerHeight - AIR) return;
    const { style } = /** @type {HTMLElement} */ (first);
    style.scrollMarginTop = `${tall}px`;
    first.scrollIntoView({ block: "start" });
    style.scrollMarginTop = "";
  }

  return {
    open,
    node,
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const { tour } = d.state;
      const stop = stops[tour];
      node.hidden = !stop;
      open.hidden = Boolean(stop);
      const target = stop ? find(stop.part) : null;
      if (target !== pointed) {
        pointed?.removeAttribute("data-pointed");
        target?.setAttribute("data-pointed", "");
        pointed = target;
      }
      if (settling && target) uncover(target, find(stop.from));
      if (!stop) root.style.removeProperty("--dlx-under");
      // The focus goes along into the tour, and back to where it was begun.
      if (asked && !stop) open.focus();
      else if (asked && !(document.activeElement?.closest(".dlx-tour") && !document.activeElement.matches(":disabled"))) next.focus({ preventScroll: true });
      // What a panel shows may take a frame or two to find its size.
      asked = Math.max(0, asked - 1);
      settling = Math.max(0, settling - 1);
      if (asked || settling) ctx.refresh();
      if (!stop) return;
      write(text, stop.text);
      write(count, `${tour + 1} of ${stops.length}`);
      back.disabled = tour === 0;
      write(next, tour === stops.length - 1 ? "Finish" : "Next");
    },
  };
}
