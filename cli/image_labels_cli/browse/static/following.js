import { ApiError, get } from "./api.js";

const FIRST_MS = 1000;
const GROWTH = 1.5;
const MOST_MS = 15_000;
const GIVE_UP_MS = 5 * 60_000;
const AT_ONCE = 24;

/** Reads the table, ever less often, until the uploaded photos are labelled or rejected. */
export class Following {
  /** @param {(key: string) => void} ended */
  constructor(ended) {
    this.ended = ended;
    /** @type {Map<import("./upload.js").Upload, number>} the uploads, and when to give up */
    this.pending = new Map();
    this.wait = FIRST_MS;
    this.timer = 0;
  }

  /** @param {import("./upload.js").Upload} upload */
  add(upload) {
    this.pending.set(upload, Date.now() + GIVE_UP_MS);
    this.wait = FIRST_MS;
    this.#later();
  }

  #later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#look(), this.wait);
  }

  async #look() {
    const before = this.pending.size;
    const uploads = [...this.pending.keys()];
    try {
      for (let start = 0; start < uploads.length; start += AT_ONCE) {
        const some = uploads.slice(start, start + AT_ONCE);
        const { photos } = await get("photos", { key: some.map(({ key }) => key) });
        some.forEach((upload, n) => upload.compare(photos[n]));
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      for (const upload of uploads) upload.to("queued", `Uploaded. The table cannot be read: ${error.problem.title}`);
    }
    for (const upload of uploads) this.#settle(upload);
    this.wait = this.pending.size < before ? FIRST_MS : Math.min(MOST_MS, this.wait * GROWTH);
    if (this.pending.size) this.#later();
  }

  /** @param {import("./upload.js").Upload} upload */
  #settle(upload) {
    const ended = upload.stage === "labelled" || upload.stage === "rejected";
    if (ended) this.ended(upload.key);
    else if (Date.now() > (this.pending.get(upload) ?? 0)) {
      const look = /** @type {[string, () => void]} */ (["Look again", () => this.add(upload)]);
      upload.to("late", `No labels after ${GIVE_UP_MS / 60_000} minutes. Status shows what waits and what failed.`, [look]);
    } else return;
    this.pending.delete(upload);
  }
}
