/**
 * One training from its start to its end, as a worker (or, where there is none, the page itself) runs it:
 * messages come in, progress goes out, and between two slices of work there is time to listen.
 *
 * @typedef {import("./engine.js").Layer} Layer
 * @typedef {{epoch: number, loss: number, accuracy: number}} Mark  an epoch, or the part of one that is done
 *
 * @typedef {object} Order  what a session is told
 * @property {"start" | "run" | "step" | "pause"} task
 * @property {import("./trainer.js").Settings} settings
 * @property {Layer[]} [layers]  for the start
 * @property {Float32Array} [samples]
 * @property {Uint16Array} [labels]
 *
 * @typedef {object} Progress  what it says
 * @property {Float64Array[]} arrays  weights and bias of each layer
 * @property {Mark[]} marks  the epochs finished since the last time
 * @property {Mark | null} now  the epoch that is going on
 * @property {import("./derive.js").Statistics | null} statistics
 * @property {string} trouble
 * @property {boolean} running
 */

import { createCount } from "./derive.js";
import { copyOf, createTrainer, random, shuffled } from "./trainer.js";

/** Multiplications that counting all samples may take while a training runs. */
const QUICK = 3e7;

/**
 * @param {(progress: Progress) => void} say
 * @param {number} slice  milliseconds of work between two looks at the messages
 * @returns {(order: Order) => void}
 */
export function createSession(say, slice) {
  /** @type {Layer[]} */
  let layers = [];
  /** @type {ReturnType<typeof createTrainer>} */
  let trainer;
  /** @type {import("./trainer.js").Settings} */
  let settings;
  /** @type {(at: number) => Float64Array} */
  let sample;
  /** @type {Uint16Array} */
  let labels;
  /** @type {Mark[]} */
  let marks = [];
  let order = new Uint32Array(0);
  let [at, epoch, loss, right, timer] = [0, 0, 0, 0, 0];
  let draw = random(1);

  /** @param {Order} given */
  function start(given) {
    const { samples = new Float32Array(0) } = given;
    layers = copyOf(given.layers ?? []);
    labels = given.labels ?? labels;
    const width = layers[0].inputs;
    const rows = Array.from({ length: labels.length }, (_, k) => Float64Array.from(samples.subarray(k * width, (k + 1) * width)));
    sample = (k) => rows[k];
    trainer = createTrainer(layers, sample, labels);
    draw = random(1);
    marks = [];
    [at, epoch, loss, right] = [0, 0, 0, 0];
    order = shuffled(labels.length, draw);
  }

  function step() {
    const batch = order.subarray(at, at + settings.batch);
    const done = trainer.step(batch, settings);
    loss += done.loss * batch.length;
    right += done.right;
    at += batch.length;
    if (at < order.length) return;
    epoch++;
    marks.push({ epoch, loss: loss / at, accuracy: right / at });
    order = shuffled(labels.length, draw);
    [at, loss, right] = [0, 0, 0];
  }

  /** @param {boolean} running */
  function tell(running) {
    const bad = layers.some(({ weights }) => !Number.isFinite(weights[0]) || weights.some((w) => !Number.isFinite(w)));
    const work = layers.reduce((sum, layer) => sum + layer.weights.length * layer.shape[0] * layer.shape[1], 0);
    /** @type {import("./derive.js").Statistics | null} */
    let statistics = null;
    if (!bad && (!running || work * labels.length < QUICK)) {
      const counting = createCount({ count: labels.length, labels }, layers, sample, trainer.room);
      counting.run(Infinity);
      statistics = counting.result();
    }
    say({
      arrays: layers.flatMap(({ weights, bias }) => [Float64Array.from(weights), Float64Array.from(bias)]),
      marks: marks.splice(0),
      now: at ? { epoch: epoch + at / order.length, loss: loss / at, accuracy: right / at } : null,
      statistics,
      trouble: bad ? "astray" : "",
      running: running && !bad,
    });
    return !bad;
  }

  function run() {
    const until = performance.now() + slice;
    do step();
    while (performance.now() < until);
    timer = tell(true) ? setTimeout(run, 0) : 0;
  }

  return (given) => {
    settings = given.settings;
    if (given.task === "start") start(given);
    if (given.task === "run") timer ||= setTimeout(run, 0);
    if (given.task === "pause" || given.task === "step") {
      clearTimeout(timer);
      timer = 0;
      if (given.task === "step") step();
      tell(false);
    }
  };
}
