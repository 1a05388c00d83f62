/**
 * Steps in time, one frame after the other.
 * @param {() => void} refresh  draw again, at every frame and when it stops
 * @param {() => number} rate  steps a second
 * @param {(steps: number) => boolean} move  take them; whether there are more
 * @param {() => void} [begin]  before the first one
 */
export function createClock(refresh, rate, move, begin) {
  let frame = 0;
  let before = 0;
  let owed = 0;
  const clock = {
    playing: false,
    /** How far the step is that is being taken: 0 to 1. */
    fraction: () => (clock.playing ? Math.min(1, owed) : 0),
    toggle() {
      if (clock.playing) return clock.stop();
      begin?.();
      clock.playing = true;
      before = performance.now();
      owed = 0;
      frame = requestAnimationFrame(tick);
      refresh();
    },
    stop() {
      clock.playing = false;
      cancelAnimationFrame(frame);
      refresh();
    },
  };
  /** @param {number} time */
  function tick(time) {
    owed += (Math.max(0, time - before) / 1000) * rate();
    before = time;
    const steps = Math.floor(owed);
    owed -= steps;
    if (!move(steps)) return clock.stop();
    refresh();
    frame = requestAnimationFrame(tick);
  }
  return clock;
}

/** @typedef {ReturnType<typeof createClock>} Clock */
