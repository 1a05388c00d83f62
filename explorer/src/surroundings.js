/** What changes around the explorer: its width, the colour scheme, Jupyter's theme. */

/**
 * @param {HTMLElement} root @param {() => void} changed
 * @returns {() => void}  stops watching
 */
export function watchSurroundings(root, changed) {
  const abort = new AbortController();
  let wide = -1;
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
    matchMedia(query).addEventListener("change", changed, { signal: abort.signal });
  }
  // JupyterLab and Notebook change their theme by an attribute of the body.
  const theme = new MutationObserver(changed);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  // The element may be outside the document still: sizes are known once this observer reports.
  const sizes = new ResizeObserver(() => {
    if (root.clientWidth === wide) return;
    wide = root.clientWidth;
    changed();
  });
  sizes.observe(root);
  return () => {
    abort.abort();
    theme.disconnect();
    sizes.disconnect();
  };
}
