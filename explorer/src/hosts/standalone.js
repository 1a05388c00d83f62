/** The explorer as a page: data from the page itself, state in the URL hash. */

import { mount } from "../app.js";
import { BundleError, readBundle } from "../bundle.js";
import { decode, encode } from "../store.js";
import { showError } from "./failure.js";

/** @param {string} text  base64 of the gzipped bundle */
async function unpack(text) {
  if (!("DecompressionStream" in globalThis)) {
    throw new BundleError("This browser is too old for the explorer: it cannot unpack the data. Use one from 2023 or later.");
  }
  try {
    const letters = atob(text.trim());
    const packed = new Uint8Array(letters.length);
    for (let k = 0; k < packed.length; k++) packed[k] = letters.charCodeAt(k);
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return await new Response(stream).arrayBuffer();
  } catch (error) {
    if (!(error instanceof DOMException) && !(error instanceof TypeError)) throw error;
    throw new BundleError("The data in this page is damaged. Write the page again with Explorer.save_html.");
  }
}

/** @param {HTMLElement} element */
export async function start(element) {
  try {
    const data = document.querySelector("script[data-digits-bundle]");
    const bundle = readBundle(await unpack(data?.textContent ?? ""));
    let written = location.hash.slice(1);
    const app = mount(element, bundle, {
      level: 1,
      script: () => document.querySelector("script[type=module]")?.textContent ?? "",
      initial: decode(location.hash),
      onState(state) {
        const text = encode(state);
        if (text === written) return;
        written = text;
        try {
          history.replaceState(null, "", `#${text}`);
        } catch (error) {
          // A page in a sandboxed frame has no address of its own to write to.
          if (!(error instanceof DOMException)) throw error;
        }
      },
    });
    addEventListener("hashchange", () => {
      const text = location.hash.slice(1);
      if (text !== written) app.store.set(decode((written = text)));
    });
    /** @type {any} */ (element).explorer = app;
  } catch (error) {
    showError(element, error);
  }
}
