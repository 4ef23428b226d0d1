import { ApiError, get } from "./api.js";
import { el } from "./dom.js";
import { fold, isAsked } from "./expression.js";

const MOST = 16;

/**
 * The labels that go along with those of the search, with the number of photos, most frequent first.
 * @param {import("./results.js").Found[]} found @param {string[]} asked
 * @param {Map<string, string>} labels the names of labels, without those of aliases, parents and categories
 * @returns {[string, number][]}
 */
function along(found, asked, labels) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { terms } of found) for (const term of terms) if (labels.has(term)) counts.set(term, (counts.get(term) ?? 0) + 1);
  return [...counts]
    .filter(([term, count]) => count < found.length && !isAsked(term, asked)) // others would not narrow the search
    .sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1))
    .slice(0, MOST)
    .map(([term, count]) => [labels.get(term) ?? term, count]);
}

/** @type {Promise<Map<string, string>>|undefined} */
let names;

/** The names of all labels, by their folded form. They are read once. */
function labelNames() {
  names ??= get("labels").then(({ labels }) => new Map(labels.map((/** @type {string} */ name) => [fold(name), name])));
  names.catch(() => {
    names = undefined;
  });
  return names;
}

/** A list of labels to narrow the search with. */
export class Facets {
  /** @param {HTMLElement} root @param {(name: string, not: boolean) => void} narrow */
  constructor(root, narrow) {
    this.root = root;
    this.narrow = narrow;
    /** @type {import("./results.js").Results|null} */
    this.results = null;
    this.list = el("ul", {});
    this.note = el("p", { class: "note" });
    this.details = el("details", {}, el("summary", {}, "Labels that go along"), this.note, this.list);
    root.append(this.details);
    const wide = matchMedia("(min-width: 64rem)");
    const fit = () => this.details.toggleAttribute("open", wide.matches); // beside the photos, or folded above them
    wide.addEventListener("change", fit);
    fit();
  }

  /** @param {import("./results.js").Results|null} results @param {string[]} asked */
  async show(results, asked) {
    this.results = results;
    const found = results?.found ?? [];
    /** @type {[string, number][]} */
    let labels = [];
    try {
      if (found.length) labels = along(found, asked, await labelNames());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // the photos are there without them
    }
    if (this.results !== results) return; // another list by now
    this.root.hidden = !labels.length;
    const read = found.length === 1 ? "1 photo" : `${found.length.toLocaleString()} photos`;
    const all = results?.complete && !results.cut;
    this.note.textContent = !all ? `Counts of the first ${read}` : found.length === 1 ? "Labels of this photo" : `Counts of all ${read}`;
    this.list.replaceChildren(...labels.map(([name, count]) => this.#entry(name, count)));
  }

  /** @param {string} name @param {number} count */
  #entry(name, count) {
    return el(
      "li",
      {},
      el("button", { type: "button", class: "facet", title: `Only photos with ${name}`, onclick: () => this.narrow(name, false) }, el("span", { class: "name" }, name), " ", el("span", { class: "count" }, count.toLocaleString())),
      el("button", { type: "button", class: "not", title: `Only photos without ${name}`, onclick: () => this.narrow(name, true) }, "not", el("span", { class: "unseen" }, ` ${name}`)),
    );
  }
}
