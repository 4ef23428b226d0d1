import { copyButton, shellWord } from "./copy.js";
import { el, percent } from "./dom.js";
import { fold } from "./expression.js";

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
    problem.kind === "scan" ? copyButton("Copy the command", `image-labels find --scan ${shellWord(expression)}`) : null,
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
    el("code", {}, characters.slice(0, position).join(""), el("mark", {}, el("span", { class: "unseen" }, word ? "here: " : "here, at the end"), word || "\u2003"), rest.slice(word.length)),
  );
}

/**
 * The page for a search without results: which part has none, and expressions that find photos.
 * @param {import("./results.js").Source} results @param {number} min confidence
 * @param {{replace: (from: string, to: string) => void, ask: (q: string, prefix: string) => void, anyConfidence: () => void}} act
 */
export function nothingNotice(results, min, act) {
  const { none = [], instead = [], elsewhere = false } = results.nothing ?? {};
  const unknown = Object.entries(results.suggestions);
  const chip = (/** @type {string} */ text, /** @type {() => void} */ onclick) => el("button", { type: "button", class: "chip", onclick }, text);
  const lines = unknown.map(([term, near]) =>
    el(
      "p",
      {},
      "No photo has the label ",
      el("q", {}, term),
      near.length ? ". Did you mean " : ".",
      ...near.flatMap((name, n) => [n ? " or " : "", chip(name, () => act.replace(term, name))]),
      near.length ? "?" : null,
    ),
  );
  const others = none.filter((part) => !unknown.some(([term]) => fold(term) === fold(part.replace(/^["']|["']$/g, ""))));
  lines.push(...others.map((part) => el("p", {}, "No photo matches ", el("code", {}, part), ".")));
  if (results.prefix) {
    const there = elsewhere ? "Other keys have photos that match. " : "";
    lines.push(
      el("p", {}, "The search covered only keys that start with ", el("code", {}, results.prefix), `. ${there}`, chip("Search all keys", () => act.ask(results.q, ""))),
    );
  }
  if (results.found.length) {
    const highest = percent(results.found[0].confidence);
    lines.push(el("p", {}, `No photo has a confidence of ${min} % or more; the highest is ${highest} %. `, chip("Any confidence", act.anyConfidence)));
  } else if (!lines.length) lines.push(el("p", {}, "Each label has photos, but no photo matches the whole expression."));
  const tries = instead.map(({ expression, why }) => el("li", {}, chip(expression, () => act.ask(expression, "")), ` ${why}`));
  return el(
    "div",
    { class: "says" },
    el("h1", {}, "No photo found"),
    ...lines,
    tries.length ? el("p", { id: "tries" }, "These find photos:") : null,
    tries.length ? el("ul", { class: "tries", "aria-labelledby": "tries" }, ...tries) : null,
  );
}
