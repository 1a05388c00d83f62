/**
 * What moves: values on their way along the real lines, each dot as large as its w times x. A frame
 * shows the step that is being taken, between the state before it and the state after it.
 */

import { nodesOf } from "../engine.js";
import { largest, prepare } from "../draw.js";
import { advance, place as placeAt } from "../timeline.js";
import { edgesOf, standFor } from "./edges.js";
import { linesOf } from "./paint.js";
import { sortedTerms } from "./terms.js";

const FLIGHT = 600;
const DOTS = 60;

/** Slow at both ends. @param {number} t */
const ease = (t) => t * t * (3 - 2 * t);

/** @param {import("../app.js").Context} ctx @param {HTMLCanvasElement} canvas */
export function createFlow(ctx, canvas) {
  let open = "";
  let took = -Infinity;
  let clear = true;

  /** The dots of the step from this position to the next one. @param {import("../derive.js").Derived} d */
  function stepDots(d) {
    const { layers, state, place } = d;
    if (state.grain === "term") {
      const { x, terms, order, inputs } = sortedTerms(d);
      const k = order[place.terms];
      return k === undefined || !x.length ? [] : [{ l: state.layer, dots: [{ from: inputs[k], to: state.unit, value: terms[k] }], top: largest(terms) }];
    }
    const next = advance(layers, state, 1);
    const then = placeAt(layers, state.grain, next.t, next.layer, next.unit);
    const { edges } = linesOf(ctx, d);
    return layers.flatMap((layer, l) => {
      const nodes = nodesOf(layer);
      const [from, to] = [place.shown[l], then.shown[l]];
      if (to <= from) return [];
      const dots = to - from === 1
        ? standFor(d, l, from).flatMap((unit) => edgesOf(d, l, unit, DOTS))
        : edges[l].filter((edge) => edge.to % nodes >= from && edge.to % nodes < to);
      return [{ l, dots, top: largest(dots.map(({ value }) => value)) }];
    });
  }

  return {
    /** @param {import("../derive.js").Derived} d @param {import("./layout.js").Plan} plan */
    update(d, plan) {
      const { layer, unit } = d.state;
      const key = `${layer}.${unit}`;
      const first = !open;
      const opened = open !== key && d.place.shown[layer] > unit % nodesOf(d.layers[layer]);
      open = key;
      const now = performance.now();
      if (opened && !first && !ctx.motion.reduced() && !ctx.motion.playing()) took = now;
      const flown = (now - took) / FLIGHT;
      const flies = flown < 1;
      const fraction = ctx.motion.fraction();
      if (!flies && !fraction) {
        if (!clear) prepare(canvas, plan.width, plan.height);
        clear = true;
        canvas.dataset.moving = "";
        return;
      }
      clear = false;
      const groups = flies
        ? [{ l: layer, dots: edgesOf(d, layer, unit, DOTS), top: 0 }]
        : d.input.blank ? [] : stepDots(d);
      paint(plan, groups, ease(flies ? flown : fraction));
      if (flies) ctx.refresh();
    },
  };

  /** @param {import("./layout.js").Plan} plan @param {{l: number, dots: import("./edges.js").Edge[], top: number}[]} groups @param {number} share */
  function paint(plan, groups, share) {
    const context = prepare(canvas, plan.width, plan.height);
    const colours = ctx.colours();
    let count = 0;
    for (const { l, dots, top } of groups) {
      const most = top || largest(dots.map(({ value }) => value)) || 1;
      for (const { from, to, value } of dots) {
        const [one, two] = [plan.at(l - 1, from), plan.at(l, to)];
        if (!one || !two) continue;
        count++;
        context.beginPath();
        context.arc(one.x + share * (two.x - one.x), one.y + share * (two.y - one.y), 1.2 + 3.4 * Math.sqrt(Math.abs(value) / most), 0, 7);
        if (value > 0) {
          context.fillStyle = colours.accent;
          context.fill();
        } else {
          context.fillStyle = colours.surface;
          context.fill();
          context.strokeStyle = colours.ink;
          context.lineWidth = 1.2;
          context.stroke();
        }
      }
    }
    canvas.dataset.moving = `${count} ${share.toFixed(3)}`;
  }
}
