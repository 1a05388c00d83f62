/** Step, play and scrub through the forward pass. */

import { attr, button, h, segmented, write } from "../dom.js";
import { lastPosition, seek } from "../timeline.js";

/** @param {import("../app.js").Context} ctx */
export function createTransport(ctx) {
  const { store, player } = ctx;
  const grain = segmented("Step size", { layer: "Layer", unit: "Unit", term: "Term" }, (value) => {
    const state = { ...store.state, grain: value, t: -1 };
    store.set(value === "layer" ? { grain: value, t: -1 } : { grain: value, ...seek(ctx.now().layers, state, Infinity) });
  });
  const play = button("▶", () => player.toggle(), { class: "dlx-button dlx-play", "aria-label": "Play" });
  const slider = h("input", {
    type: "range",
    min: 0,
    step: 1,
    "aria-label": "Position in the forward pass",
    on: {
      input: () => {
        const { layers, state } = ctx.now();
        store.set(seek(layers, state, Number(slider.value)));
      },
    },
  });
  const said = h("p.said");
  const back = button("◂", () => player.step(-1), { "aria-label": "One step back" });
  const on = button("▸", () => player.step(1), { "aria-label": "One step on" });
  const node = h(".transport", { "data-part": "transport" },
    h(".row", back, play, on, slider, grain.node),
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
      attr(slider, "max", last);
      if (slider.value !== String(at)) slider.value = String(at);
      const text = describe(d, at, last);
      attr(slider, "aria-valuetext", text);
      write(said, text);
      write(play, player.playing ? "❚❚" : "▶");
      attr(play, "aria-label", player.playing ? "Pause" : "Play");
      back.disabled = at === 0 && (state.grain !== "term" || (state.layer === 0 && state.unit === 0));
      on.disabled =
        at === last &&
        (state.grain !== "term" || (state.layer === layers.length - 1 && state.unit === layers[state.layer].units - 1));
    },
  };
}

/** What happens at a position. @param {import("../derive.js").Derived} d @param {number} at @param {number} last */
function describe(d, at, last) {
  const { place, layers, pass } = d;
  const step = `${at} of ${last}`;
  const name = place.layer >= 0 ? layers[place.layer].name : "";
  switch (place.phase) {
    case "input":
      return `${step} · The input: ${layers[0].inputs} numbers, nothing computed yet.`;
    case "layer":
      return `${step} · ${name}: ${layers[place.layer].units} units, each a weighted sum of ${layers[place.layer].inputs} numbers, through ${layers[place.layer].activation}.`;
    case "unit":
      return `${step} · ${name}, unit ${place.unit}.`;
    case "term":
      return `${step} · ${name}, unit ${place.unit}: ${place.terms} of ${layers[place.layer].inputs} terms added up.`;
    case "bias":
      return `${step} · ${name}, unit ${place.unit}: the bias is added.`;
    case "activation":
      return `${step} · ${name}, unit ${place.unit}: ${layers[place.layer].activation} gives the activation.`;
    default:
      return `${step} · Softmax makes probabilities of the last layer; the largest is ${pass.digit}.`;
  }
}
