/** One module for three places: a widget's `render`, a page that starts itself, and the worker that trains. */

import { render } from "./hosts/afm.js";
import { start } from "./hosts/standalone.js";
import { serve } from "./training.js";

if (typeof document === "undefined") serve(/** @type {any} */ (globalThis));
else {
  /** @type {HTMLElement | null} */
  const page = document.querySelector("main[data-digits-explorer]");
  if (page && !page.dataset.started) {
    page.dataset.started = "true";
    start(page);
  }
}

export default { render };
