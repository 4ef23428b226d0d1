import { el } from "./dom.js";
import { quoted } from "./expression.js";

/**
 * A problem, where it is, and what to do.
 * @param {import("./api.js").Problem} problem
 * @param {{expression?: string, retry?: () => void, ask?: (q: string) => void}} [more]
 */
export function problemNotice(problem, { expression = "", retry = undefined, ask = () => {} } = {}) {
  const again = retry && !["expression", "scan"].includes(problem.kind);
  return el(
    "div",
    { class: "says" },
    el("h2", {}, problem.title),
    problem.position === null ? null : pointer(expression, problem.position),
    problem.suggestions?.length
      ? el("p", {}, "Ask for ", ...problem.suggestions.flatMap((q, n) => [n ? " or " : "", el("button", { type: "button", class: "chip", onclick: () => ask(q) }, q)]), ".")
      : null,
    problem.advice ? el("p", {}, problem.advice) : null,
    problem.detail ? el("details", {}, el("summary", {}, "Details"), el("p", { class: "detail" }, problem.detail)) : null,
    again ? el("button", { type: "button", class: "primary", onclick: retry }, "Try again") : null,
  );
}

/** The expression, with the place marked. @param {string} expression @param {number} position counted in characters, as Python does */
function pointer(expression, position) {
  const characters = [...expression];
  const rest = characters.slice(position).join("");
  const word = rest.match(/^([^\s()"'<>=]+|.)/u)?.[0] ?? "";
  return el(
    "p",
    { class: "pointer" },
    el("code", {}, characters.slice(0, position).join(""), el("mark", { "aria-label": word ? `here: ${word}` : "here, at the end" }, word || "\u2003"), rest.slice(word.length)),
  );
}

/**
 * Nothing was found.
 * @param {import("./results.js").Results} results
 * @param {{replace: (from: string, to: string) => void, withoutPrefix: () => void}} act
 */
export function nothingNotice(results, act) {
  const unknown = Object.entries(results.suggestions);
  const lines = unknown.map(([term, near]) =>
    el(
      "p",
      {},
      "No photo was ever labelled ",
      el("q", {}, term),
      near.length ? ". Did you mean " : ".",
      ...near.flatMap((name, n) => [n ? " or " : "", el("button", { type: "button", class: "chip", onclick: () => act.replace(term, name) }, name)]),
      near.length ? "?" : null,
    ),
  );
  if (results.prefix) {
    lines.push(
      el("p", {}, "Only keys that begin with ", el("code", {}, results.prefix), " were looked at. ", el("button", { type: "button", class: "chip", onclick: act.withoutPrefix }, "Look at all keys")),
    );
  }
  if (!lines.length) lines.push(el("p", {}, "All these labels are known, but no photo has them together. Take one away, or ask for a lower confidence."));
  return el("div", { class: "says" }, el("h2", {}, "No photo found"), ...lines);
}

/**
 * What there is to look for, from A to Z.
 * @param {string[]} labels
 * @param {(q: string) => string} href
 */
export function start(labels, href) {
  if (!labels.length) {
    return el(
      "div",
      { class: "says" },
      el("h2", {}, "No labels yet"),
      el("p", {}, "No photo of this bucket is labelled so far. Upload one under the module’s prefix: it is here some seconds later. If it is not, look among the rejected ones."),
    );
  }
  /** @type {Map<string, string[]>} */
  const letters = new Map();
  for (const name of labels) {
    const first = (name.normalize("NFD")[0] ?? "").toUpperCase();
    const letter = /\p{L}/u.test(first) ? first : "#";
    letters.set(letter, [...(letters.get(letter) ?? []), name]);
  }
  return el(
    "div",
    { class: "index" },
    el("h1", {}, "What are you looking for?"),
    el(
      "div",
      { class: "letters" },
      ...[...letters].map(([letter, names]) =>
        el("section", {}, el("h2", {}, letter), el("ul", {}, ...names.map((name) => el("li", {}, el("a", { href: href(quoted(name)), "data-nav": true }, name))))),
      ),
    ),
  );
}
