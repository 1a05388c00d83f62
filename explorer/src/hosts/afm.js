/** The explorer in a notebook: an anywidget front-end module (AFM). */

import { mount } from "../app.js";
import { readBundle } from "../bundle.js";
import { DEFAULTS, decode, encode } from "../store.js";
import { showError } from "./failure.js";

/** @param {Record<string, string | number>} dict */
const fromDict = (dict) => decode(String(new URLSearchParams(/** @type {any} */ (dict))));

/** What differs from the defaults. @param {import("../store.js").State} state */
const toDict = (state) =>
  Object.fromEntries(Object.entries(state).filter(([k, v]) => v !== DEFAULTS[/** @type {keyof typeof DEFAULTS} */ (k)]));

/**
 * @param {{model: any, el: HTMLElement}} view
 * @returns {() => void}
 */
export function render({ model, el }) {
  /** @type {ReturnType<typeof mount> | null} */
  let app = null;
  // What this view has last sent or received: it then neither answers itself nor echoes others.
  let known = "";
  /** @type {import("../prep.js").Picture | null} */
  let sent = null;
  const show = () => {
    app?.destroy();
    app = null;
    try {
      const initial = fromDict(model.get("state") ?? {});
      known = encode(initial);
      app = mount(el, readBundle(model.get("bundle")), {
        level: 2,
        initial,
        script: () => model.get("_esm"),
        onState(state, picture) {
          const text = encode(state);
          if (text === known && (!picture || picture === sent)) return;
          known = text;
          model.set("state", toDict(state));
          if (picture && picture !== sent) {
            sent = picture;
            model.set("_picture_shape", [picture.rows, picture.cols, picture.channels]);
            model.set("_picture", new DataView(Uint8Array.from(picture.data).buffer));
          }
          // One message for both: whoever sees the state has the picture as well.
          model.save_changes();
        },
        onAnswers(answers) {
          model.set("answers", answers);
          model.save_changes();
        },
      });
    } catch (error) {
      showError(el, error);
    }
  };
  const takeState = () => {
    const state = fromDict(model.get("state") ?? {});
    if (encode(state) === known) return;
    known = encode(state);
    app?.store.set(state);
  };
  show();
  // The picture for a notebook without its kernel stays out of sight while there is the real thing.
  const hide = document.createElement("style");
  hide.textContent = `.dlx-saved[data-key="${model.get("_key")}"] { display: none; }`;
  document.head.append(hide);
  model.on("change:bundle", show);
  model.on("change:state", takeState);
  return () => {
    model.off("change:bundle", show);
    model.off("change:state", takeState);
    hide.remove();
    app?.destroy();
  };
}
