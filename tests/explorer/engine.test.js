// The pure modules under node --test; reference.json holds NumPy's arrays (make_reference.py).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { softmax } from "../../explorer/src/activations.js";
import { backward, biasOf, crossEntropy, evidence, forward, numericalSlope, sgdStep, termsOf } from "../../explorer/src/engine.js";
import { canSilence } from "../../explorer/src/derive.js";
import { decodeInk, drawOnto, encodeInk, rasterise } from "../../explorer/src/ink.js";
import { createTrainer, random } from "../../explorer/src/trainer.js";
import { preprocess } from "../../explorer/src/prep.js";
import { edgesInto, edgesOf } from "../../explorer/src/views/edges.js";
import { layOut } from "../../explorer/src/views/layout.js";
import { DEFAULTS, createStore, decode, encode } from "../../explorer/src/store.js";
import { advance, lastPosition, place, seek } from "../../explorer/src/timeline.js";

const reference = JSON.parse(readFileSync(new URL("reference.json", import.meta.url), "utf8"));
const networks = Object.entries(reference.networks).map(([name, entry]) => ({
  name,
  ...entry,
  layers: entry.layers.map((l) => ({ ...l, weights: Float64Array.from(l.weights), bias: Float64Array.from(l.bias) })),
}));

const close = (a, b, most = 1e-9) => {
  assert.equal(a.length, b.length);
  a.forEach((v, k) => assert.ok(Math.abs(v - b[k]) <= most, `${v} is not ${b[k]} at ${k}`));
};

const kerases = Object.entries(JSON.parse(readFileSync(new URL("keras.json", import.meta.url), "utf8"))).map(([name, entry]) => ({
  name,
  ...entry,
  layers: entry.layers.map((l) => ({ ...l, weights: Float64Array.from(l.weights), bias: Float64Array.from(l.bias) })),
}));

for (const { name, layers, x, outputs, y, gradients } of kerases) {
  test(`Keras, ${name}: every output equals Keras's`, () => {
    x.forEach((one, k) => close(forward(layers, one).a.at(-1), outputs[k], 1e-4));
  });

  test(`Keras, ${name}: a unit's terms and its bias add up to its sum`, () => {
    const pass = forward(layers, x[0]);
    layers.forEach((layer, l) => {
      for (let j = 0; j < layer.units; j += 7) {
        const sum = termsOf(layer, l ? pass.a[l - 1] : pass.x, j).terms.reduce((total, v) => total + v, biasOf(layer, j));
        assert.ok(Math.abs(sum - pass.z[l][j]) < 1e-9, `${layer.name} ${j}`);
      }
    });
  });

  if (gradients) test(`Keras, ${name}: the batch's gradients equal Keras's`, () => {
    const sum = layers.map((l) => [new Float64Array(l.weights.length), new Float64Array(l.bias.length)]);
    x.forEach((one, k) => {
      const g = backward(layers, forward(layers, one), y[k]);
      layers.forEach((_, l) => [g.weights[l], g.bias[l]].forEach((part, at) => part.forEach((v, i) => (sum[l][at][i] += v / x.length))));
    });
    const trained = sum.filter(([w]) => w.length).flat();
    gradients.forEach((row, k) => close(trained[k], row, 1e-5));
  });
}

/** @param {string} where */
function trainerIn(where, ...rest) {
  const kept = globalThis.WebAssembly;
  if (where === "JavaScript") globalThis.WebAssembly = undefined;
  try {
    return createTrainer(...rest);
  } finally {
    globalThis.WebAssembly = kept;
  }
}

for (const { name, layers, x, y, batches, trained } of kerases.filter((entry) => entry.trained)) {
  for (const [optimiser, { rate, weights }] of Object.entries(trained)) for (const where of ["WebAssembly", "JavaScript"]) {
    test(`Keras, ${name}: a hundred steps of ${optimiser} on the same batches, in ${where}, end at Keras's weights`, () => {
      const own = layers.map((l) => ({ ...l, weights: l.weights.slice(), bias: l.bias.slice() }));
      const trainer = trainerIn(where, own, (k) => Float64Array.from(x[k]), y);
      // An array of the module's memory is a piece of one buffer; others have their own.
      assert.equal(own.find((l) => l.weights.length).weights.buffer === trainer.room.x.buffer, where === "WebAssembly");
      for (const batch of batches) trainer.step(batch, { optimiser, rate, batch: batch.length });
      assert.equal(batches.length, 100);
      own.filter((l) => l.weights.length).flatMap((l) => [l.weights, l.bias]).forEach((row, k) => close(row, weights[k], 1e-3));
      assert.ok(own[0].weights.some((w, k) => Math.abs(w - layers[0].weights[k]) > 1e-2));
    });
  }
}

/** A window that begins outside the image on both sides, which none of Keras's above does. */
function padded() {
  const draw = random(5);
  const some = (n) => Float64Array.from({ length: n }, () => draw() - 0.5);
  const conv = { kind: "conv", inputs: 84, units: 105, from: [7, 6, 2], shape: [7, 3, 5], window: [3, 3], stride: [1, 2], pad: [1, 1], activation: "tanh" };
  const dense = { kind: "dense", inputs: 105, units: 3, from: [1, 1, 105], shape: [1, 1, 3], activation: "linear" };
  const layers = [{ ...conv, weights: some(90), bias: some(5) }, { ...dense, weights: some(315), bias: some(3) }];
  return { name: "padded", layers, x: [0, 1, 2, 3].map(() => some(84)) };
}

for (const { name, layers, x } of [...kerases, padded()]) {
  test(`${name}: training goes the same way in WebAssembly and in JavaScript`, () => {
    const ends = ["WebAssembly", "JavaScript"].map((where) => {
      const own = layers.map((l) => ({ ...l, weights: l.weights.slice(), bias: l.bias.slice() }));
      const trainer = trainerIn(where, own, (k) => Float64Array.from(x[k]), x.map((_, k) => k % layers.at(-1).units));
      for (let k = 0; k < 5; k++) trainer.step([...x.keys()], { optimiser: "adam", rate: 0.01 });
      return own.flatMap((l) => [...l.weights, ...l.bias]);
    });
    close(ends[0], ends[1], 1e-7);
    assert.ok(ends[0].length === 0 || ends[0].some((w, k) => w !== layers.flatMap((l) => [...l.weights, ...l.bias])[k]));
  });
}

for (const { name, layers, x, z, a, probabilities, label, loss, gradients } of networks) {
  test(`${name}: forward pass equals NumPy's`, () => {
    const pass = forward(layers, x);
    z.forEach((row, l) => close(pass.z[l], row));
    a.forEach((row, l) => close(pass.a[l], row));
    close(pass.probabilities, probabilities);
    assert.ok(Math.abs(crossEntropy(pass.logits, label) - loss) < 1e-9);
  });

  test(`${name}: gradients equal NumPy's and finite differences`, () => {
    const g = backward(layers, forward(layers, x), label);
    gradients.forEach((row, l) => close(g.weights[l], row, 1e-6));
    for (let l = 0; l < layers.length; l++) {
      for (let k = 0; k < layers[l].weights.length; k += 3) {
        assert.ok(Math.abs(numericalSlope(layers, x, label, l, k) - g.weights[l][k]) < 1e-6);
      }
    }
  });

  test(`${name}: a unit that is turned off gives 0, and its slopes are those of a network without it`, () => {
    const off = layers.map((layer, l) => (canSilence(layers, l) ? { ...layer, off: new Set([1]) } : layer));
    const pass = forward(off, x);
    const g = backward(off, pass, label);
    for (let l = 0; l < layers.length; l++) {
      if (off[l].off) assert.equal(pass.a[l][1], 0);
      g.weights[l].forEach((slope, k) => assert.ok(Math.abs(numericalSlope(off, x, label, l, k) - slope) < 1e-6));
    }
  });

  test(`${name}: what speaks for a class is each input times the slope of the difference in it`, () => {
    const [one, other, paper, step] = [0, 1, 0.25, 1e-5];
    const found = evidence(layers, forward(layers, x), one, other, paper);
    x.forEach((v, k) => {
      const [up, down] = [step, -step].map((d) => forward(layers, x.map((w, i) => (i === k ? w + d : w))).logits);
      const slope = (up[one] - up[other] - down[one] + down[other]) / (2 * step);
      assert.ok(Math.abs(found[k] - (v - paper) * slope) < 1e-6, `input ${k}`);
    });
  });

  test(`${name}: one small step lowers the loss and leaves the old weights alone`, () => {
    const before = Float64Array.from(layers[0].weights);
    const pass = forward(layers, x);
    const stepped = sgdStep(layers, backward(layers, pass, label), 0.01);
    assert.ok(crossEntropy(forward(stepped, x).logits, label) < crossEntropy(pass.logits, label));
    assert.deepEqual(layers[0].weights, before);
  });

  test(`${name}: a unit's terms and its bias add up to its sum`, () => {
    const pass = forward(layers, x);
    layers.forEach((layer, l) => {
      const below = l ? pass.a[l - 1] : pass.x;
      for (let j = 0; j < layer.units; j++) {
        const sum = termsOf(layer, below, j).terms.reduce((total, v) => total + v, biasOf(layer, j));
        assert.ok(Math.abs(sum - pass.z[l][j]) < 1e-12);
      }
    });
  });
}

for (const { name, layers, x } of [...networks, ...kerases.map((entry) => ({ ...entry, x: entry.x[0] }))]) {
  test(`${name}: what travels along a line is one of the sum's own terms, the largest of them`, () => {
    const pass = forward(layers, x);
    const d = { layers, pass, state: { edges: "signal" } };
    layers.forEach((layer, l) => {
      const below = l ? pass.a[l - 1] : pass.x;
      for (const unit of [0, layer.units - 1]) {
        const { inputs, weights, terms } = termsOf(layer, below, unit);
        const lines = edgesOf(d, l, unit, 5);
        const sizes = [...terms].map(Math.abs).filter(Boolean).sort((a, b) => b - a).slice(0, 5);
        assert.deepEqual(lines.map(({ value }) => Math.abs(value)), sizes);
        for (const { from, to, value } of lines) {
          assert.equal(to, unit);
          assert.ok(inputs.some((input, k) => input === from && terms[k] === value), "a term of this unit");
        }
        const bare = edgesOf({ ...d, state: { edges: "weight" } }, l, unit, 1)[0];
        assert.equal(Math.abs(bare.value), Math.max(...weights.map(Math.abs)));
        // Backward: the slope of the loss in a weight is the slope in the sum times what the weight is for.
        const slopes = Float64Array.from({ length: layer.units }, (_, k) => 0.1 + k);
        for (const { from, value } of edgesOf(d, l, unit, 5, slopes)) assert.equal(value, below[from] * slopes[unit]);
      }
      if (layer.kind === "dense") {
        // The walk along the weights finds what each unit's own terms give, as lines of every meaning.
        const each = Math.max(1, Math.ceil(150 / layer.units));
        for (const [edges, slope] of [["signal"], ["weight"], ["gradient", Float64Array.from({ length: layer.units }, (_, k) => 0.1 + k)]]) {
          const of = { ...d, state: { edges } };
          assert.deepEqual(edgesInto(of, l, slope), [...Array(layer.units).keys()].flatMap((unit) => edgesOf(of, l, unit, each, slope)));
        }
      }
      const into = edgesInto(d, l);
      assert.ok(into.every(({ from, to, value }) => edgesOf(d, l, to, layer.inputs).some((e) => e.from === from && e.value === value)));
    });
  });
}

test("softmax holds for logits of a thousand, for ties and for one class", () => {
  close(softmax([1000, 1001, 1002]), softmax([0, 1, 2]));
  close(softmax([5, 5]), [0.5, 0.5]);
  close(softmax([-3]), [1]);
});

test("preprocessing equals Python's on the reference picture", () => {
  const { picture, x } = reference.picture;
  close(preprocess(picture, { side: 20, order: "F" }).x, x, 1e-9);
});

test("every step forward is undone by a step back, at every step size", () => {
  const { layers } = networks[0];
  for (const grain of ["layer", "unit", "term"]) {
    let state = { grain, ...seek(layers, { grain, t: 0, layer: 0, unit: 0 }, 0) };
    const seen = [state];
    for (let k = 0; k < 60; k++) seen.push((state = { grain, ...advance(layers, state, 1) }));
    for (let k = 59; k >= 0; k--) {
      state = { grain, ...advance(layers, state, -1) };
      if (JSON.stringify(seen[k + 1]) !== JSON.stringify(seen[k])) assert.deepEqual(state, seen[k]);
      else break;
    }
  }
});

test("the last position shows every unit and the answer; the first one nothing", () => {
  const { layers } = networks[0];
  const units = layers.map((layer) => layer.units);
  for (const grain of ["layer", "unit"]) {
    const last = lastPosition(layers, grain, 0, 0);
    assert.deepEqual(place(layers, grain, last, 0, 0).shown, units);
    assert.equal(place(layers, grain, last, 0, 0).answer, true);
    assert.deepEqual(place(layers, grain, 0, 0, 0).shown, units.map(() => 0));
  }
});

test("the state survives the URL, and nonsense in it falls back to the default", () => {
  const state = { ...DEFAULTS, panel: "mistakes", sample: 12, lr: 0.03, ink: "0a0b1c1d.-0a0b", off: "centre.crop" };
  assert.deepEqual(decode(encode(state)), state);
  assert.deepEqual(decode("panel=nowhere&sample=x&unit=1.5&t=NaN&stranger=1"), { ...DEFAULTS });
  assert.equal(encode({ ...DEFAULTS }), "");
  assert.equal(encode({ ...DEFAULTS, photo: "abc" }), "");
  assert.deepEqual(decode(encode({ ...DEFAULTS, source: "photo", photo: "a-_9" })), { ...DEFAULTS, source: "photo", photo: "a-_9" });
});

test("the store tells its listeners when something changed, and only then", () => {
  const store = createStore({ ...DEFAULTS });
  const heard = [];
  store.subscribe(() => heard.push(store.state.sample));
  store.set({ sample: 3, panel: DEFAULTS.panel });
  store.set({ sample: 3 });
  store.set({ sample: 4 });
  assert.deepEqual(heard, [3, 4]);
});

test("strokes survive their text, stay on the sheet, and an eraser takes ink away", () => {
  const strokes = [{ erase: false, points: [[10, 20], [30, 40]] }, { erase: true, points: [[111, 0]] }];
  assert.deepEqual(decodeInk(encodeInk(strokes)), strokes);
  assert.deepEqual(decodeInk(encodeInk([{ erase: false, points: [[-5, 900]] }]))[0].points, [[0, 111]]);
  const drawn = rasterise(encodeInk(strokes.slice(0, 1)));
  assert.equal(drawn[30 * 112 + 20], 0);
  assert.equal(drawn[0], 255);
  const erased = rasterise(encodeInk([strokes[0], { erase: true, points: [[20, 30]] }]));
  assert.equal(erased[30 * 112 + 20], 255);
});

test("what is drawn on a digit leaves its other pixels alone", () => {
  const input = { side: 20, order: "F", low: 0, high: 1 };
  const digit = Float64Array.from({ length: 400 }, (_, k) => (k % 7) / 7);
  const ink = encodeInk([{ erase: false, points: [[8, 8], [14, 8]] }]);
  const drawn = drawOnto(digit, ink, input);
  const changed = [...drawn.keys()].filter((k) => drawn[k] !== digit[k]);
  assert.ok(changed.length > 0 && changed.every((k) => drawn[k] > digit[k] && k % 20 < 5 && k / 20 < 5));
  const erased = drawOnto(drawn, encodeInk([{ erase: true, points: [[8, 8], [14, 8]] }]), input);
  assert.ok(erased[21] < 1e-9);
  assert.equal(erased[399], digit[399]);
  assert.deepEqual(drawOnto(digit, "", input), digit);
});

test("a drawing that grows stroke by stroke is the same as one drawn at once", () => {
  const text = "0a0b1c1d2e2a.1010.-0a0b0c0c.3030";
  for (let k = 8; k < text.length; k++) rasterise(text.slice(0, k));
  const grown = rasterise(text);
  rasterise("");
  assert.deepEqual(rasterise(text), grown);
  assert.ok(grown.some((v) => v === 0));
});

test("a picture of any network stays within its bounds, and each layer has a bounded number of parts in it", () => {
  const image = { kind: "image", rows: 28, cols: 28, channels: 1, order: "C" };
  const table = { kind: "columns", rows: 1, cols: 60, channels: 1, order: "C" };
  const stacks = [[2], [300], [5000, 10], Array(40).fill(300), [25, 15, 10], [1, 1000, 26]];
  for (const room of [120, 390, 1280, 4000]) {
    for (const input of [image, table]) {
      for (const units of stacks) {
        const layers = units.map((n, l) => ({ kind: "dense", inputs: l ? units[l - 1] : 784, units: n, shape: [1, 1, n] }));
        const last = units.at(-1) - 1;
        const plan = layOut(layers, room, input, { layer: layers.length - 1, unit: last });
        assert.ok(plan.width >= room && plan.width <= Math.max(room, 700, 90 * units.length) && plan.height <= 720);
        for (const { parts, size } of plan.blocks) {
          const shown = parts.filter(Boolean);
          assert.ok(shown.length > 0 && shown.length <= Math.max(16, (plan.width * plan.height) / size ** 2));
          for (const { x, y } of shown) assert.ok(x >= size / 2 && x <= plan.width - size / 2 && y >= size / 2 && y <= plan.height - size / 2, `${units} in ${room}`);
        }
        assert.ok(plan.at(layers.length - 1, last), "the open unit is shown");
        assert.equal(plan.at(-1, 0).x >= 0 && plan.image.x + plan.image.wide <= plan.width, true);
      }
    }
  }
});
