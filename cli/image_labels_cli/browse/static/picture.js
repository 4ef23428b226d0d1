import { ApiError, get } from "./api.js";
import { placed, subjects } from "./crop.js";
import { el, percent } from "./dom.js";
import { isAsked } from "./expression.js";
import { load, stop } from "./loading.js";
import { orientation, turned } from "./turn.js";

const SHARP = 400; // pixels of a side that previews of photos have, and embedded thumbnails rarely
const SMALL = 1e6; // bytes up to which the grid shows the photo itself if it has no preview

/** A photo with its boxes. Both are in one element with the photo's aspect ratio, so the boxes fit when it is cropped. */
export class Picture {
  /**
   * @param {(key: string) => Promise<import("./cards.js").Card>} renew returns a card with a new URL
   * @param {{preview?: boolean, onBroken?: () => void}} [how] whether to show the photo's preview
   */
  constructor(renew, { preview = false, onBroken = () => {} } = {}) {
    this.renew = renew;
    this.preview = preview;
    this.onBroken = onBroken;
    this.isPreview = preview; // of what is shown, which may be the photo because it has no preview
    /** @type {import("./cards.js").Card|null} */
    this.card = null;
    this.shows = 0; // counts calls of show(), so that a late answer for a previous photo is detected
    /** @type {string[]|null} the wanted labels, once the boxes are drawn */
    this.asked = null;
    /** @type {Map<HTMLElement, Set<string>>} the labels of each box */
    this.labelled = new Map();
    this.image = /** @type {HTMLImageElement} */ (el("img", { alt: "", decoding: "async", draggable: "false" }));
    this.boxes = el("div", { class: "boxes", "aria-hidden": "true" });
    this.stage = el("div", { class: "stage" }, this.image, this.boxes);
    this.broken = el("span", { class: "broken" }, "Cannot be shown");
    this.element = el("div", { class: "picture" }, this.stage, this.broken);
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
      const ratio = this.image.naturalWidth / this.image.naturalHeight;
      this.stage.style.setProperty("--ratio", String(ratio));
      if (this.preview) this.#crop(card, ratio);
      this.element.dataset.state = "shown";
    };
    this.isPreview = this.preview;
    if (this.preview) {
      this.image.onerror = () => this.#withoutPreview(card);
      load(this.image, card.preview);
    } else {
      this.image.onerror = () => this.#failed(card.key, renewable);
      this.image.src = card.url;
    }
  }

  /** Replace an embedded thumbnail, which is not sharp, by a preview of the photo. */
  sharpen() {
    const { card, shows } = this;
    const small = Math.max(this.image.naturalWidth, this.image.naturalHeight) < SHARP;
    if (!card?.size || card.size <= SMALL || !small || !this.isPreview || this.element.dataset.state !== "shown") return;
    const sharp = new Image(); // the thumbnail stays until this is loaded
    sharp.onload = () => {
      if (this.shows !== shows || this.card !== card) return;
      this.image.onload = null;
      this.image.src = sharp.src;
    };
    load(sharp, `${card.preview}&sharp=1`);
  }

  /** Crop the photo so that its subject stays in the frame. @param {import("./cards.js").Card} card @param {number} ratio */
  #crop(card, ratio) {
    const frame = this.element.clientWidth / this.element.clientHeight;
    // Without the orientation, which would cost a request for each photo. It matters only for PNGs that have one.
    const [x, y] = placed(subjects(card.labels), ratio, frame);
    this.stage.style.setProperty("--x", String(x));
    this.stage.style.setProperty("--y", String(y));
  }

  /** Stop loading, so that photos out of view do not delay those in view. */
  discard() {
    this.image.onload = this.image.onerror = null;
    this.card = null;
    stop(this.image);
    this.image.removeAttribute("src");
  }

  /** Draw the boxes, and emphasize those of wanted labels. @param {string[]} asked */
  async draw(asked) {
    const { card, shows } = this;
    if (this.asked || !card) return;
    this.asked = asked;
    const boxes = gathered([...card.labels, ...card.lines, ...card.faces]);
    if (!boxes.length) return;
    const as = await orientation(card, this.isPreview);
    if (this.shows !== shows) return; // another photo by now
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

  /** Emphasize the boxes of one label; null resets. @param {string|null} name */
  highlight(name) {
    const boxes = [...this.labelled];
    const known = name !== null && boxes.some(([, names]) => names.has(name));
    for (const [box, names] of boxes) {
      box.classList.toggle("dimmed", known && !names.has(name));
      box.classList.toggle("lit", known && names.has(name));
    }
  }

  /** There is no preview. Show the photo if it is small, or else the reason. @param {import("./cards.js").Card} card */
  async #withoutPreview(card) {
    let short = "Cannot be shown";
    let there = false;
    try {
      ({ short, there } = await get("why", { key: card.key }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    if (this.card !== card) return;
    this.broken.textContent = short;
    if (there && card.size !== null && card.size <= SMALL) {
      this.isPreview = false;
      this.image.onerror = () => this.#breaks();
      this.image.src = card.url;
    } else this.#breaks();
  }

  #breaks() {
    this.element.dataset.state = "broken";
    this.onBroken();
  }

  /** The URL may have expired, so request a new one, once. @param {string} key @param {boolean} renewable */
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
        // handled below
      }
    }
    if (this.card?.key === key) this.#breaks();
  }
}

/**
 * The distinct boxes with their labels. Rekognition gives Person, Man and Adult the same box.
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

/** All names that find a label. @param {import("./cards.js").Label} label */
export const names = (label) => [label.name, ...label.aliases, ...label.parents, ...label.categories];
