import { ApiError, get } from "./api.js";
import { el, split } from "./dom.js";
import { problemNotice } from "./notices.js";
import { Picture } from "./picture.js";

const A_PAGE = 30;

/** The rejected photos with their reasons. */
export class Rejected {
  /** @param {HTMLElement} root @param {(text: string) => void} say */
  constructor(root, say) {
    this.root = root;
    this.say = say;
    this.list = el("ul", { class: "rejected", "aria-label": "Rejected photos" });
    this.foot = el("div", { class: "foot" });
    this.run = 0;
  }

  async show() {
    this.root.replaceChildren(
      el("h1", {}, "Rejected photos"),
      el("p", { class: "lead" }, "Rekognition does not accept these files. To replace one, upload a valid photo under the same key."),
      this.list,
      this.foot,
    );
    this.list.replaceChildren();
    this.run += 1;
    this.found = this.looked = 0;
    await this.#read(null, this.run);
  }

  hide() {
    this.run += 1;
  }

  /** Read the table in parts, until there is a page of photos to show. @param {string|null} token @param {number} run */
  async #read(token, run) {
    this.foot.replaceChildren(el("p", {}, this.looked ? `Reading the table, ${this.looked.toLocaleString()} items so far …` : "Reading the table …"));
    try {
      const page = await get("rejected", { token });
      if (run !== this.run) return; // another view by now
      this.found += page.photos.length;
      this.looked += page.looked;
      this.list.append(...page.photos.map(entry));
      if (page.next && this.found < A_PAGE) return this.#read(page.next, run);
      this.foot.replaceChildren(this.#footer(page.next, run));
      const photos = this.found === 1 ? "photo" : "photos";
      this.say(`${this.found.toLocaleString()} rejected ${photos}${page.next ? " so far" : ""}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (run === this.run) this.foot.replaceChildren(problemNotice(error.problem, { retry: () => this.#read(token, run) }));
    }
  }

  /** @param {string|null} next @param {number} run */
  #footer(next, run) {
    const looked = `${this.looked.toLocaleString()} ${this.looked === 1 ? "item" : "items"} of the table read`;
    if (next === null) {
      return this.found ? el("p", {}, `End of the list: ${looked}.`) : el("div", { class: "says" }, el("h2", {}, "No rejected photos"), el("p", {}, `${looked}.`));
    }
    return el("p", {}, `${looked} so far. `, el("button", { type: "button", class: "primary", onclick: () => this.#read(next, run) }, "Continue"));
  }
}

/** @param {import("./cards.js").Card} card */
function entry(card) {
  const { key, reason, size, labelledAt } = card;
  const picture = new Picture(async () => card, { preview: true });
  picture.show(card);
  const [folder, file] = split(key);
  const [, code, words] = (reason ?? "").match(/^(\w+(?:Exception|Error)|[A-Z]\w+): (.*)$/s) ?? [null, "", reason ?? ""];
  return el(
    "li",
    {},
    el("div", { class: "small" }, picture.element),
    el("p", { class: "key" }, el("span", { class: "folder" }, folder), el("span", { class: "file" }, file)),
    el("p", { class: "reason" }, words),
    el("p", { class: "facts" }, [code, size !== null && `${size.toLocaleString()} bytes`, labelledAt && new Date(labelledAt).toLocaleString()].filter(Boolean).join(" · ")),
  );
}
