import { byId } from "./dom.js";

/** @typedef {import("./state.js").State} State */

/** The fields below the search field: key prefix, minimum confidence, and order. */
export class Filters {
  /** @param {(changed: Partial<State>) => void} change */
  constructor(change) {
    this.root = byId("filters");
    this.prefixField = /** @type {HTMLInputElement} */ (byId("prefix"));
    this.min = /** @type {HTMLInputElement} */ (byId("min"));
    this.sort = /** @type {HTMLSelectElement} */ (byId("sort"));
    this.min.addEventListener("input", () => this.#showMin()); // while it is moved
    this.min.addEventListener("change", () => change({ min: Number(this.min.value) }));
    this.sort.addEventListener("change", () => change({ sort: /** @type {State["sort"]} */ (this.sort.value) }));
  }

  /** The prefix as typed. The search begins with the form. */
  get prefix() {
    return this.prefixField.value;
  }

  /** @param {State} state */
  show({ view, q, prefix, min, sort }) {
    this.root.hidden = view !== "photos";
    this.root.classList.toggle("of-results", !!q);
    this.prefixField.value = prefix;
    this.min.value = String(min);
    this.sort.value = sort;
    this.#showMin();
  }

  #showMin() {
    const min = Number(this.min.value);
    byId("min-shown").textContent = min ? `${min} %` : "any";
    this.min.setAttribute("aria-valuetext", min ? `${min} percent` : "any");
  }
}
