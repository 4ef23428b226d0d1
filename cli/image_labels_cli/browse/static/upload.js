import { ApiError, put } from "./api.js";
import { el, shown, split } from "./dom.js";
import { quoted } from "./expression.js";
import { Picture } from "./picture.js";
import { href } from "./state.js";

/**
 * What happened to a file so far. "queued": it is in S3, and its labels are not in the table. "late": they still were not
 * after some minutes. "refused": it is not a file to upload. "failed": it may be sent again.
 * @typedef {"waiting"|"sending"|"exists"|"failed"|"refused"|"uploaded"|"queued"|"labelled"|"rejected"|"late"|"replaced"} Stage
 * @typedef {import("./cards.js").Card} Card
 */

/** One file of the list of uploads. */
export class Upload {
  /** @param {File} file @param {string} folder @param {() => void} changed is told of each change of the stage */
  constructor(file, folder, changed) {
    this.file = file;
    this.folder = folder;
    this.changed = changed;
    this.key = folder + file.name; // until the server gives the name that it made of it
    /** @type {{etag: string, versionId: string|null}|null} what S3 stored */
    this.stored = null;
    /** @type {Stage} */
    this.stage = "waiting";
    this.replace = false;
    this.said = el("p", { class: "reason", tabindex: "-1" });
    this.bar = /** @type {HTMLProgressElement} */ (el("progress", { max: "1", value: "0", "aria-label": `Upload of ${file.name}` }));
    this.name = el("p", { class: "key" });
    this.labels = el("ul", { class: "chips", "aria-label": `Labels of ${file.name}` });
    this.acts = el("p", { class: "acts" });
    this.small = el("div", { class: "small" }, el("div", { class: "picture" }));
    this.element = el("li", {}, this.small, this.name, this.said, this.bar, this.labels, this.acts);
    this.to("waiting", "Waits for the files above");
  }

  /**
   * @param {Stage} stage @param {string} text
   * @param {[string, () => void][]} acts buttons, by their names
   */
  to(stage, text, acts = []) {
    this.stage = stage;
    this.element.dataset.stage = stage;
    this.said.textContent = shown(text);
    this.bar.hidden = stage !== "sending";
    this.labels.hidden = stage !== "labelled";
    this.acts.hidden = !acts.length;
    const focused = this.acts.contains(document.activeElement);
    this.acts.replaceChildren(...acts.map(([name, act]) => el("button", { type: "button", class: "chip", onclick: act }, name, el("span", { class: "unseen" }, ` ${this.file.name}`))));
    if (focused) this.said.focus({ preventScroll: true }); // the button is gone
    this.#nameIt();
    this.changed();
  }

  #nameIt() {
    const [folder, file] = split(this.key);
    const link = this.stored && el("a", { class: "file", href: href({ photo: this.key }), "data-nav": true }, file);
    this.name.replaceChildren(el("span", { class: "folder" }, folder), link ?? el("span", { class: "file" }, file));
  }

  /** Send it to the bucket. Returns the problem if there is one. @returns {Promise<import("./api.js").Problem|null>} */
  async send() {
    this.#progress(0);
    try {
      await this.file.slice(0, 1).arrayBuffer();
    } catch {
      return { kind: "request", title: "The file cannot be read: it is a folder, or was changed or moved.", advice: "", detail: "", position: null };
    }
    try {
      await put("upload", { folder: this.folder, name: this.file.name, replace: this.replace ? "1" : null }, this.file, (line) => this.#report(line));
      this.to("uploaded", "Uploaded");
      return null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return error.problem;
    }
  }

  /** @param {any} line see uploads.py */
  #report(line) {
    if (line.key) this.key = line.key;
    if ("sent" in line) this.#progress(line.sent / Math.max(1, this.file.size));
    if (line.etag) this.stored = line;
    if (line.problem) throw new ApiError(line.problem);
  }

  /** @param {number} ratio */
  #progress(ratio) {
    this.bar.value = ratio;
    this.to("sending", `Uploading ${Math.round(ratio * 100)} %`);
  }

  /** Compare it with the table. @param {Card} card */
  compare(card) {
    const same = card.etag === this.stored?.etag && (!card.versionId || !this.stored?.versionId || card.versionId === this.stored.versionId);
    if (!same || (!card.reason && !card.searchable)) {
      if (this.stage !== "queued") this.to("queued", "Queued for Rekognition");
      return;
    }
    const picture = new Picture(async () => card, { preview: true });
    this.small.replaceChildren(picture.element);
    picture.show(card);
    this.labels.replaceChildren(...card.labels.map(({ name }) => el("li", {}, el("a", { class: "chip", href: href({ q: quoted(name) }), "data-nav": true }, name))));
    if (card.reason) this.to("rejected", `Rejected. ${card.reason}`);
    else this.to("labelled", card.labels.length ? "Labelled" : "Labelled: Rekognition found no label with enough confidence");
  }
}
