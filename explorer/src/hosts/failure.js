/** Say what went wrong, where the explorer would have been. */

import { h } from "../dom.js";

/** @param {HTMLElement} element @param {unknown} error */
export function showError(element, error) {
  const text = error instanceof Error ? error.message : String(error);
  element.replaceChildren(
    h(".frame",
      h("div", { class: "dlx dlx-failure", role: "alert" },
        h("p", h("strong", "The explorer cannot be shown.")), h("p", text))),
  );
  console.error(error);
}
