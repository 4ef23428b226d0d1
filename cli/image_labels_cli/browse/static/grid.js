import { CardView } from "./card.js";
import { later } from "./dom.js";

const SPARE_ROWS = 2; // rendered above and below the viewport
const SETTLED_MS = 70; // photos that only scroll past are not requested
const AHEAD = 100; // photos before the end at which the next page is requested

/** A virtual list: only cards in and near the viewport are in the DOM. */
export class Grid {
  /**
   * @param {HTMLElement} root
   * @param {import("./cards.js").Cards} cards
   * @param {import("./card.js").Host & {atEnd: () => void, failed: (error: unknown) => void}} host
   */
  constructor(root, cards, host) {
    this.root = root;
    this.cards = cards;
    this.host = host;
    /** @type {import("./results.js").Results|null} */
    this.results = null;
    /** @type {Map<number, CardView>} */
    this.views = new Map();
    this.current = 0;
    this.columns = 1;
    this.rowHeight = 1;
    this.frame = 0;
    this.filling = false;
    this.fillSoon = later(() => this.#fill(), SETTLED_MS);
    addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(root);
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("focusin", (event) => this.#focused(event));
  }

  /** @param {import("./results.js").Results|null} results null empties the grid */
  show(results) {
    for (const view of this.views.values()) view.discard();
    this.views.clear();
    this.results = results;
    this.current = 0;
    this.root.hidden = !results?.found.length;
    this.update();
  }

  update() {
    if (!this.results) return;
    this.root.hidden = !this.results.found.length;
    if (!this.root.hidden) this.#layout();
  }

  /** Show which photos are selected. */
  select() {
    for (const view of this.views.values()) view.select();
  }

  /** @param {string} key */
  focus(key) {
    const index = this.results?.found.findIndex((photo) => photo.key === key) ?? -1;
    if (index >= 0) this.#go(index);
  }

  #soon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.#render();
    });
  }

  #resized() {
    if (!this.root.hidden && this.root.clientWidth !== this.width) this.#layout();
  }

  #layout() {
    const style = getComputedStyle(this.root);
    const length = (/** @type {string} */ name) => Number.parseFloat(style.getPropertyValue(name));
    const gap = length("--gap");
    this.width = this.root.clientWidth;
    const columns = Math.max(1, Math.floor((this.width + gap) / (length("--card") + gap)));
    const anchor = this.views.size ? Math.floor(this.#top() / this.rowHeight) * this.columns : 0;
    const changed = columns !== this.columns && this.#top() > 0;
    this.columns = columns;
    this.cardWidth = (this.width - gap * (columns - 1)) / columns;
    this.rowHeight = Math.round(this.cardWidth * length("--frame") + length("--text") + gap * 1.2);
    this.gap = gap;
    const rows = Math.ceil((this.results?.found.length ?? 0) / columns);
    this.root.style.setProperty("height", `${rows * this.rowHeight}px`);
    for (const [index, view] of this.views) this.#place(index, view);
    if (changed) scrollTo(0, this.#offset() + Math.floor(anchor / columns) * this.rowHeight);
    this.#render();
  }

  /** Scroll distance from the top of the grid. */
  #top() {
    return -this.root.getBoundingClientRect().top;
  }

  #offset() {
    return scrollY - this.#top();
  }

  #render() {
    if (!this.results || this.root.hidden) return;
    const found = this.results.found;
    const top = this.#top();
    const first = Math.max(0, Math.floor(top / this.rowHeight) - SPARE_ROWS) * this.columns;
    const last = Math.min(found.length, (Math.ceil((top + innerHeight) / this.rowHeight) + SPARE_ROWS) * this.columns);
    for (const [index, view] of this.views) {
      if ((index < first || index >= last) && !view.element.contains(document.activeElement)) {
        view.discard();
        this.views.delete(index);
      }
    }
    let before = null;
    for (let index = last - 1; index >= first; index -= 1) before = this.#at(index, before).element;
    if (!this.views.has(this.current) && first < last) this.current = first; // Tab must reach a visible card
    this.views.get(this.current)?.setCurrent(true);
    this.fillSoon();
    if (last > found.length - AHEAD && !this.results.complete) this.host.atEnd();
  }

  /** The view of a photo. A new one is inserted before another element. @param {number} index @param {Element|null} before */
  #at(index, before) {
    let view = this.views.get(index);
    if (!view && this.results) {
      const found = this.results.found[index];
      view = new CardView(found, this.host);
      view.element.setAttribute("aria-posinset", String(index + 1));
      this.views.set(index, view);
      this.#place(index, view);
      if (index === this.current) view.setCurrent(true);
      this.root.insertBefore(view.element, before);
      const card = this.cards.peek(found.key);
      if (card) view.fill(card);
    }
    const size = this.results?.complete ? this.results.found.length : -1;
    view?.element.setAttribute("aria-setsize", String(size));
    return /** @type {CardView} */ (view);
  }

  /** @param {number} index @param {CardView} view */
  #place(index, view) {
    const x = (index % this.columns) * (/** @type {number} */ (this.cardWidth) + /** @type {number} */ (this.gap));
    const y = Math.floor(index / this.columns) * this.rowHeight;
    view.element.style.setProperty("width", `${this.cardWidth}px`);
    view.element.style.setProperty("transform", `translate(${x}px, ${y}px)`);
  }

  /** Request visible photos that are not cached, one request at a time, so that new ones do not wait for old ones. */
  async #fill() {
    if (this.filling) return;
    this.filling = true;
    for (let keys = this.#missing(); keys.length; keys = this.#missing()) {
      const answers = await Promise.allSettled(this.cards.load(keys));
      const failed = answers.find((answer) => answer.status === "rejected");
      if (failed) {
        this.host.failed(failed.reason);
        break;
      }
    }
    this.filling = false;
  }

  /** Fill the views of cached photos, and return the keys of the others. */
  #missing() {
    const missing = [];
    for (const view of this.views.values()) {
      const card = view.filled ? undefined : this.cards.peek(view.key);
      if (card) view.fill(card);
      if (!view.filled) missing.push(view.key);
    }
    return missing;
  }

  /** @param {FocusEvent} event */
  #focused(event) {
    for (const [index, view] of this.views) {
      if (!view.element.contains(/** @type {Node} */ (event.target)) || index === this.current) continue;
      this.views.get(this.current)?.setCurrent(false);
      this.current = index;
      view.setCurrent(true);
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (!target.classList.contains("frame") || event.altKey || event.ctrlKey || event.metaKey || !this.results) return;
    const page = Math.max(1, Math.floor(innerHeight / this.rowHeight)) * this.columns;
    const end = this.results.found.length - 1;
    const to = {
      ArrowLeft: this.current - 1,
      ArrowRight: this.current + 1,
      ArrowUp: this.current - this.columns,
      ArrowDown: this.current + this.columns,
      PageUp: Math.max(this.current % this.columns, this.current - page),
      PageDown: Math.min(end, this.current + page),
      Home: 0,
      End: end,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to >= 0 && to <= end) this.#go(to);
  }

  /** Scroll to a photo and focus it. @param {number} index */
  #go(index) {
    const top = this.#offset() + Math.floor(index / this.columns) * this.rowHeight;
    const room = Number.parseFloat(getComputedStyle(this.root).getPropertyValue("--sticky"));
    if (top < scrollY + room) scrollTo(0, top - room);
    else if (top + this.rowHeight > scrollY + innerHeight) scrollTo(0, top + this.rowHeight - innerHeight);
    this.views.get(this.current)?.setCurrent(false);
    this.current = index;
    this.#render();
    const view = this.views.get(index);
    view?.setCurrent(true);
    view?.link.focus({ preventScroll: true });
    this.#render(); // the view that had the focus may be removed now
  }
}
