/**
 * What moves: values on their way along the real lines, which grow with them, each dot as large as its w
 * times x. A frame shows the step that is being taken, between the state before it and the state after
 * it; units begin one after the other, as they are computed.
 */

import { clamp, nodesOf } from "../engine.js";
import { largest, prepare } from "../draw.js";
import { advance, place as placeAt } from "../timeline.js";
import { edgesOf, standFor } from "./edges.js";
import { linesOf, paintEdge } from "./paint.js";
import { sortedTerms } from "./terms.js";

const FLIGHT = 600;
const DOTS = 60;
/** Of the time of a step, the part after which the last unit begins. */
const LATEST = 0.35;

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
      paint(plan, d, groups, ease(flies ? flown : fraction));
      if (flies) ctx.refresh();
    },
  };

  /**
   * @param {import("./layout.js").Plan} plan @param {import("../derive.js").Derived} d
   * @param {{l: number, dots: import("./edges.js").Edge[], top: number}[]} groups @param {number} share  of the step
   */
  function paint(plan, { layers }, groups, share) {
    const context = prepare(canvas, plan.width, plan.height);
    const colours = ctx.colours();
    let count = 0;
    for (const { l, dots, top } of groups) {
      const most = top || largest(dots.map(({ value }) => value)) || 1;
      const nodes = nodesOf(layers[l]);
      const alone = dots.every(({ to }) => to === dots[0].to);
      dots.forEach(({ from, to, value }, n) => {
        const [one, two] = [plan.at(l - 1, from), plan.at(l, to)];
        const turn = alone ? n / dots.length : (to % nodes) / nodes;
        const way = clamp((share - LATEST * turn) / (1 - LATEST), 1);
        if (!one || !two || !way) return;
        count++;
        const [x, y] = [one.x + way * (two.x - one.x), one.y + way * (two.y - one.y)];
        const size = Math.abs(value) / most;
        paintEdge(context, one, { x, y }, value, size, colours);
        dot(context, x, y, 1 + 2.6 * Math.sqrt(size), value, colours);
      });
    }
    canvas.dataset.moving = `${count} ${share.toFixed(3)}`;
  }
}

/** Filled for a positive value, hollow for a negative one. @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number} radius @param {number} value @param {import("../draw.js").Colours} colours */
function dot(context, x, y, radius, value, colours) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fillStyle = value > 0 ? colours.accent : colours.surface;
  context.fill();
  if (value > 0) return;
  context.strokeStyle = colours.ink;
  context.lineWidth = 1.2;
  context.stroke();
}
