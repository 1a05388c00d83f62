/** What a unit looks for and what it found: its weights over the image, or its filter over its window. */

import { isMap } from "../engine.js";
import { describe, h, num, picture, write } from "../dom.js";
import { prepare, squares } from "../draw.js";
import { roll } from "../prep.js";

const SIDE = 168;

/** @param {import("../app.js").Context} ctx */
export function createWindow(ctx) {
  const { input, say } = ctx.bundle;
  const left = picture();
  const right = picture();
  const looks = h("figcaption");
  const finds = h("figcaption");
  const found = h("figure", right, finds);
  const node = h(".pictures", h("figure", left, looks), found);
  return {
    node,
    /**
     * @param {import("../derive.js").Derived} d
     * @param {ReturnType<typeof import("./terms.js").sortedTerms>} all @param {number} count  terms that are there already
     */
    update(d, all, count) {
      const layer = d.layers[d.state.layer];
      const overImage = d.state.layer === 0 && layer.kind === "dense" && input.side > 0 && input.channels === 1;
      node.hidden = !overImage && !(layer.kind === "conv" && isMap(layer) && layer.window?.[0] === layer.window?.[1]);
      if (node.hidden) return;
      const { weights, terms, inputs, order } = all;
      found.hidden = !count;
      const colours = ctx.colours();
      const there = new Set(order.slice(0, count));
      const part = overImage ? terms.map((_, k) => k) : strongestChannel(layer, inputs, terms);
      const size = overImage ? input.side : layer.window?.[0] ?? 1;
      /** @param {ArrayLike<number>} values */
      const grid = (values) => {
        if (overImage) return roll(Float64Array.from(values), input.side, input.order);
        const out = new Float64Array(size * size);
        for (const k of part) out[tapOf(layer, inputs[k], d.state.unit)] = values[k];
        return out;
      };
      const dimmed = count < terms.length ? grid(Array.from(terms, (_, k) => (there.has(k) ? 1 : 0))) : null;
      squares(prepare(left, SIDE, SIDE), grid(weights), SIDE, colours);
      squares(prepare(right, SIDE, SIDE), grid(terms), SIDE, colours, { dim: dimmed ? (k) => !dimmed[k] : undefined });
      const which = overImage || layer.from[2] === 1 ? "" : say("ofChannel", inputs[part[0]] % layer.from[2], layer.from[2]);
      write(looks, say("looksFor") + which);
      write(finds, say("found") + which);
      const shown = Array.from(part, (k) => [weights[k], terms[k]]);
      const least = (/** @type {number} */ c) => num(Math.min(...shown.map((pair) => pair[c])));
      const most = (/** @type {number} */ c) => num(Math.max(...shown.map((pair) => pair[c])));
      describe(left, say("looksForSays", least(0), most(0)));
      describe(right, say("foundSays", least(1), most(1)));
    },
  };
}

/** Which terms come from the channel whose terms are largest together. @param {import("../engine.js").Layer} layer @param {number[]} inputs @param {ArrayLike<number>} terms */
function strongestChannel(layer, inputs, terms) {
  const channels = layer.from[2];
  const size = new Float64Array(channels);
  inputs.forEach((i, k) => (size[i % channels] += Math.abs(terms[k])));
  const best = size.reduce((most, v, c) => (v > size[most] ? c : most), 0);
  return inputs.map((_, k) => k).filter((k) => inputs[k] % channels === best);
}

/** Where in the window an input of a unit lies. @param {import("../engine.js").Layer} layer @param {number} i @param {number} unit */
function tapOf({ from: [, cols, ins], shape: [, outCols, outs], window: [, w] = [1, 1], stride: [down, right] = [1, 1], pad: [top, beside] = [0, 0] }, i, unit) {
  const point = Math.floor(unit / outs);
  const source = Math.floor(i / ins);
  const row = Math.floor(source / cols) - (Math.floor(point / outCols) * down - top);
  const col = (source % cols) - ((point % outCols) * right - beside);
  return row * w + col;
}
