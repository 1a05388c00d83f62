/** What plays: the forward pass step by step, and once by itself when the page is opened. */

import { createClock } from "./clock.js";
import { seek } from "./timeline.js";

/** Steps a second while playing; terms are as fast as it takes to be through in six seconds. @type {Record<string, number>} */
const SPEED = { layer: 0.9, unit: 7, term: 60 };
const TERMS = 6;
/** Seconds that the first pass takes. */
const FIRST = 3;

/**
 * Walks through the forward pass in time.
 * @param {import("./store.js").Store} store
 * @param {() => import("./derive.js").Derived} now
 * @param {() => void} refresh
 */
export function createPlayer(store, now, refresh) {
  /** @param {number} to */
  const go = (to) => {
    const { layers, state } = now();
    store.set(seek(layers, state, to));
    return store.state.t;
  };
  const last = () => seek(now().layers, now().state, Infinity).t;
  return createClock(refresh, () => Math.min(SPEED[store.state.grain], store.state.grain === "term" ? last() / TERMS : Infinity),
    (steps) => (steps ? go(store.state.t + steps) : store.state.t) < last(),
    () => {
      const { t } = store.state;
      if (t < 0 || t >= last()) go(0);
    });
}

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * The pass that plays by itself, once: it lies over the state and leaves it alone. Whoever touches
 * the explorer ends it; who wants no motion does not see it.
 * @param {HTMLElement} root @param {import("./bundle.js").Bundle} bundle
 * @param {() => void} refresh @param {AbortSignal} gone
 */
export function createIntro(root, bundle, refresh, gone) {
  const steps = bundle.models[0].layers.length + 1;
  let at = -1;
  const clock = createClock(refresh, () => steps / FIRST, (by) => {
    at += by;
    if (at < steps) return true;
    at = -1;
    return false;
  });
  const stop = () => {
    at = -1;
    if (clock.playing) clock.stop();
  };
  for (const type of ["pointerdown", "keydown", "wheel"]) root.addEventListener(type, stop, { signal: gone, capture: true, passive: true });
  gone.addEventListener("abort", stop);
  return {
    stop,
    fraction: clock.fraction,
    playing: () => clock.playing,
    play() {
      if (still()) return;
      at = 0;
      clock.toggle();
    },
    /** @param {import("./store.js").State} state */
    over: (state) => (at < 0 ? state : { ...state, grain: "layer", t: at }),
  };
}

/** @param {import("./clock.js").Clock} player @param {ReturnType<typeof createIntro>} intro */
export function createMotion(player, intro) {
  return {
    reduced: still,
    playing: () => player.playing || intro.playing(),
    /** How far the step is that is being taken; without motion a step is taken at once. */
    fraction: () => (still() ? 0 : player.playing ? player.fraction() : intro.fraction()),
  };
}

/** @typedef {ReturnType<typeof createMotion>} Motion */
