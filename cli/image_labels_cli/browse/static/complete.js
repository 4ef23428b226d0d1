import { get } from "./api.js";
import { el, later } from "./dom.js";
import { fold, quoted, typed } from "./expression.js";

const KINDS = { label: "", alias: "alias", parent: "parent", category: "category" };

/** Suggests labels that start with the typed text (the combobox pattern of the ARIA Authoring Practices). */
export class Completions {
  /** @param {HTMLInputElement} input @param {HTMLElement} list */
  constructor(input, list) {
    this.input = input;
    this.list = list;
    /** @type {string[]} */
    this.names = [];
    this.chosen = -1;
    /** @type {AbortController|null} */
    this.asking = null;
    input.addEventListener("input", later(() => this.#ask(), 120));
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("blur", () => this.close());
  }

  close() {
    this.asking?.abort();
    this.names = [];
    this.chosen = -1;
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  async #ask() {
    const token = typed(this.input.value, this.input.selectionStart ?? 0);
    this.close();
    if (!token || token.kind === "word" || token.text.includes("*") || document.activeElement !== this.input) return;
    this.asking = new AbortController();
    try {
      const { terms } = await get("labels", { prefix: fold(token.text) }, this.asking.signal);
      if (terms.length === 1 && fold(terms[0].name) === fold(token.text)) return;
      this.#show(terms, fold(token.text).length);
    } catch {
      // Suggestions are optional. The search reports the error.
    }
  }

  /** @param {{name: string, kind: keyof typeof KINDS}[]} terms @param {number} length of the typed text */
  #show(terms, length) {
    this.names = terms.map((term) => term.name);
    this.list.replaceChildren(
      ...terms.map((term, n) =>
        el(
          "li",
          { id: `completion-${n}`, role: "option", "aria-selected": "false", onpointerdown: (/** @type {Event} */ event) => { event.preventDefault(); this.#take(n); } },
          el("span", {}, el("b", {}, term.name.slice(0, length)), term.name.slice(length)),
          el("i", {}, KINDS[term.kind] ?? ""),
        ),
      ),
    );
    this.list.hidden = !terms.length;
    this.input.setAttribute("aria-expanded", String(!!terms.length));
  }

  /** @param {number} n */
  #choose(n) {
    this.chosen = (n + this.names.length) % this.names.length;
    [...this.list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === this.chosen)));
    this.input.setAttribute("aria-activedescendant", `completion-${this.chosen}`);
  }

  /** Replace the typed text with a name. @param {number} n */
  #take(n) {
    const { value, selectionStart } = this.input;
    const token = typed(value, selectionStart ?? 0);
    if (!token) return;
    const name = quoted(this.names[n]);
    this.input.value = value.slice(0, token.start) + name + value.slice(token.end);
    this.input.setSelectionRange(token.start + name.length, token.start + name.length);
    this.close();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown") this.#choose(this.chosen + 1);
    else if (event.key === "ArrowUp") this.#choose(this.chosen < 0 ? this.names.length - 1 : this.chosen - 1);
    else if (event.key === "Escape") this.close();
    else if ((event.key === "Enter" || event.key === "Tab") && this.chosen >= 0) this.#take(this.chosen);
    else return;
    event.preventDefault();
  }
}
