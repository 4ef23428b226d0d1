/* Control characters, bidirectional marks (such as U+202E), invisible characters, line separators, lone surrogates. */
const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d\ufe0e\ufe0f])\p{Default_Ignorable_Code_Point}/gu;

/**
 * Untrusted text with hidden characters as escapes, as image_labels.search.printable does. Joiners and variation
 * selectors stay, because emoji and some scripts need them.
 * @param {string} text
 */
export const shown = (text) =>
  text.replace(HIDDEN, (character) => {
    const code = /** @type {number} */ (character.codePointAt(0)).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });

/**
 * Make an element. Texts become text nodes, never HTML, with hidden characters as escapes.
 *
 * @param {string} tag
 * @param {Record<string, any>} [attributes] `class`, `data-…`, `aria-…` and the like; functions are listeners;
 *     null, undefined and false omit the attribute
 * @param {...(Node|string|null|undefined)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : READ.has(name) ? shown(String(value)) : String(value));
  }
  for (const child of children) {
    if (child !== null && child !== undefined) element.append(typeof child === "string" ? shown(child) : child);
  }
  return element;
}

const READ = new Set(["title", "aria-label"]);

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** A percentage with one decimal, but 100 and not 100.0. @param {number} value */
export const percent = (value) => (value >= 99.95 ? "100" : value.toFixed(1));

/** Folder and file of an object key. @param {string} key @returns {[string, string]} */
export function split(key) {
  const at = key.replace(/\/+$/, "").lastIndexOf("/") + 1;
  return [key.slice(0, at), key.slice(at)];
}

/** Debounce a function. @param {() => void} act @param {number} ms */
export function later(act, ms) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, ms);
  };
}
