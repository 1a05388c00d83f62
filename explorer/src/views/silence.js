/** Turns the open unit (or its map) off, and says what becomes of the answer. */

import { canSilence } from "../derive.js";
import { checkbox, h, percent, write } from "../dom.js";
import { forward, isMap, nodesOf } from "../engine.js";

/** @param {import("../app.js").Context} ctx */
export function createSilence(ctx) {
  const { store, bundle: { say } } = ctx;
  const said = h("p.note@silent", { role: "status" });
  const on = checkbox("", (kept) => {
    const { layer, unit } = ctx.now().state;
    const entry = `${layer}_${unit % nodesOf(ctx.now().layers[layer])}`;
    const others = store.state.silent.split("~").filter((other) => other && other !== entry);
    store.set({ silent: [...others, ...(kept ? [] : [entry])].join("~") });
  });
  const node = h(".row", on.node, said);
  return {
    node,
    /** @param {import("../derive.js").Derived} d */
    update({ layers, state, pass, place, live }) {
      const layer = layers[state.layer];
      const unit = state.unit % nodesOf(layer);
      const off = layer.off?.has(unit) ?? false;
      node.hidden = !canSilence(layers, state.layer) || Boolean(live);
      write(on.node.lastChild, say(isMap(layer) ? "mapOn" : "unitOn"));
      on.update(!off);
      if (!off || !place.answer) return write(said, "");
      const others = new Set([...(layer.off ?? [])].filter((k) => k !== unit));
      const whole = forward(layers.map((one) => (one === layer ? { ...layer, off: others } : one)), pass.x);
      write(said, say("offSays", ...[pass, whole].map(({ digit, share }) => `${digit} (${percent(share)})`)));
    },
  };
}
