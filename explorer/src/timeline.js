/**
 * The forward pass as a row of positions, at three step sizes. Position 0 is the bare input;
 * the last one has everything. Pure: the same position always means the same picture.
 *
 * @typedef {import("./engine.js").Layer} Layer
 *
 * @typedef {object} Place
 * @property {number[]} shown  how many units (or maps) of each layer are there already
 * @property {boolean} answer  whether the softmax is taken
 * @property {number} layer  the layer at work; -1: none
 * @property {number} unit  the unit (or map) at work; -1: the whole layer or none
 * @property {number} terms  terms added up in the unit at work; -1: all
 * @property {string} phase  input, layer, unit, term, bias, activation or answer
 */

import { clamp, eachTerm, nodesOf, unitOf } from "./engine.js";

/** How many terms a unit's sum has. @param {Layer} layer @param {number} unit */
function termCount(layer, unit) {
  if (layer.kind === "dense") return layer.inputs;
  let count = 0;
  eachTerm(layer, new Float64Array(layer.inputs), unit, () => count++);
  return count;
}

/** Last position. @param {Layer[]} layers @param {string} grain @param {number} layer @param {number} unit */
export function lastPosition(layers, grain, layer, unit) {
  if (grain === "layer") return layers.length + 1;
  if (grain === "unit") return layers.reduce((sum, l) => sum + nodesOf(l), 0) + 1;
  return termCount(layers[layer], unit) + 2;
}

/** Position of a unit (or its map) at step size "unit". @param {Layer[]} layers @param {number} layer @param {number} unit */
export function unitPosition(layers, layer, unit) {
  return layers.slice(0, layer).reduce((sum, l) => sum + nodesOf(l), 0) + (unit % nodesOf(layers[layer])) + 1;
}

/**
 * @param {Layer[]} layers
 * @param {string} grain
 * @param {number} t  -1 means the last
 * @param {number} layer  the open unit, which step size "term" walks through
 * @param {number} unit
 * @returns {Place}
 */
export function place(layers, grain, t, layer, unit) {
  const last = lastPosition(layers, grain, layer, unit);
  const at = t < 0 ? last : Math.min(t, last);
  /** @param {number} l */
  const upTo = (l) => layers.map((entry, k) => (k < l ? nodesOf(entry) : 0));
  const whole = { layer: -1, unit: -1, terms: -1 };
  if (grain === "term") {
    const shown = upTo(layer);
    const count = last - 2;
    shown[layer] = (unit % nodesOf(layers[layer])) + (at === last ? 1 : 0);
    const phase = at <= count ? "term" : at === count + 1 ? "bias" : "activation";
    return { shown, answer: false, layer, unit, terms: Math.min(at, count), phase };
  }
  if (at === 0) return { ...whole, shown: upTo(0), answer: false, phase: "input" };
  if (at === last) return { ...whole, shown: upTo(layers.length), answer: true, phase: "answer" };
  if (grain === "layer") return { ...whole, shown: upTo(at), answer: false, layer: at - 1, phase: "layer" };
  let left = at - 1;
  let l = 0;
  while (left >= nodesOf(layers[l])) left -= nodesOf(layers[l++]);
  const shown = upTo(l);
  shown[l] = left + 1;
  return { shown, answer: false, layer: l, unit: left, terms: -1, phase: "unit" };
}

/**
 * The state after `by` steps: at step size "term" the next unit follows where one ends, and at
 * "unit" the open unit moves along.
 * @param {Layer[]} layers
 * @param {{grain: string, t: number, layer: number, unit: number}} state
 * @param {number} by
 */
export function advance(layers, state, by) {
  const { grain, layer, unit } = state;
  const last = lastPosition(layers, grain, layer, unit);
  const at = (state.t < 0 ? last : state.t) + by;
  if (grain !== "term" || (at >= 0 && at <= last)) return seek(layers, state, at);
  const next = unitPosition(layers, layer, unit) + Math.sign(by);
  const there = place(layers, "unit", next, 0, 0);
  if (next < 1 || there.answer) return seek(layers, state, at);
  const to = unitOf(layers[there.layer], there.unit);
  const t = by > 0 ? 0 : lastPosition(layers, grain, there.layer, to);
  return { t, layer: there.layer, unit: to };
}

/**
 * The state at position `to`.
 * @param {Layer[]} layers
 * @param {{grain: string, layer: number, unit: number}} state
 * @param {number} to
 */
export function seek(layers, state, to) {
  const { grain, layer, unit } = state;
  const t = clamp(to, lastPosition(layers, grain, layer, unit));
  if (grain !== "unit") return { t, layer, unit };
  const at = place(layers, grain, Math.max(1, t), 0, 0);
  const l = at.layer < 0 ? layers.length - 1 : at.layer;
  return { t, layer: l, unit: at.layer < 0 ? layers[l].units - 1 : unitOf(layers[l], at.unit) };
}
