import { el, percent } from "./dom.js";
import { isAsked } from "./expression.js";
import { orientation, turned } from "./turn.js";

/** A photo with its boxes. Both lie in one stage that has the photo's shape, so the boxes fit however it is cut. */
export class Picture {
  /**
   * @param {(key: string) => Promise<import("./cards.js").Card>} renew gives a card with a fresh address
   * @param {() => void} [onBroken]
   */
  constructor(renew, onBroken = () => {}) {
    this.renew = renew;
    this.onBroken = onBroken;
    /** @type {import("./cards.js").Card|null} */
    this.card = null;
    this.shows = 0; // counts the photos: who comes back with an answer sees whether it is still about this one
    /** @type {string[]|null} what was asked for, once the boxes are drawn */
    this.asked = null;
    /** @type {Map<HTMLElement, Set<string>>} the labels of each box */
    this.labelled = new Map();
    this.image = /** @type {HTMLImageElement} */ (el("img", { alt: "", decoding: "async", draggable: "false" }));
    this.boxes = el("div", { class: "boxes", "aria-hidden": "true" });
    this.stage = el("div", { class: "stage" }, this.image, this.boxes);
    this.element = el("div", { class: "picture" }, this.stage, el("span", { class: "broken" }, "Cannot be shown"));
  }

  /** @param {import("./cards.js").Card} card */
  show(card) {
    const renewable = this.card?.key !== card.key;
    this.card = card;
    this.shows += 1;
    this.asked = null;
    this.labelled.clear();
    this.boxes.replaceChildren();
    this.element.dataset.state = "loading";
    this.image.onload = () => {
      this.stage.style.setProperty("--ratio", String(this.image.naturalWidth / this.image.naturalHeight));
      this.element.dataset.state = "shown";
    };
    this.image.onerror = () => this.#failed(card.key, renewable);
    this.image.src = card.url;
  }

  /** Stop loading: what scrolls out of sight must not hold up what is in sight. */
  discard() {
    this.image.onload = this.image.onerror = null;
    this.image.removeAttribute("src");
  }

  /** Draw the boxes, those of the labels that were asked for before all. @param {string[]} asked */
  async draw(asked) {
    const { card, shows } = this;
    if (this.asked || !card) return;
    this.asked = asked;
    const boxes = gathered(card.labels);
    if (!boxes.length) return;
    const as = await (card.orientation ??= orientation(card.key));
    if (this.shows !== shows) return; // another photo meanwhile
    for (const [place, labels] of boxes) this.#drawBox(turned(place, as), labels, asked);
  }

  /**
   * @param {[number, number, number, number]} place @param {{label: import("./cards.js").Label, confidence: number}[]} labels
   * @param {string[]} asked
   */
  #drawBox([left, top, width, height], labels, asked) {
    const wanted = labels.some(({ label }) => names(label).some((name) => isAsked(name, asked)));
    const words = labels.flatMap(({ label, confidence }, n) => [n ? " · " : "", label.name, " ", el("b", {}, percent(confidence))]);
    const box = el("div", { class: wanted ? "box wanted" : "box" }, el("span", { class: "tag" }, ...words));
    box.classList.toggle("at-top", top < 0.14);
    box.classList.toggle("at-right", left > 0.7);
    const place = { left, top, width, height };
    for (const [side, ratio] of Object.entries(place)) box.style.setProperty(side, `${ratio * 100}%`);
    this.boxes.append(box);
    this.labelled.set(box, new Set(labels.map(({ label }) => label.name)));
  }

  /** Bring the boxes of one label forward; null shows all alike. @param {string|null} name */
  highlight(name) {
    const boxes = [...this.labelled];
    const known = name !== null && boxes.some(([, names]) => names.has(name));
    for (const [box, names] of boxes) {
      box.classList.toggle("dimmed", known && !names.has(name));
      box.classList.toggle("lit", known && names.has(name));
    }
  }

  /** The address may have expired: once, a new one is asked for. @param {string} key @param {boolean} renewable */
  async #failed(key, renewable) {
    if (renewable) {
      try {
        const card = await this.renew(key);
        if (this.card?.key !== key) return;
        const { asked } = this;
        this.show(card);
        if (asked) this.draw(asked);
        return;
      } catch {
        // shown as broken, below
      }
    }
    if (this.card?.key !== key) return;
    this.element.dataset.state = "broken";
    this.onBroken();
  }
}

/**
 * The boxes, and whose they are: Rekognition gives Person, Man and Adult the same one.
 * @param {import("./cards.js").Label[]} labels
 * @returns {[number[], {label: import("./cards.js").Label, confidence: number}[]][]}
 */
function gathered(labels) {
  /** @type {Map<string, [number[], {label: import("./cards.js").Label, confidence: number}[]]>} */
  const places = new Map();
  for (const label of labels) {
    for (const [left, top, width, height, confidence] of label.boxes) {
      const place = [left, top, width, height];
      const name = place.map((ratio) => ratio.toFixed(3)).join();
      if (!places.has(name)) places.set(name, [place, []]);
      places.get(name)?.[1].push({ label, confidence });
    }
  }
  return [...places.values()];
}

/** All names that a label can be asked for by. @param {import("./cards.js").Label} label */
export const names = (label) => [label.name, ...label.aliases, ...label.parents, ...label.categories];
