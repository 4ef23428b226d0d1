const MOST = 8;
const STEP = 1.5;
const DOUBLE = 2.5; // of a double click
const PAN = 80; // px of an arrow key

/** Zooms the photo of the detail view. The zoomed photo is moved by dragging, scrolling, or with the arrow keys. */
export class Zoom {
  /** @param {HTMLElement} frame scrolls @param {HTMLElement} stage */
  constructor(frame, stage) {
    this.frame = frame;
    this.stage = stage;
    this.level = 1;
    frame.addEventListener("dblclick", (event) => this.to(this.level > 1 ? 1 : DOUBLE, event));
    frame.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    frame.addEventListener("pointerdown", (event) => this.#drag(event));
  }

  /** @param {number} level @param {{clientX: number, clientY: number}} [at] the point that stays in place */
  to(level, at = undefined) {
    const to = Math.min(MOST, Math.max(1, level));
    const frame = this.frame.getBoundingClientRect();
    const before = this.stage.getBoundingClientRect();
    const x = at?.clientX ?? frame.left + frame.width / 2;
    const y = at?.clientY ?? frame.top + frame.height / 2;
    const across = (x - before.left) / before.width;
    const down = (y - before.top) / before.height;
    this.level = to;
    this.stage.style.setProperty("--zoom", String(to));
    this.frame.classList.toggle("zoomed", to > 1);
    if (to > 1) this.frame.setAttribute("tabindex", "0");
    else this.frame.removeAttribute("tabindex");
    const after = this.stage.getBoundingClientRect();
    this.frame.scrollBy(after.left + across * after.width - x, after.top + down * after.height - y);
  }

  in() {
    this.to(this.level * STEP);
  }

  out() {
    this.to(this.level / STEP);
  }

  /** Move the zoomed photo. @param {string} key @returns {boolean} whether it was an arrow key */
  pan(key) {
    const to = { ArrowLeft: [-PAN, 0], ArrowRight: [PAN, 0], ArrowUp: [0, -PAN], ArrowDown: [0, PAN] }[key];
    if (!to || this.level === 1) return false;
    this.frame.scrollBy(to[0], to[1]);
    return true;
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (!event.ctrlKey) return; // a pinch on a touchpad is a wheel with Ctrl
    event.preventDefault();
    this.to(this.level * 2 ** (-event.deltaY / 200), event);
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (this.level === 1 || event.pointerType !== "mouse" || event.button) return;
    event.preventDefault();
    this.frame.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ moved) => this.frame.scrollBy(-moved.movementX, -moved.movementY);
    this.frame.addEventListener("pointermove", move);
    const end = () => this.frame.removeEventListener("pointermove", move);
    this.frame.addEventListener("pointerup", end, { once: true });
    this.frame.addEventListener("pointercancel", end, { once: true });
  }
}
