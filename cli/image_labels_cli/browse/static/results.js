import { get } from "./api.js";

const FIRST = 50;
const MORE = 200;

/**
 * Why nothing was found; see nothing.py.
 * @typedef {{none: string[], instead: {expression: string, why: string}[], elsewhere: boolean, complete: boolean}} Nothing
 */

/** The results of a search, read as far as the user has scrolled. Keeps only keys and confidences. */
export class Results {
  /** @param {string} q @param {string} prefix */
  constructor(q, prefix) {
    this.q = q;
    this.prefix = prefix;
    /** @type {{key: string, confidence: number}[]} */
    this.found = [];
    this.complete = false;
    this.readUnits = 0;
    this.skipped = 0;
    /** @type {Record<string, string[]>} */
    this.suggestions = {};
    /** @type {Nothing|null} why nothing was found */
    this.nothing = null;
    /** The scroll position when the user left the list. */
    this.scroll = 0;
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
      const page = await get("find", { q: this.q, prefix: this.prefix, token: this.token, limit });
      this.found.push(...page.photos);
      this.readUnits += page.readUnits;
      this.skipped += page.skipped;
      this.suggestions = page.suggestions ?? {};
      this.nothing = page.nothing ?? null;
      this.token = page.next;
      this.complete = page.next === null;
    } while (!this.complete && this.found.length === before); // a page can be empty without being the last
  }
}
