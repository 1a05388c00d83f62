/** Predict, then reveal: each question's truth is measured on the reader's own model and digit. */

import { attr, button, h, num, percent, uid } from "../dom.js";
import { backward, crossEntropy, forward, sgdStep } from "../engine.js";
import { preprocess } from "../prep.js";
import { onPaper } from "./input.js";

/**
 * @typedef {import("../derive.js").Derived} Derived
 * @typedef {object} Question
 * @property {string} id
 * @property {string} panel  where the answer can be seen
 * @property {(d: Derived) => boolean} [when]  whether it can be asked
 * @property {(d: Derived) => string} ask
 * @property {(d: Derived) => string[]} choices
 * @property {(d: Derived) => {truth: number, why: string}} solve
 */

/** @param {Derived} d */
const goal = (d) => (d.label >= 0 ? d.label : d.pass.digit);

/** @type {Question[]} */
export const QUESTIONS = [
  {
    id: "zeros",
    panel: "network",
    when: (d) => d.layers[0].activation === "relu",
    ask: (d) => `How many of the ${d.layers[0].units} units of ${d.layers[0].name} are at 0 for this digit?`,
    choices: () => ["None", "Up to a third", "Up to two thirds", "More"],
    solve(d) {
      const n = d.pass.a[0].filter((a) => a === 0).length;
      const share = n / d.layers[0].units;
      return { truth: n === 0 ? 0 : share <= 1 / 3 ? 1 : share <= 2 / 3 ? 2 : 3, why: `${n} of ${d.layers[0].units}: ReLU lets nothing below 0 through, so most digits use only some of the units.` };
    },
  },
  {
    id: "corner",
    panel: "input",
    ask: (d) => `The digit is left in the corner instead of the middle. Does the network still read ${d.pass.digit}?`,
    choices: () => ["Yes", "No"],
    solve(d) {
      const picture = d.input.picture ?? onPaper(d);
      const { digit, probabilities } = forward(d.layers, preprocess(picture, d.bundle.input, (name) => name !== "centre" && (name !== "normalise" || d.bundle.input.normalised)).x);
      return { truth: digit === d.pass.digit ? 0 : 1, why: `It reads ${digit} (${percent(probabilities[digit])}). A dense layer has a weight for each place: moved ink meets other weights.` };
    },
  },
  {
    id: "shift",
    panel: "softmax",
    ask: () => "100 is added to every logit. What becomes of the probabilities?",
    choices: () => ["They stay", "The largest grows", "They all come closer"],
    solve: () => ({ truth: 0, why: "exp(z + 100) = exp(z) · exp(100): the factor stands above and below the fraction." }),
  },
  {
    id: "step",
    panel: "learning",
    ask: (d) => `One step of gradient descent at rate 0.1, on this digit as a ${goal(d)}. What does the loss do?`,
    choices: () => ["It falls", "It stays within 0.0001", "It rises"],
    solve(d) {
      const before = crossEntropy(d.pass.logits, goal(d));
      const stepped = sgdStep(d.layers, backward(d.layers, d.pass, goal(d)), 0.1);
      const after = crossEntropy(forward(stepped, d.input.x).logits, goal(d));
      return { truth: Math.abs(after - before) <= 1e-4 ? 1 : after < before ? 0 : 2, why: `From ${num(before, 4)} to ${num(after, 4)}: the slope is p minus the right answer, so what is sure already hardly moves.` };
    },
  },
  {
    id: "hardest",
    panel: "mistakes",
    ask: (d) => `Which digit does the network get wrong most often, of ${d.bundle.count.toLocaleString("en")}?`,
    choices: (d) => Array.from({ length: d.classes }, (_, k) => String(k)),
    solve(d) {
      const wrong = d.statistics().confusion.map((row, a) => row.reduce((sum, n, p) => sum + (p === a ? 0 : n), 0) / Math.max(1, row.reduce((s, n) => s + n, 0)));
      const truth = wrong.indexOf(Math.max(...wrong));
      return { truth, why: `${truth}: ${percent(wrong[truth])} of them are read as something else.` };
    },
  },
  {
    id: "halfway",
    panel: "training",
    when: (d) => d.model.epochs.length > 4 && "loss" in d.model.epochs[d.model.epochs.length - 1],
    ask: (d) => `Training took ${d.model.epochs[d.model.epochs.length - 1].epoch} epochs. When had the loss made nine tenths of its way down from the first epoch’s?`,
    choices: () => ["In the first quarter", "In the second", "Later"],
    solve(d) {
      const { epochs } = d.model;
      const last = epochs[epochs.length - 1];
      const mark = last.loss + 0.1 * (epochs[1].loss - last.loss);
      const { epoch } = epochs.find((e) => e.loss <= mark) ?? last;
      const share = epoch / last.epoch;
      return { truth: share <= 0.25 ? 0 : share <= 0.5 ? 1 : 2, why: `After epoch ${epoch}: the loss was at ${num(mark)} then, and ended at ${num(last.loss)}.` };
    },
  },
];

/** @param {string} text */
const parse = (text) => new Map(text.split(".").filter(Boolean).map((entry) => /** @type {[string, number]} */ ([entry.split("_")[0], Number(entry.split("_")[1])])));

/** @param {import("../app.js").Context} ctx @returns {import("../app.js").View} */
export function createQuestions(ctx) {
  const { store } = ctx;
  const list = h("ol.questions");
  const score = h("p.note");
  const again = button("Ask again", () => store.set({ quiz: "" }));
  let built = "";
  return {
    node: h(".stack",
      h("p.lead", "Commit yourself first; then look. The answers are measured on this model and this digit."),
      list, h(".row", score, h("span.gap"), again)),
    update(d) {
      const given = parse(d.state.quiz);
      again.hidden = !given.size;
      const key = `${d.weightsKey}|${d.inputKey}|${d.state.quiz}|${d.label}`;
      if (key === built) return;
      const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.choice : undefined;
      built = key;
      const asked = QUESTIONS.filter((q) => q.when?.(d) ?? true);
      let right = 0;
      list.replaceChildren(...asked.map((question) => {
        const choices = question.choices(d);
        const choice = given.get(question.id) ?? -1;
        const solved = choice >= 0 ? question.solve(d) : null;
        if (solved?.truth === choice) right++;
        const name = uid();
        return h("li", { "data-question": question.id }, h("fieldset", h("legend", question.ask(d)),
          h(".row", choices.map((text, k) => {
            const mark = !solved ? "" : k === solved.truth ? " ✓" : k === choice ? " ✗" : "";
            const input = h("input", { type: "radio", name, "data-choice": `${question.id}_${k}`, disabled: Boolean(solved), on: { change: () => answer(question, k) } });
            input.checked = k === choice;
            return h("label.check.choice", input, h("span", text + mark));
          }))),
          h("p.reveal", { role: "status" }, solved ? `${solved.truth === choice ? "Right." : `Not so: “${choices[solved.truth]}”.`} ${solved.why} ` : "",
            solved && h("button", { type: "button", class: "dlx-link", on: { click: () => ctx.open(question.panel) } }, "See it")));
      }));
      if (focused) list.querySelector(`[data-question="${focused.split("_")[0]}"] .dlx-link`)?.focus();
      score.textContent = given.size ? `${right} of ${given.size} right.` : "";
      attr(score, "data-score", right);
    },
  };

  /** @param {Question} question @param {number} choice */
  function answer(question, choice) {
    const d = ctx.now();
    const { truth } = question.solve(d);
    const choices = question.choices(d);
    const given = parse(store.state.quiz).set(question.id, choice);
    ctx.answered({ id: question.id, question: question.ask(d), answer: choices[choice], truth: choices[truth], right: truth === choice });
    store.set({ quiz: [...given].map(([id, k]) => `${id}_${k}`).join(".") });
  }
}
