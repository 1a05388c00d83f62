/** Rows of small digits to choose from. */

import { attr, h } from "../dom.js";
import { digit, prepare } from "../draw.js";
import { asImage } from "../derive.js";

const SIZE = 44;

/** @param {import("../app.js").Context} ctx @param {string} label */
export function createThumbs(ctx, label) {
  const node = h("ul.thumbs", { "aria-label": label });
  let shown = "";
  const { input } = ctx.bundle;
  return {
    node,
    /**
     * @param {import("../derive.js").Derived} d @param {number[]} which
     * @param {(at: number) => string} say  what stands under a digit
     */
    update(d, which, say) {
      const colours = ctx.colours();
      const key = `${which}|${d.weightsKey}|${colours.ink}`;
      if (key !== shown) {
        shown = key;
        node.replaceChildren(...which.map((at) => {
          const canvas = h("canvas", { "aria-hidden": "true" });
          digit(prepare(canvas, SIZE, SIZE), asImage(d.sample(at), input), d.bundle, SIZE, colours);
          return h("li", h("button", { "data-at": at, on: { click: () => ctx.pickSample(at) } }, canvas, h("span", say(at))));
        }));
      }
      for (const item of node.children) {
        const chosen = d.state.source === "sample" && item.firstChild.dataset.at === String(d.state.sample);
        attr(item.firstChild, "aria-pressed", chosen);
      }
    },
  };
}
