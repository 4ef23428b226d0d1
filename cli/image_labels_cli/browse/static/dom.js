/**
 * Elements, made without markup: texts become text nodes, whatever they hold.
 *
 * @param {string} tag
 * @param {Record<string, any>} [attributes] `class`, `data-…`, `aria-…` and the like; functions are listeners;
 *     null, undefined and false leave the attribute out
 * @param {...(Node|string|null|undefined)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** A percentage as people read it: 98.7, but 100 and not 100.0. @param {number} value */
export const percent = (value) => (value >= 99.95 ? "100" : value.toFixed(1));

/** Folder and file of an object key. @param {string} key @returns {[string, string]} */
export function split(key) {
  const at = key.replace(/\/+$/, "").lastIndexOf("/") + 1;
  return [key.slice(0, at), key.slice(at)];
}

/** A pause, so that what is only passed by asks for nothing. @param {() => void} act @param {number} ms */
export function later(act, ms) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, ms);
  };
}
