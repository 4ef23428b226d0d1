import { el } from "./dom.js";
import { quoted } from "./expression.js";

/**
 * An error, its position in the expression, and the next step.
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
      ? el("p", {}, "Try ", ...problem.suggestions.flatMap((q, n) => [n ? " or " : "", el("button", { type: "button", class: "chip", onclick: () => ask(q) }, q)]), ".")
      : null,
    problem.advice ? el("p", {}, problem.advice) : null,
    problem.detail ? el("details", {}, el("summary", {}, "Details"), el("p", { class: "detail" }, problem.detail)) : null,
    again ? el("button", { type: "button", class: "primary", onclick: retry }, "Try again") : null,
  );
}

/** The expression with the mistake marked. @param {string} expression @param {number} position in code points, as Python counts */
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
 * The page for a search without results.
 * @param {import("./results.js").Results} results
 * @param {{replace: (from: string, to: string) => void, withoutPrefix: () => void}} act
 */
export function nothingNotice(results, act) {
  const unknown = Object.entries(results.suggestions);
  const lines = unknown.map(([term, near]) =>
    el(
      "p",
      {},
      "No photo has the label ",
      el("q", {}, term),
      near.length ? ". Did you mean " : ".",
      ...near.flatMap((name, n) => [n ? " or " : "", el("button", { type: "button", class: "chip", onclick: () => act.replace(term, name) }, name)]),
      near.length ? "?" : null,
    ),
  );
  if (results.prefix) {
    lines.push(
      el("p", {}, "The search covered only keys that start with ", el("code", {}, results.prefix), ". ", el("button", { type: "button", class: "chip", onclick: act.withoutPrefix }, "Search all keys")),
    );
  }
  if (!lines.length) lines.push(el("p", {}, "These labels exist, but no photo matches the expression. Remove a label, or lower the confidence."));
  return el("div", { class: "says" }, el("h2", {}, "No photo found"), ...lines);
}

/**
 * The index of labels, from A to Z.
 * @param {string[]} labels
 * @param {(q: string) => string} href
 */
export function start(labels, href) {
  if (!labels.length) {
    return el(
      "div",
      { class: "says" },
      el("h2", {}, "No labels yet"),
      el("p", {}, "No photo in this bucket has labels yet. Upload a photo under the module’s prefix, and reload this page after some seconds. If the photo has no labels, look for it under Rejected."),
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
    el("h1", {}, "All labels"),
    el(
      "div",
      { class: "letters" },
      ...[...letters].map(([letter, names]) =>
        el("section", {}, el("h2", {}, letter), el("ul", {}, ...names.map((name) => el("li", {}, el("a", { href: href(quoted(name)), "data-nav": true }, name))))),
      ),
    ),
  );
}
