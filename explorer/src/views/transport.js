/** Step, play and scrub through the forward pass. */

import { button, h, playButton, range, segmented, write } from "../dom.js";
import { advance, lastPosition, seek } from "../timeline.js";

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
  const said = h("p.said");
  const back = button("◂", () => step(-1), { "aria-label": "One step back" });
  const on = button("▸", () => step(1), { "aria-label": "One step on" });
  const node = h(".transport@transport",
    h(".row", back, play.node, on, slider.node, grain.node),
    said,
  );
  return {
    node,
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const { state, layers } = d;
      const last = lastPosition(layers, state.grain, state.layer);
      const at = state.t < 0 ? last : Math.min(state.t, last);
      grain.update(state.grain);
      const { place, pass } = d;
      const { name, inputs, units, activation } = layers[Math.max(0, place.layer)];
      const text = `${at} of ${last} · ${ctx.bundle.say(`phase.${place.phase}`, name, place.unit, place.terms, inputs, units, activation, pass.digit)}`;
      slider.update(at, text, last);
      write(said, text);
      play.update();
      back.disabled = at === 0 && (state.grain !== "term" || (state.layer === 0 && state.unit === 0));
      on.disabled =
        at === last &&
        (state.grain !== "term" || (state.layer === layers.length - 1 && state.unit === layers[state.layer].units - 1));
    },
  };
}
