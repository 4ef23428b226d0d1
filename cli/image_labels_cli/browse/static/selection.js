import { copyButton } from "./copy.js";
import { el } from "./dom.js";

const MOST_DOWNLOADS = 50;
const PAUSE_MS = 400; // a browser drops downloads that start at the same time

/** The selected photos, and what can be done with them. */
export class Selection {
  /** @param {HTMLElement} root @param {() => string} bucket @param {() => void} changed */
  constructor(root, bucket, changed) {
    this.root = root;
    this.changed = changed;
    /** @type {Set<string>} in the order in which they were selected */
    this.keys = new Set();
    this.count = el("p", { role: "status" });
    this.downloads = el("button", { type: "button", class: "chip", onclick: () => this.#download() }, "Download");
    const clear = el("button", { type: "button", class: "chip", onclick: () => this.clear() }, "Clear");
    root.append(
      this.count,
      copyButton("Copy keys", () => [...this.keys].join("\n")),
      copyButton("Copy S3 URIs", () => [...this.keys].map((key) => s3Uri(bucket(), key)).join("\n")),
      this.downloads,
      clear,
    );
  }

  /** @param {string} key */
  toggle(key) {
    if (!this.keys.delete(key)) this.keys.add(key);
    this.#show();
  }

  clear() {
    this.keys.clear();
    this.#show();
  }

  #show() {
    this.root.hidden = !this.keys.size;
    document.body.classList.toggle("selecting", this.keys.size > 0);
    this.count.textContent = `${this.keys.size.toLocaleString()} selected`;
    const many = this.keys.size > MOST_DOWNLOADS;
    this.downloads.setAttribute("aria-disabled", String(many));
    this.downloads.title = many ? `At most ${MOST_DOWNLOADS} photos` : "";
    this.changed();
  }

  async #download() {
    if (this.keys.size > MOST_DOWNLOADS) return;
    for (const key of [...this.keys]) {
      const link = /** @type {HTMLAnchorElement} */ (el("a", { href: downloadOf(key), download: "" }));
      link.click();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** @param {string} key */
export const downloadOf = (key) => `/api/download?${new URLSearchParams({ key })}`;

/** @param {string} bucket @param {string} key */
export const s3Uri = (bucket, key) => `s3://${bucket}/${key}`;
