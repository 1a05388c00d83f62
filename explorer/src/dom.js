/** Small helpers for the page's elements and numbers. */

// Jupyter's shortcuts (`a` makes a cell) leave an element alone that says so. Their selectors ask for
// the focused element, so each of those has to say it; saying it on an ancestor is not enough.
const QUIET = "data-lm-suppress-shortcuts";
const FOCUSABLE = /^(button|input|select|summary|canvas)$/;

/**
 * An element: `h("p.note", {title: "x"}, "text")` is a paragraph of class dlx-note; without a tag
 * it is a div. Attributes may be left out; `on` holds listeners. `h("p.note@rest")` is known as the
 * part "rest", to which the tour can point.
 * @param {string} tag
 * @param {...any} rest
 * @returns {any}
 */
export function h(tag, ...rest) {
  const [path, part] = tag.split("@");
  const [name, ...classes] = path.split(".");
  const node = document.createElement(name || "div");
  if (name === "button") node.setAttribute("type", name);
  if (classes.length) node.className = classes.map((text) => `dlx-${text}`).join(" ");
  if (part) node.dataset.part = part;
  const given = rest[0]?.constructor === Object ? rest.shift() : {};
  if (FOCUSABLE.test(name) || "tabindex" in given) node.setAttribute(QUIET, "true");
  for (const [key, value] of Object.entries(given)) {
    if (key === "on") {
      for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
    } else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, String(value));
  }
  node.append(...rest.flat().filter((child) => child != null && child !== false));
  return node;
}

/** make(0), make(1), ... make(n - 1). @template T @param {number} n @param {(k: number) => T} make @returns {T[]} */
export const times = (n, make) => Array.from({ length: n }, (_, k) => make(k));

/** A table's head. @param {(string | number)[]} names */
export const heads = (names) => h("thead", h("tr", names.map((text) => (text === "" ? h("td") : h("th", { scope: "col" }, text)))));

/** A table's row: its name, then cells. @param {string | number} name @param {...any} cells */
export const row = (name, ...cells) => h("tr", h("th", { scope: "row" }, name), cells.flat().map((cell) => (cell?.tagName === "TD" ? cell : h("td", cell ?? ""))));

/** A box of its own that scrolls, by the keyboard as well. @param {string} label @param {...any} content */
export const scroller = (label, ...content) =>
  h(".scroll", { tabindex: 0, role: "region", "aria-label": label }, content);

/** A canvas that needs a label. @param {string} [kind]  its class */
export const picture = (kind = "") => h(`canvas${kind}`, { role: "img" });

/** A bar that setBar fills. */
export const bar = () => h("span.bar", h("span.bar-fill"));

/** @param {any} node  what bar gave @param {number} share  0 to 1 */
export const setBar = (node, share) => (node.firstChild.style.transform = `scaleX(${share.toFixed(4)})`);

/** Write text only where it differs: the page then has nothing to lay out. @param {Element} node @param {string} text */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Element} node @param {string} name @param {string | number | boolean} value */
export function attr(node, name, value) {
  const text = String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/** Set a style's variable only where it differs. @param {any} node @param {string} name @param {string} value */
export function setStyle(node, name, value) {
  if (node.style.getPropertyValue(name) !== value) node.style.setProperty(name, value);
}

/** Say what a picture or a button is. @param {Element} node @param {string} text */
export const describe = (node, text) => attr(node, "aria-label", text);

/** A number with a true minus and fixed decimals. @param {number} value @param {number} [digits] */
export function num(value, digits = 3) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const text = size >= 1e5 ? size.toExponential(1) : size.toFixed(size >= 1000 ? 1 : digits);
  return (value < 0 && Number(text) !== 0 ? "−" : "") + text;
}

/** A whole number with its thousands apart. @param {number} value */
export const whole = (value) => WHOLE.format(value);
const WHOLE = new Intl.NumberFormat("en");

/** A number with its sign, plus included. @param {number} value @param {number} [digits] */
export function signed(value, digits = 3) {
  const text = num(value, digits);
  return value >= 0 && Number.isFinite(value) ? `+${text}` : text;
}

/** A share in per cent. @param {number} value @param {number} [digits] */
export const percent = (value, digits = 1) => `${num(100 * value, digits)}\u00a0%`;

/** Very small or large numbers as 3.1 × 10⁻⁶. @param {number} value */
export function scientific(value) {
  if (value === 0 || (value >= 0.01 && value < 1000)) return num(value);
  const [mantissa, exponent] = value.toExponential(1).split("e");
  const raised = [...String(Number(exponent))].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("");
  return `${mantissa} × 10${raised}`;
}

let ids = 0;
/** A fresh id. */
export const uid = () => `dlx-${++ids}-${Math.random().toString(36).slice(2, 6)}`;

/**
 * A row of choices of which one is taken: radio buttons in the look of a switch.
 * @param {string} label
 * @param {Record<string, string>} choices  value: text
 * @param {(value: string) => void} choose
 */
export function segmented(label, choices, choose) {
  const name = uid();
  /** @type {Record<string, any>} */
  const inputs = {};
  const node = h("fieldset.seg",
    h("legend.sr", label),
    Object.entries(choices).map(([value, text]) => {
      inputs[value] = h("input", { type: "radio", name, value, on: { change: () => choose(value) } });
      return h("label", inputs[value], h("span", text));
    }),
  );
  return {
    node,
    /** @param {string} value */
    update(value) {
      if (inputs[value] && !inputs[value].checked) inputs[value].checked = true;
    },
  };
}

/**
 * A check box. @param {string} text @param {(on: boolean) => void} change
 */
export function checkbox(text, change) {
  const input = h("input", { type: "checkbox", on: { change: () => change(input.checked) } });
  return {
    node: h("label.check", input, h("span", text)),
    /** @param {boolean} on */
    update(on) {
      if (input.checked !== on) input.checked = on;
    },
  };
}

/**
 * A slider. @param {string | null} label  null: a label element stands around it
 * @param {number} min @param {number} max @param {number} step @param {(value: number) => void} change
 */
export function range(label, min, max, step, change) {
  const input = h("input", { type: "range", "aria-label": label, min, max, step, on: { input: () => change(Number(input.value)) } });
  return {
    node: input,
    /** @param {number} value @param {string} [text]  what a screen reader says @param {number} [last] */
    update(value, text, last = max) {
      attr(input, "max", last);
      if (Number(input.value) !== value) input.value = String(value);
      if (text) attr(input, "aria-valuetext", text);
    },
  };
}

/** @param {string} text @param {() => void} click @param {Record<string, any>} [more] */
export const button = (text, click, more = {}) =>
  h("button", { class: "dlx-button", ...more, on: { ...more.on, click } }, text);

/** A button that starts and stops a clock. @param {string} what @param {import("./clock.js").Clock} clock */
export function playButton(what, clock) {
  const node = button("", clock.toggle, { class: "dlx-button dlx-play" });
  return {
    node,
    update() {
      write(node, clock.playing ? "❚❚" : "▶");
      describe(node, (clock.playing ? "Pause" : "Play") + what);
    },
  };
}

/** A row of choices with its name before it, for the eye: the legend says the same. @param {string} text @param {HTMLElement} node */
export const labelled = (text, node) => h("span.field", h("span", { "aria-hidden": "true" }, text), node);

/** The direction of an arrow key, as columns and rows. @type {Record<string, number[]>} */
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * The numbers of a picture as a table, made when it is opened.
 * @param {string} caption
 * @param {() => {head: string[], rows: (string | number)[][]}} make
 */
export function tableView(caption, make) {
  const body = scroller(caption);
  const node = h("details.table-view", h("summary", "As a table"), body);
  const fill = () => {
    if (!node.open) return;
    const { head, rows } = make();
    body.replaceChildren(
      h("table", h("caption.sr", caption), heads(head), h("tbody", rows.map(([name, ...cells]) => row(name, cells)))));
  };
  node.addEventListener("toggle", fill);
  return { node, update: fill };
}
