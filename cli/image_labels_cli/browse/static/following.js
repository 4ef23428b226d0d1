import { ApiError, get } from "./api.js";

/** @typedef {import("./upload.js").Upload} Upload */

const FIRST_MS = 1000;
const GROWTH = 1.5;
const MOST_MS = 15_000;
const GIVE_UP_MS = 5 * 60_000;
const AT_ONCE = 24;
const MOST = 4 * AT_ONCE; // of many photos, it reads some after the others

/** Reads the table, ever less often, until the uploaded photos are labelled or rejected, or none is for some minutes. */
export class Following {
  /** @param {(key: string) => void} ended */
  constructor(ended) {
    this.ended = ended;
    /** @type {Set<Upload>} those that were not looked at for longest first */
    this.pending = new Set();
    this.progress = 0; // time of the last one that was added or that ended
    this.wait = FIRST_MS;
    this.timer = 0;
    this.due = 0;
  }

  /** @param {Upload} upload */
  add(upload) {
    for (const other of this.pending) {
      if (other === upload || other.key !== upload.key) continue;
      other.to("replaced", "Replaced by a later upload");
      this.pending.delete(other);
    }
    this.pending.add(upload);
    this.progress = Date.now();
    this.wait = FIRST_MS;
    this.#later();
  }

  /** Look again after `wait`, unless it will before. */
  #later() {
    const due = Date.now() + this.wait;
    if (this.timer && this.due <= due) return;
    clearTimeout(this.timer);
    this.due = due;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.#look();
    }, this.wait);
  }

  async #look() {
    const before = this.progress;
    const uploads = [...this.pending].slice(0, MOST);
    try {
      for (let start = 0; start < uploads.length; start += AT_ONCE) {
        const some = uploads.slice(start, start + AT_ONCE);
        const { photos } = await get("photos", { key: some.map(({ key }) => key) });
        some.forEach((upload, n) => this.pending.has(upload) && upload.compare(photos[n]));
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      for (const upload of this.pending) upload.to("queued", `Uploaded. The table cannot be read: ${error.problem.title}`);
    }
    for (const upload of uploads) if (this.pending.delete(upload)) this.#settle(upload);
    this.wait = this.progress > before ? FIRST_MS : Math.min(MOST_MS, this.wait * GROWTH);
    if (this.pending.size) this.#later();
  }

  /** @param {Upload} upload */
  #settle(upload) {
    if (upload.stage === "labelled" || upload.stage === "rejected") {
      this.progress = Date.now();
      this.ended(upload.key);
    } else if (Date.now() > this.progress + GIVE_UP_MS) {
      const look = /** @type {[string, () => void]} */ (["Look again", () => this.add(upload)]);
      upload.to("late", `No labels after ${GIVE_UP_MS / 60_000} minutes. Status shows what waits and what failed.`, [look]);
    } else this.pending.add(upload); // behind the others
  }
}
