/** Makes explorer/src/kernels.js of layer.ts: `npm run kernels`; with a path, writes there. */

import { readFileSync, writeFileSync } from "node:fs";
import asc from "assemblyscript/asc";

const SOURCE = "explorer/kernels/layer.ts";
const FLAGS = ["-O3", "--enable", "simd", "--runtime", "stub", "--importMemory", "--noAssert"];

/** @type {Uint8Array | undefined} */
let binary;
const { error, stderr } = await asc.main([SOURCE, "--outFile", "layer.wasm", ...FLAGS], {
  readFile: (name) => { try { return readFileSync(name, "utf8"); } catch { return null; } },
  writeFile: (name, contents) => { binary = /** @type {Uint8Array} */ (contents); },
});
if (error || !binary) throw new Error(`${SOURCE} does not compile\n${stderr}`);

writeFileSync(process.argv[2] ?? "explorer/src/kernels.js", `/** Made of ${SOURCE} by \`npm run kernels\`: WebAssembly, as base64. */
export const KERNELS =
  "${Buffer.from(binary).toString("base64")}";
`);
