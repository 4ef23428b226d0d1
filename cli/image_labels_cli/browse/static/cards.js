import { get } from "./api.js";

/**
 * A photo with its labels and lines of text and faces, its URL, and that of its preview; see photos.py and answers.py.
 * @typedef {{name: string, confidence: number, parents: string[], aliases: string[], categories: string[],
 *     boxes: [number, number, number, number, number][]}} Label
 * @typedef {Label & {face: number|null}} Face
 * @typedef {{key: string, url: string, preview: string, labels: Label[], lines: Label[], faces: Face[], reason: string|null, size: number|null,
 *     labelledAt: string|null, model: string|null, boxesCut?: boolean, foreign?: boolean, unwanted?: string,
 *     removed?: boolean, orientation?: Promise<number>, etag?: string|null, versionId?: string|null,
 *     searchable?: boolean}} Card
 */

const KEPT = 400;
const AT_ONCE = 24;

/** A cache of the last few hundred photos in view. Others are requested again when they scroll into view. */
export class Cards {
  constructor() {
    /** @type {Map<string, Card>} in the order of their last use */
    this.kept = new Map();
    /** @type {Map<string, Promise<Card>>} */
    this.asked = new Map();
  }

  /** @param {string} key @returns {Card|undefined} */
  peek(key) {
    const card = this.kept.get(key);
    if (card) {
      this.kept.delete(key);
      this.kept.set(key, card);
    }
    return card;
  }

  /** @param {string} key @returns {Promise<Card>} */
  async one(key) {
    const card = this.peek(key);
    if (card) return card;
    this.load([key]);
    return /** @type {Promise<Card>} */ (this.asked.get(key));
  }

  /** Request the photo again, because its URL may have expired. @param {string} key */
  refresh(key) {
    this.kept.delete(key);
    return this.one(key);
  }

  /** @param {string} key */
  forget(key) {
    this.kept.delete(key);
  }

  /** Request photos that are not cached. @param {string[]} keys @returns {Promise<Card>[]} one for each request in progress */
  load(keys) {
    const missing = keys.filter((key) => !this.kept.has(key) && !this.asked.has(key));
    for (let start = 0; start < missing.length; start += AT_ONCE) {
      const some = missing.slice(start, start + AT_ONCE);
      const answer = get("photos", { key: some });
      some.forEach((key, n) => {
        const one = answer.then(({ photos }) => this.#keep(photos[n])).finally(() => this.asked.delete(key));
        one.catch(() => {}); // callers that await it handle the error
        this.asked.set(key, one);
      });
    }
    return keys.flatMap((key) => this.asked.get(key) ?? []);
  }

  /** @param {Card} card */
  #keep(card) {
    this.kept.set(card.key, card);
    while (this.kept.size > KEPT) this.kept.delete(/** @type {string} */ (this.kept.keys().next().value));
    return card;
  }
}
