/**
 * The lines that are drawn, and what travels along them: for each layer the strongest terms of its
 * sums. A line's value is w times x, the weight alone, or the slope of the loss in the weight.
 *
 * @typedef {import("../engine.js").Layer} Layer
 * @typedef {{from: number, to: number, value: number}} Edge  from a unit of the layer before (or the input) to a unit
 */

import { eachTerm } from "../engine.js";

/** Lines into a layer, about as many. */
const LINES = 150;
/** Points of a map that stand for it. */
const POINTS = 3;

/** Keeps the `count` values of the largest size that it is given, the largest first. @param {number} count */
function createTop(count) {
  /** @type {{from: number, value: number}[]} */
  const best = [];
  return {
    best,
    /** @param {number} from @param {number} value */
    take(from, value) {
      const size = Math.abs(value);
      if (size === 0 || (best.length === count && size <= Math.abs(best[count - 1].value))) return;
      let at = best.length;
      while (at && Math.abs(best[at - 1].value) < size) at--;
      best.splice(at, 0, { from, value });
      if (best.length > count) best.pop();
    },
  };
}

/** Indices of the `count` largest sizes, without sorting all. @param {ArrayLike<number>} values @param {number} count */
export function strongest(values, count) {
  const { best, take } = createTop(count);
  for (let k = 0; k < values.length; k++) take(k, values[k]);
  return best.map(({ from }) => from);
}

/**
 * A unit's strongest lines.
 * @param {import("../derive.js").Derived} d @param {number} l @param {number} unit @param {number} count
 * @param {ArrayLike<number>} [slopes]  dL/dz of the layer, where the lines are gradients
 * @returns {Edge[]}
 */
export function edgesOf(d, l, unit, count, slopes) {
  const x = l ? d.pass.a[l - 1] : d.pass.x;
  const { best, take } = createTop(count);
  // Every stroke asks for all units: no lists of names and places are made for them.
  const slope = slopes?.[unit];
  const bare = d.state.edges === "weight";
  eachTerm(d.layers[l], x, unit, (i, weight) => take(i, slope !== undefined ? x[i] * slope : bare ? weight : weight * x[i]));
  return best.map(({ from, value }) => ({ from, to: unit, value }));
}

/** The units of a layer that lines are drawn to: a map's most active points stand for it. @param {import("../derive.js").Derived} d @param {number} l @param {number} node */
export function standFor(d, l, node) {
  const { shape: [rows, cols, channels] } = d.layers[l];
  if (rows * cols === 1) return [node];
  const { best, take } = createTop(POINTS);
  for (let unit = node; unit < rows * cols * channels; unit += channels) take(unit, d.pass.a[l][unit]);
  return best.map(({ from }) => from);
}

/**
 * The strongest lines of every unit of a dense layer, in one walk through its weights as they lie: unit by unit it would
 * jump through all of them once a unit.
 * @param {import("../derive.js").Derived} d @param {number} l @param {number} count @param {ArrayLike<number>} [slopes]
 * @returns {Edge[]}
 */
function edgesIntoUnits(d, l, count, slopes) {
  const { inputs, units, weights } = d.layers[l];
  const x = l ? d.pass.a[l - 1] : d.pass.x;
  const bare = !slopes && d.state.edges === "weight";
  const tops = Array.from({ length: units }, () => createTop(count));
  const least = new Float64Array(units);
  for (let i = 0; i < inputs; i++) {
    if (!bare && x[i] === 0) continue; // lines of 0 are none
    for (let unit = 0; unit < units; unit++) {
      const value = slopes ? x[i] * slopes[unit] : bare ? weights[i * units + unit] : weights[i * units + unit] * x[i];
      if (Math.abs(value) <= least[unit]) continue;
      const { best, take } = tops[unit];
      take(i, value);
      if (best.length === count) least[unit] = Math.abs(best[count - 1].value);
    }
  }
  return tops.flatMap(({ best }, to) => best.map(({ from, value }) => ({ from, to, value })));
}

/**
 * The strongest lines into a layer.
 * @param {import("../derive.js").Derived} d @param {number} l @param {ArrayLike<number>} [slopes]
 * @returns {Edge[]}
 */
export function edgesInto(d, l, slopes) {
  const layer = d.layers[l];
  const nodes = layer.shape[2];
  const each = Math.max(1, Math.ceil(LINES / nodes));
  if (layer.kind === "dense" && nodes <= 4 * LINES) return edgesIntoUnits(d, l, each, slopes);
  /** @type {Edge[]} */
  const found = [];
  for (let node = 0; node < Math.min(nodes, 4 * LINES); node++) {
    const units = standFor(d, l, node);
    for (const unit of units) found.push(...edgesOf(d, l, unit, Math.ceil(each / units.length), slopes));
  }
  return found;
}

