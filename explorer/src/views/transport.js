/** Step, play and scrub through the forward pass. */

import { attr, button, h, labelled, playButton, range, segmented, whole, write } from "../dom.js";
import { isMap, nodesOf } from "../engine.js";
import { advance, lastPosition, seek } from "../timeline.js";
import { kindOf, sizeOf } from "./stage.js";
import { unitName } from "./terms.js";

/** @param {import("../app.js").Context} ctx */
export function createTransport(ctx) {
  const { store, player } = ctx;
  const grain = segmented("Step size", { layer: "Layer", unit: "Unit", term: "Term" }, (value) => {
    const state = { ...store.state, grain: value, t: -1 };
    store.set(value === "layer" ? { grain: value, t: -1 } : { grain: value, ...seek(ctx.now().layers, state, Infinity) });
  });
  const play = playButton("", player);
  const slider = range("Position in the forward pass", 0, 0, 1, (to) => store.set(seek(ctx.now().layers, ctx.now().state, to)));
  /** @param {number} by */
  const step = (by) => {
    player.stop();
    store.set(advance(ctx.now().layers, ctx.now().state, by));
  };
  const [title, text] = [h("b"), h("span")];
  const said = h("p.said", title, " ", text);
  const back = button("◂", () => step(-1), { "aria-label": "One step back" });
  const on = button("▸", () => step(1), { "aria-label": "One step on" });
  const node = h(".transport@transport",
    h(".row", back, play.node, on, slider.node, labelled("Step by", grain.node)),
  );
  return {
    node,
    said,
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const { state, layers } = d;
      const last = lastPosition(layers, state.grain, state.layer, state.unit);
      const at = d.input.blank ? 0 : state.t < 0 ? last : Math.min(state.t, last);
      grain.update(state.grain);
      const { place, pass } = d;
      const layer = layers[Math.max(0, place.layer)];
      const { name, inputs, activation } = layer;
      const map = isMap(layer);
      const unit = map && state.grain === "term" ? unitName(d).slice(name.length + 2) : `${map ? "map" : "unit"} ${place.unit}`;
      const phase = place.phase === "layer" && layer.kind !== "dense" ? "phase.other" : `phase.${place.phase}`;
      const count = place.phase === "term" ? last - 2 : inputs;
      const { say } = ctx.bundle;
      write(title, say("stepOf", at, last));
      write(text, say(phase, name, unit, place.terms, whole(count), sizeOf(layer), say(`does.${activation}`), pass.digit, kindOf(layer)));
      slider.update(at, said.textContent, last);
      attr(said, "data-answer", place.answer);
      play.update();
      back.disabled = at === 0 && (state.grain !== "term" || (state.layer === 0 && state.unit % nodesOf(layers[0]) === 0));
      on.disabled =
        at === last &&
        (state.grain !== "term" || (state.layer === layers.length - 1 && state.unit % nodesOf(layers[state.layer]) === nodesOf(layers[state.layer]) - 1));
    },
  };
}
