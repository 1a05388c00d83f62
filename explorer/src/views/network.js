/** The network: the input, every unit or map, the lines between them, and what travels along them. */

import { isMap, nodesOf } from "../engine.js";
import { attr, h, labelled, num, segmented, tableView, whole, write } from "../dom.js";
import { createBlame } from "./blame.js";
import { createFlow } from "./flow.js";
import { paintNetwork } from "./paint.js";
import { createStage } from "./stage.js";
import { createTransport } from "./transport.js";
import { createUnit } from "./unit.js";

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createNetworkPanel(ctx) {
  const [transport, network, blame] = [createTransport(ctx), createNetwork(ctx), createBlame(ctx)];
  const unit = createUnit(ctx, blame.show);
  return {
    // What a step does, and at the end why the answer is what it is, lie in one place: the network under it does not jump.
    node: h(".network-panel", transport.node, h(".explain", transport.said, blame.node), network.node, h(".below", unit.node)),
    update(d) {
      for (const part of [transport, network, unit]) part.update(d);
      attr(blame.node, "data-on", d.place.answer);
      blame.update(d);
    },
  };
}

/** @param {import("../app.js").Context} ctx */
function createNetwork(ctx) {
  const { store, bundle } = ctx;
  const { say } = bundle;
  const stage = createStage(ctx);
  const note = h("p.note");
  const edges = segmented("Lines", { signal: "Signal", weight: "Weights", gradient: "Backward" }, (value) => store.set({ edges: value }));
  const table = tableView(say("unitsTable"), () => unitRows(ctx.now()));
  const key = h("p.key",
    h("span.swatch"), "positive ", h("span.swatch.neg"), "negative, dashed ", h("span.mark", "○"), "0 ",
    h("span.mark", "×"), say("dead"), h("span.mark", "∙"), "always on");
  const flow = createFlow(ctx, stage.over);
  let painted = "";

  return {
    node: h(".network@network", stage.node, h(".row", labelled("Lines", edges.node), h("span.gap"), key), note, table.node),
    /** @param {import("../derive.js").Derived} d */
    update(d) {
      const room = ctx.widthOf(stage.node);
      if (!room) return;
      const { plan, shape } = stage.fit(d, room);
      // The habits take a pass over all digits: the first picture does not wait for it.
      const counted = d.counted();
      if (!counted) ctx.count();
      const drawn = [shape, d.inputKey, d.weightsKey, d.label, d.place.shown, d.place.answer, d.state.layer, d.state.unit, d.state.edges, !counted, JSON.stringify(ctx.pointed()), ctx.colours().ink].join();
      if (drawn !== painted) {
        painted = drawn;
        edges.update(d.state.edges);
        const cut = paintNetwork(ctx, stage.canvas, plan, d);
        stage.show(d, counted?.habits);
        write(note, [cut, foldedNote(d, plan), counted ? sayHabits(counted.habits) : say("counting")].join(""));
        table.update();
      }
      stage.follow();
      flow.update(d, plan);
    },
  };

  /** @param {import("../derive.js").Derived} d @param {import("./layout.js").Plan} plan */
  function foldedNote(d, plan) {
    const folded = plan.blocks.flatMap(({ parts }, l) => {
      const hidden = parts.length - parts.filter(Boolean).length;
      return hidden ? [`${d.layers[l].name}: ${whole(hidden)} of ${whole(parts.length)}`] : [];
    });
    return folded.length ? say("foldedNote", folded.join(", ")) : "";
  }

  /** @param {string[][]} habits */
  function sayHabits(habits) {
    /** @param {string} kind */
    const many = (kind) => habits.flat().filter((habit) => habit === kind).length;
    return say("habits", many("dead"), many("always on"), whole(bundle.count));
  }
}

/** The table view: units by name; maps by the sum and the largest of what is in them. @param {import("../derive.js").Derived} d */
function unitRows({ layers, pass, place }) {
  return {
    head: ["Unit", "z", "Activation"],
    rows: layers.flatMap((layer, l) => {
      const nodes = nodesOf(layer);
      return Array.from({ length: nodes }, (_, j) => {
        if (j >= place.shown[l]) return [`${layer.name} ${isMap(layer) ? "map" : "unit"} ${j}`, "…", "…"];
        if (!isMap(layer)) return [`${layer.name} unit ${j}`, num(pass.z[l][j]), num(pass.a[l][j])];
        const most = (/** @type {Float64Array} */ values) => num(values.reduce((top, v, k) => (k % nodes === j ? Math.max(top, v) : top), -Infinity));
        return [`${layer.name} map ${j}, at most`, most(pass.z[l]), most(pass.a[l])];
      });
    }),
  };
}
