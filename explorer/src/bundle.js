/**
 * Reads the bundle that `explorer/pack.py` writes: magic, lengths, a JSON header, then sections
 * of little-endian numbers, each aligned to 8 bytes.
 *
 * @typedef {import("./engine.js").Layer} Layer
 * @typedef {{epoch: number} & Record<string, number>} Epoch
 *
 * @typedef {object} Model
 * @property {string} name
 * @property {Layer[]} layers  the final weights
 * @property {Epoch[]} epochs  one entry a snapshot, with the metrics Keras logged
 * @property {string[]} untrainable  kinds of layers that act otherwise in training
 * @property {Epoch[]} log  the metrics alone, where there are no snapshots
 * @property {(at: number) => Layer[]} snapshot  the layers of the at-th snapshot
 * @property {(flat: Float64Array) => Layer[]} cut  layers with other weights
 * @property {Float32Array} reference  Keras's own output for the first samples
 *
 * @typedef {object} Input  what the network takes
 * @property {string} kind  image, or columns (a table's row)
 * @property {number} side  of a square image
 * @property {number} rows
 * @property {number} cols
 * @property {number} channels
 * @property {string} order
 * @property {number} low  the value of paper
 * @property {number} high  the value of ink
 * @property {boolean} normalised  whether the last stage of the preprocessing divides by 255
 * @property {boolean} drawable  whether a drawing can be made into such an input
 * @property {string[]} columns  names of a table's columns
 *
 * @typedef {object} Bundle
 * @property {string} title
 * @property {(key: string, ...values: any[]) => string} say  a text of explorer/words.py, {0} being the first value
 * @property {Input} input
 * @property {Model[]} models
 * @property {{text: string, part: string, from?: string, patch: Partial<import("./store.js").State>}[]} tour  what is spoken of begins at the part `from`, if it has one, and is marked at `part`
 * @property {number} count  samples in here
 * @property {number} of  samples that the explorer was given
 * @property {Uint8Array | Uint16Array} labels
 * @property {(at: number) => Float64Array} sample  network input of a sample
 */

const MAGIC = "DIGITS01";
const ADVICE = "Make it again with Explorer(model, X, y), from the same version of the package.";

export class BundleError extends Error {}

/** @type {Float32Array | undefined} */
let halves;

/** All 65,536 half-precision numbers, so that reading one is a look-up. */
function halfTable() {
  if (halves) return halves;
  halves = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    // Infinity and NaN (exponent 31) are never packed.
    const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
    halves[bits] = bits & 32768 ? -size : size;
  }
  return halves;
}

/**
 * @param {ArrayBuffer | ArrayBufferView} source
 * @returns {Bundle}
 */
export function readBundle(source) {
  // A view from the notebook may start at any byte: a copy is aligned, and it is ours.
  const bytes = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice()
    : new Uint8Array(source).slice();
  if (bytes.length < 16) {
    throw new BundleError(`The explorer's data is empty or cut short (${bytes.length} bytes). ${ADVICE}`);
  }
  const magic = String.fromCharCode(...bytes.subarray(0, 8));
  if (magic !== MAGIC) {
    throw new BundleError(`This is not an explorer's data (it does not begin with ${MAGIC}). ${ADVICE}`);
  }
  const view = new DataView(bytes.buffer);
  const headerLength = view.getUint32(8, true);
  const total = view.getUint32(12, true);
  if (bytes.length !== total) {
    throw new BundleError(
      `The explorer's data is incomplete: ${bytes.length} of ${total} bytes are here. ${ADVICE}`,
    );
  }
  let header;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(16, 16 + headerLength)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new BundleError(`The header of the explorer's data cannot be read. ${ADVICE}`);
  }
  return assemble(header, bytes.buffer, Math.ceil((16 + headerLength) / 8) * 8);
}

/**
 * @param {any} header
 * @param {ArrayBuffer} buffer
 * @param {number} start  where the sections begin
 * @returns {Bundle}
 */
function assemble(header, buffer, start) {
  const kinds = { f32: Float32Array, f16: Uint16Array, u8: Uint8Array, u16: Uint16Array };
  /** @param {string} name @returns {any} */
  const section = (name) => {
    const entry = header.sections?.[name];
    const Kind = kinds[/** @type {keyof typeof kinds} */ (entry?.dtype)];
    const end = Kind && start + entry.offset + entry.length * Kind.BYTES_PER_ELEMENT;
    if (!Kind || entry.offset % 8 || !(end <= buffer.byteLength)) {
      throw new BundleError(`Section ${name} of the explorer's data is missing or damaged. ${ADVICE}`);
    }
    return new Kind(buffer, start + entry.offset, entry.length);
  };
  const { scale, zero, count, of } = header.samples;
  const pixels = section("samples");
  const { rows, cols, channels } = header.input;
  const width = rows * cols * channels;
  const asBytes = pixels instanceof Uint8Array;
  return {
    title: header.title,
    say: (key, ...values) => (header.words?.[key] ?? key).replace(/\{(\d)\}/g, (/** @type {string} */ _, /** @type {number} */ k) => values[k]),
    input: header.input,
    tour: header.tour,
    count,
    of,
    labels: section("labels"),
    sample(at) {
      const x = Float64Array.from(pixels.subarray(at * width, (at + 1) * width));
      if (asBytes) for (let k = 0; k < width; k++) x[k] = Math.fround((x[k] - zero) * scale);
      return x;
    },
    models: header.models.map((/** @type {any} */ entry, /** @type {number} */ m) =>
      readModel(entry, section(`weights${m}`), section(`snapshots${m}`), section(`reference${m}`)),
    ),
  };
}

/**
 * @param {any} entry
 * @param {Float32Array} weights
 * @param {Uint16Array} snapshots  each element's difference to the one before, modulo 65,536
 * @param {Float32Array} reference
 * @returns {Model}
 */
function readModel(entry, weights, snapshots, reference) {
  const bad = weights.findIndex((w) => !Number.isFinite(w));
  if (bad >= 0) {
    throw new BundleError(
      `Model “${entry.name}” has a weight that is not a number: its training went astray. ` +
        "Train it again with a smaller learning rate.",
    );
  }
  /** @type {Float64Array[]} */
  const unpacked = [];
  /** @param {number} at */
  const flat = (at) => {
    if (!unpacked.length) {
      const table = halfTable();
      const size = weights.length;
      const bits = new Uint16Array(size);
      for (let e = 0; e < entry.epochs.length; e++) {
        const values = new Float64Array(size);
        for (let k = 0; k < size; k++) {
          bits[k] += snapshots[e * size + k]; // wraps around at 65,536
          values[k] = table[bits[k]];
        }
        unpacked.push(values);
      }
    }
    return unpacked[at];
  };
  return {
    name: entry.name,
    epochs: entry.epochs,
    log: entry.log,
    untrainable: entry.untrainable,
    layers: cut(entry.layers, Float64Array.from(weights)),
    cut: (flat) => cut(entry.layers, flat),
    snapshot: (at) => cut(entry.layers, flat(at)),
    reference,
  };
}

/**
 * @param {any[]} shapes
 * @param {Float64Array} flat  of one type everywhere: code that meets two kinds of array is several times slower
 * @returns {Layer[]}
 */
function cut(shapes, flat) {
  let at = 0;
  return shapes.map((shape) => {
    const weights = flat.subarray(at, (at += shape.weights));
    const bias = flat.subarray(at, (at += shape.bias));
    return { ...shape, weights, bias };
  });
}
