/** A unit's terms in the chosen order, and the names of where they come from. */

import { isMap, termsOf } from "../engine.js";

/** @param {import("../derive.js").Derived} d */
export function sortedTerms(d) {
  const { layers, pass, state } = d;
  const x = state.layer ? pass.a[state.layer - 1] : pass.x;
  const found = termsOf(layers[state.layer], x, state.unit);
  const { terms } = found;
  const order = Array.from(terms, (_, k) => k);
  if (state.order === "size") order.sort((a, b) => Math.abs(terms[b]) - Math.abs(terms[a]) || a - b);
  return { ...found, x, order };
}

/** Where a point of a map lies. @param {number} i @param {number[]} shape */
const spot = (i, [, cols, channels]) => {
  const point = Math.floor(i / channels);
  return `row ${Math.floor(point / cols)}, col ${point % cols}`;
};

/** What an input of the open unit is called. @param {import("../derive.js").Derived} d @param {number} i */
export function source({ layers, state, bundle: { input } }, i) {
  const before = layers[state.layer - 1];
  if (before) return isMap(before) ? `map ${i % before.shape[2]}, ${spot(i, before.shape)}` : `${before.name} unit ${i}`;
  if (input.kind !== "image") return input.columns[i];
  const { rows, cols, channels, order } = input;
  if (order === "F") return `row ${i % rows}, col ${Math.floor(i / rows)}`;
  return spot(i, [rows, cols, channels]) + (channels > 1 ? `, channel ${i % channels}` : "");
}

/** @param {import("../derive.js").Derived} d */
export function unitName({ layers, state: { layer, unit } }) {
  const { name, shape } = layers[layer];
  return isMap(layers[layer]) ? `${name}, map ${unit % shape[2]}, ${spot(unit, shape)}` : `${name}, unit ${unit}`;
}
