/** One module for two hosts: a widget's `render`, and a page that starts itself. */

import { render } from "./hosts/afm.js";
import { start } from "./hosts/standalone.js";

/** @type {HTMLElement | null} */
const page = document.querySelector("main[data-digits-explorer]");
if (page && !page.dataset.started) {
  page.dataset.started = "true";
  start(page);
}

export default { render };
