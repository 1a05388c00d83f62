/**
 * What training spends its time in, for WebAssembly: the sums of a dense or convolutional layer, the way back
 * through them, and a step of Adam. AssemblyScript; `npm run kernels` makes explorer/src/kernels.js of it.
 *
 * The same as conv in explorer/src/kinds.js, two numbers at a time and without checks of bounds: whoever calls
 * has laid the arrays out. Arrays are addresses of f64 (and of i32 for the geometry).
 */

/** A layer's geometry: twelve numbers, each 4 bytes on. */
// @ts-ignore: decorator
@inline const ROWS = 0, COLS = 4, INS = 8, DOWN_ROWS = 12, DOWN_COLS = 16, OUTS = 20;
// @ts-ignore: decorator
@inline const HEIGHT = 24, WIDTH = 28, DOWN = 32, RIGHT = 36, TOP = 40, LEFT = 44;

/** How many inputs `look` found under a window. */
let found: i32 = 0;

/** The first row under the window of an output point; less than 0 where it begins above the image. */
// @ts-ignore: decorator
@inline function rowOf(geometry: usize, point: i32): i32 {
  return (point / load<i32>(geometry, DOWN_COLS)) * load<i32>(geometry, DOWN) - load<i32>(geometry, TOP);
}

/** The first column under it, likewise. */
// @ts-ignore: decorator
@inline function colOf(geometry: usize, point: i32): i32 {
  return (point % load<i32>(geometry, DOWN_COLS)) * load<i32>(geometry, RIGHT) - load<i32>(geometry, LEFT);
}

/**
 * Finds what is not 0 under the window of an output point: where its weights begin, at `rows` (4 bytes each), and
 * what it is, at `values`. Most pixels are paper; writing always and counting only what is inked asks no branch.
 */
function look(geometry: usize, point: i32, x: usize, rows: usize, values: usize): void {
  const across = load<i32>(geometry, COLS), ins = load<i32>(geometry, INS), outs = load<i32>(geometry, OUTS);
  const h = load<i32>(geometry, HEIGHT), w = load<i32>(geometry, WIDTH);
  const row = rowOf(geometry, point), col = colOf(geometry, point);
  let n: i32 = 0;
  for (let u = max<i32>(0, -row); u < h && row + u < load<i32>(geometry, ROWS); u++) {
    for (let v = max<i32>(0, -col); v < w && col + v < across; v++) {
      const source = x + (<usize>(((row + u) * across + col + v) * ins) << 3);
      const tap = (u * w + v) * ins;
      for (let i: i32 = 0; i < ins; i++) {
        const value = load<f64>(source + (<usize>i << 3));
        store<i32>(rows + (<usize>n << 2), (tap + i) * outs);
        store<f64>(values + (<usize>n << 3), value);
        n += i32(value != 0);
      }
    }
  }
  found = n;
}

/** z = bias + the sum of inputs times weights, for every point of a layer. */
export function sums(geometry: usize, rows: usize, values: usize, x: usize, weights: usize, bias: usize, z: usize): void {
  const outs = load<i32>(geometry, OUTS);
  const points = load<i32>(geometry, DOWN_ROWS) * load<i32>(geometry, DOWN_COLS);
  for (let point = 0; point < points; point++) {
    look(geometry, point, x, rows, values);
    const n = <usize>found;
    const out = z + (<usize>(point * outs) << 3);
    let j: i32 = 0;
    // Eight units at a time stay in registers while the inputs go by.
    for (; j + 8 <= outs; j += 8) {
      const at = <usize>j << 3;
      let a = v128.load(bias + at), b = v128.load(bias + at, 16), c = v128.load(bias + at, 32), d = v128.load(bias + at, 48);
      for (let k: usize = 0; k < n; k++) {
        const from = weights + at + (<usize>load<i32>(rows + (k << 2)) << 3);
        const v = v128.load_splat<f64>(values + (k << 3));
        a = f64x2.add(a, f64x2.mul(v, v128.load(from)));
        b = f64x2.add(b, f64x2.mul(v, v128.load(from, 16)));
        c = f64x2.add(c, f64x2.mul(v, v128.load(from, 32)));
        d = f64x2.add(d, f64x2.mul(v, v128.load(from, 48)));
      }
      v128.store(out + at, a);
      v128.store(out + at, b, 16);
      v128.store(out + at, c, 32);
      v128.store(out + at, d, 48);
    }
    for (; j + 2 <= outs; j += 2) {
      const at = <usize>j << 3;
      let a = v128.load(bias + at);
      for (let k: usize = 0; k < n; k++) {
        const from = weights + at + (<usize>load<i32>(rows + (k << 2)) << 3);
        a = f64x2.add(a, f64x2.mul(v128.load_splat<f64>(values + (k << 3)), v128.load(from)));
      }
      v128.store(out + at, a);
    }
    for (; j < outs; j++) {
      const at = <usize>j << 3;
      let a = load<f64>(bias + at);
      for (let k: usize = 0; k < n; k++) {
        a += load<f64>(values + (k << 3)) * load<f64>(weights + at + (<usize>load<i32>(rows + (k << 2)) << 3));
      }
      store<f64>(out + at, a);
    }
  }
}

/** dw += inputs times slopes, for the inputs that `look` found. */
function hand(rows: usize, values: usize, dz: usize, dw: usize, outs: i32): void {
  const n = <usize>found;
  let j: i32 = 0;
  for (; j + 8 <= outs; j += 8) {
    const at = <usize>j << 3;
    const a = v128.load(dz + at), b = v128.load(dz + at, 16), c = v128.load(dz + at, 32), d = v128.load(dz + at, 48);
    for (let k: usize = 0; k < n; k++) {
      const to = dw + at + (<usize>load<i32>(rows + (k << 2)) << 3);
      const v = v128.load_splat<f64>(values + (k << 3));
      v128.store(to, f64x2.add(v128.load(to), f64x2.mul(v, a)));
      v128.store(to, f64x2.add(v128.load(to, 16), f64x2.mul(v, b)), 16);
      v128.store(to, f64x2.add(v128.load(to, 32), f64x2.mul(v, c)), 32);
      v128.store(to, f64x2.add(v128.load(to, 48), f64x2.mul(v, d)), 48);
    }
  }
  for (; j < outs; j++) {
    const at = <usize>j << 3;
    const d = load<f64>(dz + at);
    if (d == 0) continue;
    for (let k: usize = 0; k < n; k++) {
      const to = dw + at + (<usize>load<i32>(rows + (k << 2)) << 3);
      store<f64>(to, load<f64>(to) + load<f64>(values + (k << 3)) * d);
    }
  }
}

/** dx += weights times slopes, for every input under a point's window. */
function inward(geometry: usize, point: i32, weights: usize, dz: usize, dx: usize): void {
  const across = load<i32>(geometry, COLS), ins = load<i32>(geometry, INS), outs = load<i32>(geometry, OUTS);
  const h = load<i32>(geometry, HEIGHT), w = load<i32>(geometry, WIDTH);
  const row = rowOf(geometry, point), col = colOf(geometry, point);
  for (let u = max<i32>(0, -row); u < h && row + u < load<i32>(geometry, ROWS); u++) {
    for (let v = max<i32>(0, -col); v < w && col + v < across; v++) {
      let to = dx + (<usize>(((row + u) * across + col + v) * ins) << 3);
      let from = weights + (<usize>((u * w + v) * ins * outs) << 3);
      for (let i: i32 = 0; i < ins; i++) {
        let pair = f64x2.splat(0);
        let j: i32 = 0;
        for (; j + 2 <= outs; j += 2) {
          const at = <usize>j << 3;
          pair = f64x2.add(pair, f64x2.mul(v128.load(from + at), v128.load(dz + at)));
        }
        let sum = f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
        if (j < outs) sum += load<f64>(from + (<usize>j << 3)) * load<f64>(dz + (<usize>j << 3));
        store<f64>(to, load<f64>(to) + sum);
        to += 8;
        from += <usize>outs << 3;
      }
    }
  }
}

/** Adds to dw and db what a layer's slopes say, and to dx unless that is 0. */
export function back(geometry: usize, rows: usize, values: usize, x: usize, weights: usize, dz: usize, dw: usize, db: usize, dx: usize): void {
  const outs = load<i32>(geometry, OUTS);
  const points = load<i32>(geometry, DOWN_ROWS) * load<i32>(geometry, DOWN_COLS);
  for (let point = 0; point < points; point++) {
    const slopes = dz + (<usize>(point * outs) << 3);
    let any = false;
    for (let j: i32 = 0; j < outs; j++) {
      const d = load<f64>(slopes + (<usize>j << 3));
      const to = db + (<usize>j << 3);
      store<f64>(to, load<f64>(to) + d);
      any = any || d != 0;
    }
    // What ReLU has shut, or a pool has passed over, has nothing to hand on.
    if (!any) continue;
    look(geometry, point, x, rows, values);
    hand(rows, values, slopes, dw, outs);
    if (dx) inward(geometry, point, weights, slopes, dx);
  }
}

/** A step of Adam on `count` weights (an even number); the gradients are 0 after it. */
export function adam(w: usize, g: usize, m: usize, v: usize, count: i32, share: f64, length: f64, keep1: f64, keep2: f64, epsilon: f64): void {
  const s = f64x2.splat(share), l = f64x2.splat(length), e = f64x2.splat(epsilon);
  const first = f64x2.splat(1 - keep1), second = f64x2.splat(1 - keep2);
  for (let at: usize = 0; at < <usize>count << 3; at += 16) {
    const slope = f64x2.mul(s, v128.load(g + at));
    let mean = v128.load(m + at), square = v128.load(v + at);
    mean = f64x2.add(mean, f64x2.mul(first, f64x2.sub(slope, mean)));
    square = f64x2.add(square, f64x2.mul(second, f64x2.sub(f64x2.mul(slope, slope), square)));
    v128.store(m + at, mean);
    v128.store(v + at, square);
    const step = f64x2.div(f64x2.mul(l, mean), f64x2.add(f64x2.sqrt(square), e));
    v128.store(w + at, f64x2.sub(v128.load(w + at), step));
    v128.store(g + at, f64x2.splat(0));
  }
}
