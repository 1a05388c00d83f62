/**
 * Steps in time, one frame after the other.
 * @param {() => void} refresh  draw again, when it starts and when it stops
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
    frame = requestAnimationFrame(tick);
  }
  return clock;
}

/** @typedef {ReturnType<typeof createClock>} Clock */
