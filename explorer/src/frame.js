/** What stands around the panels: heading, figures, notices, the digit, and the strip for narrow screens. */

import { differenceToKeras, weightCount } from "./derive.js";
import { attr, button, h, percent, scientific, whole, write } from "./dom.js";
import { digit, prepare } from "./draw.js";
import { isMap } from "./engine.js";
import { createTabs } from "./tabs.js";
import { createPaper } from "./views/paper.js";
import { createSeen } from "./views/seen.js";
import { createTour } from "./views/tour.js";

const MINI = 36;

/** @param {import("./app.js").Context} ctx @param {HTMLElement} root */
export function createFrame(ctx, root) {
  const { store, bundle } = ctx;
  const { say } = bundle;
  const facts = createFacts(ctx, root);
  const notice = h("p.notice", { role: "status", hidden: true });
  const live = h("p.sr", { "aria-live": "polite", "data-live": true });
  const picker = bundle.models.length > 1 ? createPicker(ctx) : null;
  const edits = createNote("Undo", () => store.set({ edits: "" }));
  const silent = createNote("Turn on again", () => store.set({ silent: "" }));
  const epoch = createNote("Back to the end", () => store.set({ epoch: -1 }));
  const trained = createNote("Back to the model", () => ctx.training.back());
  const lost = createNote("Bring it back", () => ctx.training.restore());
  const paper = createPaper(ctx);
  const tour = createTour(ctx, root);
  const tabs = createTabs(ctx);
  const seen = createSeen(ctx, root);
  const mini = createMini(ctx, paper.sheet);
  let spoken = "";

  root.append(
    h("header.head",
      h(".intro", h(`h${ctx.level}.title`, bundle.title), h("p.lead", say(bundle.input.drawable ? "sentence" : "sentenceData"))),
      h(".row", picker?.node, tour.open)),
    mini.node, tour.node, tabs.list,
    h(".body", paper.node, h(".main", notice, seen.node, edits.node, silent.node, epoch.node, trained.node, lost.node, tabs.panels)),
    facts.node, live);

  return {
    /** @param {import("./derive.js").Derived} d */
    update(d) {
      const { state, model: { epochs } } = d;
      facts.update(d);
      picker?.update(state.model);
      paper.update(d);
      tabs.update(d);
      seen.update(d);
      tour.update(d);
      edits.update(state.edits && !d.live ? say("edited", state.edits.split("~").length) : "");
      const off = d.layers.flatMap((layer) => [...(layer.off ?? [])].map((j) => `${layer.name} ${isMap(layer) ? "map" : "unit"} ${j}`));
      silent.update(off.length ? say("silenced", off.join(", ")) : "");
      const early = state.panel !== "training" && state.epoch >= 0 && state.epoch < epochs.length - 1 && !d.live;
      epoch.update(early ? say("early", epochs[state.epoch].epoch) : "");
      trained.update(d.live && state.panel !== "training" ? say("trainedHere") : "");
      lost.update(ctx.training.lost() && state.panel === "training" ? say("trainingLost") : "");
      mini.update(d);
    },
    /** @param {string} text */
    notify(text) {
      notice.hidden = !text;
      write(notice, text);
    },
    /** Speak the prediction once the digit has come to rest. @param {import("./derive.js").Derived} d */
    speak(d) {
      const text = d.input.blank ? "No ink yet." : `Prediction: ${d.pass.digit}, ${percent(d.pass.share, 0)}.`;
      const key = d.inputKey + text;
      if (key === spoken) return;
      spoken = key;
      live.textContent = text;
    },
  };
}

/** The figures of the model, folded away: they say something to those who know. @param {import("./app.js").Context} ctx @param {HTMLElement} root */
function createFacts(ctx, root) {
  const { bundle } = ctx;
  const text = h("p.facts");
  let measured = -1;
  return {
    node: h("details.figures", h("summary", bundle.say("figures")), text),
    /** @param {import("./derive.js").Derived} d */
    update(d) {
      if (measured === d.state.model) return;
      measured = d.state.model;
      differenceToKeras(d.model, d.sample, ctx.gone).then((worst) => {
        // Another model may have been chosen meanwhile.
        if (measured === d.state.model && !ctx.gone.aborted) tell(d, worst);
      });
    },
  };

  /** @param {import("./derive.js").Derived} d @param {number} worst */
  function tell({ model: { layers } }, worst) {
    root.dataset.difference = String(worst);
    const { count, of } = bundle;
    write(text, bundle.say("facts",
      [layers[0].inputs, ...layers.map((l) => (l.shape[0] * l.shape[1] > 1 ? l.shape.join("×") : l.units))].join(" → "),
      [...new Set(layers.map((l) => l.activation))].join(", "),
      weightCount(layers),
      count < of ? bundle.say("thinned", whole(count), whole(of)) : whole(count),
      scientific(worst)));
  }
}

/** @param {import("./app.js").Context} ctx */
function createPicker(ctx) {
  const select = h("select", { on: { change: () => ctx.store.set({ model: Number(select.value), epoch: -1, edits: "", silent: "", layer: 0, unit: 0, t: -1 }) } },
    ctx.bundle.models.map((model, k) => h("option", { value: k }, model.name)));
  return {
    node: h("label.field", h("span", "Model"), select),
    /** @param {number} model */
    update(model) {
      if (select.value !== String(model)) select.value = String(model);
    },
  };
}

/** A line above the panel with a button in it, seen while it has a text. @param {string} name @param {() => void} click */
function createNote(name, click) {
  const text = h("span");
  const node = h("p.notice", text, " ", button(name, click));
  return {
    node,
    /** @param {string} says */
    update(says) {
      node.hidden = !says;
      write(text, says);
    },
  };
}

/** The digit and its reading in a strip over narrow screens, while the sheet is out of view. @param {import("./app.js").Context} ctx @param {Element} sheet */
function createMini(ctx, sheet) {
  const canvas = h("canvas");
  const text = h("span");
  const node = h(".mini", { "aria-hidden": "true" }, h("div", canvas, text));
  const watch = new IntersectionObserver((seen) => attr(node, "data-on", !seen[seen.length - 1].isIntersecting));
  watch.observe(sheet);
  ctx.gone.addEventListener("abort", () => watch.disconnect());
  let shown = "";
  return {
    node,
    /** @param {import("./derive.js").Derived} d */
    update(d) {
      const key = `${d.inputKey}${d.weightsKey}${d.told}${ctx.colours().ink}`;
      if (key === shown) return;
      shown = key;
      digit(prepare(canvas, MINI, MINI), d.image, ctx.bundle, MINI, ctx.colours());
      write(text, d.input.blank ? "no ink yet" : d.told ? `${d.pass.digit} · ${percent(d.pass.share)}` : "?");
    },
  };
}
