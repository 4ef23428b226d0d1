/*
 * The page's edits of an expression: list its labels, add or exclude one, replace one.
 * The server parses and evaluates it (image_labels.search.expression).
 */

/**
 * @typedef {{kind: "term"|"word"|"open"|"close"|"compare", text: string, start: number, end: number}} Token
 * A term's text is without its quotes; a word is AND, OR or NOT.
 */

const TOKEN = /"([^"]*)"?|'([^']*)'?|([()])|([<>]=?\s*[\d.]*)|([^\s()"'<>=]+)/g;

/** The form in which labels are compared. @param {string} name */
export const fold = (name) => name.toLowerCase().split(/\s+/).filter(Boolean).join(" ");

/** @param {string} text @returns {Token[]} */
export function tokens(text) {
  return [...text.matchAll(TOKEN)].map((match) => {
    const [all, double, single, parenthesis, compare, word] = match;
    const place = { start: match.index, end: match.index + all.length };
    if (parenthesis) return { kind: parenthesis === "(" ? "open" : "close", text: all, ...place };
    if (compare) return { kind: "compare", text: all, ...place };
    if (word && /^(and|or|not)$/i.test(word)) return { kind: "word", text: word.toUpperCase(), ...place };
    return { kind: "term", text: double ?? single ?? word, ...place };
  });
}

/** The labels that photos must have, folded; "*light*" keeps its asterisks. @param {string} text @returns {string[]} */
export function asked(text) {
  const terms = [];
  let negative = 0; // depth of parentheses inside a NOT
  let not = false;
  for (const token of tokens(text)) {
    if (token.kind === "word") not = token.text === "NOT" ? !not : false;
    else if (token.kind === "open") {
      if (negative || not) negative += 1;
      not = false;
    } else if (token.kind === "close") negative = Math.max(0, negative - 1);
    else if (token.kind === "term") {
      if (!negative && !not) terms.push(fold(token.text));
      not = false;
    }
  }
  return terms;
}

/** Whether a name matches one of the wanted labels. @param {string} name @param {string[]} wanted */
export function isAsked(name, wanted) {
  const text = fold(name);
  return wanted.some((term) => {
    const inner = term.replace(/^\*|\*$/g, "");
    const open = [term.startsWith("*"), term.endsWith("*")];
    if (open[0]) return open[1] ? text.includes(inner) : text.endsWith(inner);
    return open[1] ? text.startsWith(inner) : text === inner;
  });
}

/** A label with the quotes that an expression needs. @param {string} name */
export function quoted(name) {
  if (/^[^\s()"'<>=*]+$/.test(name) && !/^(and|or|not)$/i.test(name)) return name;
  return name.includes('"') ? `'${name}'` : `"${name}"`;
}

/** The expression that also requires or excludes this label. @param {string} text @param {string} name @param {boolean} [not] */
export function narrow(text, name, not = false) {
  const term = not ? `NOT ${quoted(name)}` : quoted(name);
  if (!text.trim()) return term;
  let depth = 0;
  const loose = tokens(text).some((token) => {
    if (token.kind === "open") depth += 1;
    if (token.kind === "close") depth -= 1;
    return depth === 0 && token.kind === "word" && token.text === "OR";
  });
  return `${loose ? `(${text.trim()})` : text.trim()} AND ${term}`;
}

/** The expression with another name in place of a term. @param {string} text @param {string} from folded @param {string} to */
export function replaced(text, from, to) {
  return tokens(text)
    .filter((token) => token.kind === "term" && fold(token.text) === from)
    .reduceRight((result, token) => result.slice(0, token.start) + quoted(to) + result.slice(token.end), text);
}

/** The term or operator at the cursor, or null. @param {string} text @param {number} cursor @returns {Token|null} */
export function typed(text, cursor) {
  const token = tokens(text).find((one) => one.start < cursor && cursor <= one.end);
  return token && (token.kind === "term" || token.kind === "word") ? token : null;
}
