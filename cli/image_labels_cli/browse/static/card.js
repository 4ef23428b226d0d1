import { el, percent, split } from "./dom.js";
import { isAsked } from "./expression.js";
import { names, Picture } from "./picture.js";

const LOOKS_MS = 400; // how long the pointer or the focus stays on a photo that is looked at
const CHIPS = 8; // the most that fit into a card's two lines; the detail view has all

/**
 * A photo in the grid.
 * @typedef {{href: (key: string) => string, open: (key: string) => void, narrow: (name: string, not: boolean) => void,
 *     renew: (key: string) => Promise<import("./cards.js").Card>, asked: () => string[],
 *     selection: import("./selection.js").Selection}} Host
 */
export class CardView {
  /** @param {{key: string, confidence: number}} found @param {Host} host */
  constructor(found, host) {
    this.key = found.key;
    this.host = host;
    this.filled = false;
    this.looking = 0;
    const [folder, file] = split(found.key);
    this.picture = new Picture(host.renew, { preview: true });
    this.link = el(
      "a",
      {
        class: "frame",
        href: host.href(found.key),
        tabindex: "-1",
        onclick: (/** @type {MouseEvent} */ event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the browser opens a new tab
          event.preventDefault();
          host.open(found.key);
        },
      },
      // Not an aria-label, which would hide the reason why the photo cannot be shown.
      el("span", { class: "unseen" }, `${found.key}, ${percent(found.confidence)} percent`),
      this.picture.element,
    );
    this.chips = el("ul", { class: "chips", "aria-label": "Labels" });
    this.check = /** @type {HTMLInputElement} */ (
      el("input", { type: "checkbox", tabindex: "-1", "aria-label": `Select ${file}`, onchange: () => host.selection.toggle(found.key) })
    );
    this.element = el(
      "li",
      { class: "card" },
      this.link,
      el(
        "p",
        { class: "caption", title: found.key },
        el("span", { class: "file" }, file),
        el("span", { class: "confidence", title: "Confidence of the labels in your search" }, percent(found.confidence), el("i", {}, " %")),
      ),
      el("p", { class: "folder", title: found.key }, folder || "\u00a0"),
      this.chips,
      el("label", { class: "pick", title: "Select (X)" }, this.check),
    );
    this.link.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() === "x" && !event.ctrlKey && !event.metaKey && !event.altKey) host.selection.toggle(found.key);
    });
    this.select();
    const draw = () => {
      this.picture.draw(host.asked());
      this.looking = setTimeout(() => this.picture.sharpen(), LOOKS_MS);
    };
    const leave = () => clearTimeout(this.looking);
    this.link.addEventListener("pointerenter", draw);
    this.link.addEventListener("focus", draw);
    this.link.addEventListener("pointerleave", leave);
    this.link.addEventListener("blur", leave);
  }

  /** @param {import("./cards.js").Card} card */
  fill(card) {
    if (this.filled) return;
    this.filled = true;
    this.picture.show(card);
    const asked = this.host.asked();
    const wanted = [...card.labels, ...card.lines].filter((label) => names(label).some((name) => isAsked(name, asked)));
    const others = card.labels.filter((label) => !wanted.includes(label));
    this.chips.replaceChildren(
      ...wanted.slice(0, CHIPS).map((label) => el("li", {}, el("span", { class: "chip wanted" }, label.name))),
      ...others.slice(0, CHIPS - Math.min(CHIPS, wanted.length)).map((label) => el("li", {}, this.#chip(label.name))),
    );
    this.setCurrent(this.link.tabIndex === 0);
    if (this.link.matches(":hover, :focus")) this.picture.draw(asked);
  }

  /** @param {string} name */
  #chip(name) {
    return el(
      "button",
      {
        type: "button",
        class: "chip",
        title: `Only photos with ${name} (Shift-click: without)`,
        onclick: (/** @type {MouseEvent} */ event) => this.host.narrow(name, event.shiftKey || event.altKey),
      },
      name,
    );
  }

  /** Show whether the photo is selected. */
  select() {
    this.check.checked = this.host.selection.keys.has(this.key);
    this.element.classList.toggle("selected", this.check.checked);
  }

  /** Tab reaches one card of the grid and its chips; the arrow keys reach the other cards. @param {boolean} current */
  setCurrent(current) {
    this.link.tabIndex = current ? 0 : -1;
    for (const control of [...this.chips.querySelectorAll("button"), this.check]) control.tabIndex = current ? 0 : -1;
  }

  discard() {
    clearTimeout(this.looking);
    this.picture.discard();
    this.element.remove();
  }
}
