import { get } from "./api.js";

const FIRST = 50;
const MORE = 200;
const MOST_SORTED = 2000; // photos that are read to sort them by key

/**
 * Why nothing was found; see nothing.py.
 * @typedef {{none: string[], instead: {expression: string, why: string}[], elsewhere: boolean, complete: boolean}} Nothing
 * @typedef {{key: string, confidence: number, terms: string[]}} Found
 */

/** The photos of a search, highest confidence first, read as far as they are needed. */
export class Source {
  /** @param {string} q @param {string} prefix */
  constructor(q, prefix) {
    this.q = q;
    /** The expression that the server searched for, and why it is not `q`: it reads words side by side as labels. */
    this.searched = q;
    /** @type {string[]} */
    this.notes = [];
    this.prefix = prefix;
    /** @type {Found[]} */
    this.found = [];
    this.complete = false;
    this.readUnits = 0;
    this.skipped = 0;
    /** @type {Record<string, string[]>} */
    this.suggestions = {};
    /** @type {Nothing|null} */
    this.nothing = null;
    /** @type {string|null} */
    this.token = null;
    /** @type {Promise<void>|null} */
    this.reading = null;
  }

  /** Read the next page, unless a read is in progress. */
  more() {
    if (this.complete) return Promise.resolve();
    this.reading ??= this.#read().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  async #read() {
    const before = this.found.length;
    const limit = before ? MORE : FIRST;
    do {
      const page = await get("find", { q: this.token === null ? this.q : this.searched, prefix: this.prefix, token: this.token, limit });
      for (const { key, confidence, terms } of page.photos) this.found.push({ key, confidence, terms: terms.map((/** @type {number} */ n) => page.terms[n]) });
      if (this.token === null) [this.searched, this.notes] = [page.searched, page.notes];
      this.readUnits += page.readUnits;
      this.skipped += page.skipped;
      this.suggestions = page.suggestions ?? {};
      this.nothing = page.nothing ?? null;
      this.token = page.next;
      this.complete = page.next === null;
    } while (!this.complete && this.found.length === before); // a page can be empty without being the last
  }
}

/** The photos of a search with at least this confidence, in one order. */
export class Results {
  /** @param {Source} source @param {number} min percent @param {import("./state.js").Sort} sort */
  constructor(source, min, sort) {
    this.source = source;
    this.min = min;
    this.sort = sort;
    /** @type {Found[]} */
    this.found = [];
    this.complete = false;
    /** Whether there are more photos than can be sorted. */
    this.cut = false;
    /** The scroll position when the user left the list. */
    this.scroll = 0;
    this.#arrange();
  }

  /** Read on until there are more photos, or no more. */
  async more() {
    const before = this.found.length;
    do {
      await this.source.more();
      this.#arrange();
    } while (!this.complete && (this.sort !== "confidence" || this.found.length === before));
  }

  #arrange() {
    const { found, complete } = this.source;
    // The source is in descending order of confidence.
    const end = this.min > 0 ? found.findIndex((photo) => photo.confidence < this.min) : -1;
    this.complete = complete || end >= 0;
    this.found = end >= 0 ? found.slice(0, end) : [...found];
    if (this.sort === "confidence") return;
    if (!this.complete && this.found.length < MOST_SORTED) {
      this.found = []; // shown once all are there
      return;
    }
    this.cut = !this.complete;
    this.complete = true;
    const sign = this.sort === "key" ? 1 : -1;
    this.found.sort((one, other) => sign * (one.key < other.key ? -1 : 1));
  }
}
