/** Predict, then reveal: each question's truth is measured on the reader's own model and digit. */

import { attr, button, h, num, percent, times, uid, whole } from "../dom.js";
import { argmax } from "../activations.js";
import { backward, crossEntropy, forward, sgdStep } from "../engine.js";

/**
 * @typedef {import("../derive.js").Derived} Derived
 * @typedef {object} Question  its texts are `id`, `id.choices` and `id.why` in explorer/words.py
 * @property {string} id
 * @property {string} panel  where the answer can be seen
 * @property {(d: Derived) => unknown} [when]  whether it can be asked
 * @property {(d: Derived) => any[]} [given]  what stands in the question
 * @property {(d: Derived) => string[]} [choices]
 * @property {(d: Derived) => any[]} solve  the right choice, then what stands in the explanation
 * @property {string | ((truth: number) => string)} mark  a selector of what shows it
 * @property {(d: Derived, truth: number) => Partial<import("../store.js").State>} see  the situation in which it shows
 */

/** What a question is asked of: the network and the digit. @type {(keyof import("../store.js").State)[]} */
const ASKED_OF = ["model", "epoch", "edits", "silent", "source", "sample", "ink", "base", "photo", "off", "hide", "truth"];

/** @param {Derived} d */
const goal = (d) => (d.label >= 0 ? d.label : d.pass.digit);

/** Which part a share falls in. @param {number} share @param {number[]} limits */
const part = (share, limits) => limits.filter((limit) => share > limit).length;

/** The snapshot at which the loss had made nine tenths of its way. @param {Derived} d */
function nineTenths({ model: { epochs } }) {
  const last = epochs.length - 1;
  const limit = epochs[last].loss + 0.1 * (epochs[1].loss - epochs[last].loss);
  const at = epochs.findIndex((e) => e.loss <= limit);
  return at < 0 ? last : at;
}

/** @type {Question[]} */
const QUESTIONS = [
  {
    id: "zeros",
    panel: "network",
    when: (d) => d.layers[0].activation === "relu",
    given: (d) => [whole(d.layers[0].units), d.layers[0].name],
    solve(d) {
      const { units } = d.layers[0];
      const n = d.pass.a[0].filter((a) => a === 0).length;
      return [part(n / units, [0, 1 / 3, 2 / 3]), n, units];
    },
    mark: '.dlx-unit[data-zero="0"]',
    see: () => ({ grain: "layer", t: -1 }),
  },
  {
    id: "corner",
    panel: "input",
    when: (d) => d.bundle.input.drawable,
    given: (d) => [d.pass.digit],
    solve(d) {
      const { digit, share } = forward(d.layers, d.without("centre").x);
      return [digit === d.pass.digit ? 0 : 1, digit, percent(share)];
    },
    mark: '[data-part="outcome"]',
    see: () => ({ off: "centre", hide: "" }),
  },
  {
    id: "shift",
    panel: "softmax",
    solve: () => [0],
    mark: '[data-part="shift"], [data-part="verdict"]',
    see: () => ({ plus: 100, shift: 1 }),
  },
  {
    id: "step",
    panel: "learning",
    given: (d) => [goal(d)],
    solve(d) {
      const before = crossEntropy(d.pass.logits, goal(d));
      const stepped = sgdStep(d.layers, backward(d.layers, d.pass, goal(d)), 0.1);
      const after = crossEntropy(forward(stepped, d.input.x).logits, goal(d));
      return [part(after - before, [-1e-4, 1e-4]), num(before, 4), num(after, 4)];
    },
    mark: '[data-part="step"]',
    see: (d) => ({ lr: 0.1, steps: 1, truth: d.label >= 0 ? d.state.truth : d.pass.digit }),
  },
  {
    id: "hardest",
    panel: "mistakes",
    when: (d) => d.counted() && d.classes <= 12,
    given: (d) => [whole(d.bundle.count)],
    choices: (d) => times(d.classes, String),
    solve(d) {
      const wrong = d.statistics().confusion.map((line, a) => {
        const all = line.reduce((sum, n) => sum + n, 0);
        return all && 1 - line[a] / all;
      });
      const truth = argmax(wrong);
      return [truth, truth, percent(wrong[truth])];
    },
    mark: (truth) => `[data-part="confusion"] tbody tr:nth-child(${truth + 1})`,
    see(d, truth) {
      const line = d.statistics().confusion[truth].map((n, k) => (k === truth ? -1 : n));
      return { actual: truth, predicted: argmax(line) };
    },
  },
  {
    id: "halfway",
    panel: "training",
    when: (d) => d.model.epochs.length > 4 && d.model.epochs.at(-1)?.loss,
    given: (d) => [d.model.epochs.at(-1)?.epoch],
    solve(d) {
      const { epochs } = d.model;
      const last = epochs[epochs.length - 1];
      const { epoch, loss } = epochs[nineTenths(d)];
      return [part(epoch / last.epoch, [0.25, 0.5]), epoch, num(loss), num(last.loss)];
    },
    mark: '[data-part="epochs"], [data-part="figures"]',
    see(d) {
      const at = nineTenths(d);
      return { epoch: at === d.model.epochs.length - 1 ? -1 : at };
    },
  },
];

/** @param {string} text */
const parse = (text) => new Map(text.split(".").filter(Boolean).map((entry) => /** @type {[string, number]} */ ([entry.split("_")[0], Number(entry.split("_")[1])])));

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createQuestions(ctx) {
  const { store, bundle: { say } } = ctx;
  /** @param {Question} question @param {Derived} d */
  const ask = ({ id, given, choices }, d) => ({
    text: say(id, ...(given?.(d) ?? [])),
    choices: choices?.(d) ?? say(`${id}.choices`).split("|"),
  });
  const list = h("ol.questions");
  const score = h("p.note");
  const again = button("Ask again", () => store.set({ quiz: "" }));
  let built = "";
  /** Answers as they were given: another digit does not make them wrong. @type {Map<string, {choice: number, asks: string, choices: string[], truth: number, why: any[], weights: string, patch: Partial<import("../store.js").State>}>} */
  const kept = new Map();
  /** @param {Question} question @param {Derived} d @param {number} choice */
  const keep = (question, d, choice) => {
    const known = kept.get(question.id);
    if (known?.choice === choice) return known;
    const [truth, ...why] = choice >= 0 ? question.solve(d) : [-1];
    const { text: asks, choices } = ask(question, d);
    const of = Object.fromEntries(ASKED_OF.map((name) => [name, store.state[name]]));
    const patch = truth >= 0 ? { ...of, panel: question.panel, ...question.see(d, truth) } : {};
    const told = { choice, asks, choices, truth, why, weights: d.weightsKey, patch };
    if (truth >= 0) kept.set(question.id, told);
    else kept.delete(question.id);
    return told;
  };
  return {
    node: h(".stack",
      h("p.lead", say("questions")),
      list, h(".row", score, h("span.gap"), again)),
    update(d) {
      const given = parse(d.state.quiz);
      again.hidden = !given.size;
      if (!d.counted()) ctx.count();
      const key = `${d.weightsKey}|${d.inputKey}|${d.state.quiz}|${d.label}|${Boolean(d.counted())}`;
      if (key === built) return;
      const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.choice : undefined;
      built = key;
      const asked = QUESTIONS.filter((q) => q.when?.(d) ?? true);
      let right = 0;
      list.replaceChildren(...asked.map((question) => {
        const choice = given.get(question.id) ?? -1;
        const { asks, choices, truth, why, weights, patch } = keep(question, d, choice);
        const solved = truth >= 0;
        if (solved && truth === choice) right++;
        const name = uid();
        return h("li", { "data-question": question.id }, h("fieldset", h("legend", asks),
          h(".row", choices.map((text, k) => {
            const mark = !solved ? "" : k === truth ? " ✓" : k === choice ? " ✗" : "";
            const input = h("input", { type: "radio", name, "data-choice": `${question.id}_${k}`, disabled: solved, on: { change: () => answer(question, k) } });
            input.checked = k === choice;
            return h("label.check.choice", input, h("span", text + mark));
          }))),
          h("p.reveal", { role: "status" }, solved ? `${truth === choice ? "Right." : say("notSo", choices[choice], choices[truth])} ${say(`${question.id}.why`, ...why)} ` : "",
            // A network in training has moved on: what was asked of it cannot be shown any more.
            solved && !(weights.startsWith("live") && weights !== d.weightsKey)
              && h("button", { class: "dlx-link", on: { click: () => see(question, patch, weights, `${asks} ${say(`${question.id}.why`, ...why)}`) } }, "See it")));
      }));
      if (focused) list.querySelector(`[data-question="${focused.split("_")[0]}"] .dlx-link`)?.focus();
      score.textContent = given.size ? `${right} of ${given.size} right.` : "";
      attr(score, "data-score", right);
    },
  };

  /** @param {Question} question @param {Partial<import("../store.js").State>} patch @param {string} weights @param {string} text */
  function see({ id, mark }, patch, weights, text) {
    if (ctx.now().live && !weights.startsWith("live")) ctx.training.back();
    const selector = typeof mark === "string" ? mark : mark(kept.get(id)?.truth ?? 0);
    ctx.see({ id, mark: selector, text, patch });
  }

  /** @param {Question} question @param {number} choice */
  function answer(question, choice) {
    const { asks, choices, truth } = keep(question, ctx.now(), choice);
    const given = parse(store.state.quiz).set(question.id, choice);
    ctx.answered({ id: question.id, question: asks, answer: choices[choice], truth: choices[truth], right: truth === choice });
    store.set({ quiz: [...given].map(([id, k]) => `${id}_${k}`).join(".") });
  }
}
