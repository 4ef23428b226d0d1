import { ApiError, get } from "./api.js";
import { copyButton } from "./copy.js";
import { el, percent, shown, split } from "./dom.js";
import { isAsked } from "./expression.js";
import { problemNotice } from "./notices.js";
import { names, Picture } from "./picture.js";
import { downloadOf, s3Uri } from "./selection.js";
import { href } from "./state.js";
import { Zoom } from "./zoom.js";

/** The detail view of one photo. */
export class Detail {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {{card: (key: string) => Promise<import("./cards.js").Card>, renew: (key: string) => Promise<import("./cards.js").Card>,
   *     asked: () => string[], narrow: (name: string, not: boolean) => void, closed: () => void,
   *     neighbour: (key: string, step: number) => Promise<string|null>, goTo: (key: string) => void,
   *     about: () => {bucket: string, console: string, faces: boolean}}} host
   */
  constructor(dialog, host) {
    this.dialog = dialog;
    this.host = host;
    /** @type {string|null} */
    this.key = null;
    this.picture = new Picture(host.renew, { onBroken: () => this.#explain() });
    this.title = el("h2", { id: "detail-title", tabindex: "-1" });
    this.folder = el("p", { class: "folder" });
    this.facts = el("p", { class: "facts" });
    this.why = el("p", { class: "why", role: "status" });
    this.labels = el("ul", { class: "labels", "aria-label": "Labels" });
    this.text = el("section", { hidden: true }, el("h3", { id: "detail-text" }, "Text"));
    this.lines = el("ul", { class: "labels", "aria-labelledby": "detail-text" });
    this.text.append(this.lines);
    this.people = el("section", { hidden: true }, el("h3", { id: "detail-faces" }, "Faces"));
    this.faces = el("ul", { class: "labels", "aria-labelledby": "detail-faces" });
    this.people.append(this.faces);
    this.boxesButton = el("button", { type: "button", "aria-pressed": "true", title: "Show or hide the boxes (B)", onclick: () => this.#toggleBoxes() }, "Boxes");
    const step = (/** @type {number} */ by, /** @type {string} */ name, /** @type {string} */ sign) =>
      el("button", { type: "button", class: "icon", "aria-label": name, title: `${name} (${sign})`, onclick: () => this.#step(by) }, icon(sign));
    this.back = step(-1, "Previous photo", "←");
    this.forth = step(1, "Next photo", "→");
    const close = el("button", { type: "button", class: "icon", "aria-label": "Close", title: "Close (Esc)", onclick: () => host.closed() }, icon("×"));
    this.zoom = new Zoom(this.picture.element, this.picture.stage);
    const zoom = (/** @type {string} */ name, /** @type {string} */ sign, /** @type {string} */ key, /** @type {() => void} */ onclick) =>
      el("button", { type: "button", class: "icon", "aria-label": name, title: `${name} (${key})`, onclick }, icon(sign));
    this.large = el("div", { class: "large" }, this.picture.element, this.why);
    const key = () => this.key ?? "";
    this.download = el("a", { class: "chip", download: "" }, "Download");
    this.console = el("a", { class: "chip", target: "_blank", rel: "noreferrer" }, "Open in the S3 console");
    dialog.append(
      this.large,
      el(
        "div",
        { class: "sheet" },
        el("div", { class: "tools" }, this.back, this.forth, this.boxesButton, zoom("Zoom out", "−", "-", () => this.zoom.out()), zoom("Zoom in", "+", "+", () => this.zoom.in()), zoom("Full screen", "", "F", () => this.#fullScreen()), el("span", { class: "spring" }), close),
        this.folder,
        this.title,
        this.facts,
        el("div", { class: "acts" }, copyButton("Copy key", key), copyButton("Copy S3 URI", () => s3Uri(host.about().bucket, key())), this.download, this.console),
        el("p", { class: "labels-by", hidden: true }),
        this.labels,
        this.text,
        this.people,
      ),
    );
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      host.closed();
    });
    dialog.addEventListener("keydown", (event) => this.#key(event));
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) host.closed(); // on the backdrop
    });
  }

  /** @param {string|null} key null closes it */
  async show(key) {
    if (key === this.key) return;
    this.key = key;
    if (key === null) {
      if (document.fullscreenElement) document.exitFullscreen();
      this.dialog.close();
      this.picture.discard();
      return;
    }
    this.zoom.to(1);
    [this.folder.textContent, this.title.textContent] = split(key).map(shown);
    this.download.setAttribute("href", downloadOf(key));
    const { bucket, console } = this.host.about();
    this.console.hidden = !console;
    const region = console.match(/^https:\/\/([^.]+)/)?.[1] ?? "";
    this.console.setAttribute("href", `${console}${encodeURIComponent(bucket)}?${new URLSearchParams({ region, prefix: key })}`);
    this.facts.textContent = this.why.textContent = "";
    this.labels.replaceChildren();
    this.text.hidden = this.people.hidden = true;
    if (!this.dialog.open) {
      this.dialog.showModal();
      this.title.focus(); // not the first button, so that screen readers announce the photo
    }
    this.#neighbours(key);
    try {
      const card = await this.host.card(key);
      if (this.key === key) this.#fill(card);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.key === key) this.labels.replaceChildren(el("li", {}, problemNotice(error.problem)));
    }
  }

  /** @param {import("./cards.js").Card} card */
  #fill(card) {
    const asked = this.host.asked();
    this.picture.show(card);
    this.picture.draw(asked);
    this.boxesButton.hidden = ![...card.labels, ...card.lines, ...card.faces].some((label) => label.boxes.length);
    this.facts.textContent = [
      card.size === null ? null : size(card.size),
      card.labelledAt && `${card.reason ? "rejected" : "labelled"} ${new Date(card.labelledAt).toLocaleString()}`,
      card.model && `label model ${card.model}`,
      card.boxesCut && "some boxes omitted, because of DynamoDB’s item size limit",
      card.unwanted,
      card.foreign && "another program wrote or changed its item; the photo’s next event labels it again",
    ].filter(Boolean).map((fact) => shown(String(fact))).join(" · ");
    if (card.removed) this.labels.replaceChildren(el("li", { class: "none" }, "The photo is not in the bucket any more, and no search finds it."));
    else if (card.reason) this.labels.replaceChildren(el("li", { class: "none" }, `Rejected. ${card.reason}`));
    else if (!card.labels.length) this.labels.replaceChildren(el("li", { class: "none" }, card.labelledAt ? "Rekognition found no label with enough confidence." : "The table has no item for this photo: it was deleted, or is not labelled yet."));
    else this.labels.replaceChildren(...card.labels.map((label) => this.#label(label, asked)));
    this.lines.replaceChildren(...card.lines.map((line) => this.#label(line, asked)));
    this.text.hidden = !card.lines.length;
    this.faces.replaceChildren(...card.faces.map((face) => this.#face(face)));
    this.people.hidden = !card.faces.length;
    this.dialog.scrollTop = 0;
  }

  /** @param {import("./cards.js").Label} label @param {string[]} asked */
  #label(label, asked) {
    const wanted = names(label).some((name) => isAsked(name, asked));
    const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("span"));
    /** @type {HTMLElement} */ (bar.firstChild).style.setProperty("width", `${label.confidence}%`);
    const also = [
      ["in", label.parents],
      ["also", label.aliases],
      ["", label.categories],
    ].flatMap(([what, list]) => (list.length ? [`${what} ${/** @type {string[]} */ (list).join(", ")}`.trim()] : []));
    if (label.boxes.length) also.unshift(label.boxes.length === 1 ? "1 box" : `${label.boxes.length} boxes`);
    const action = (/** @type {boolean} */ not, /** @type {string} */ text) =>
      el("button", { type: "button", title: `Only photos ${not ? "without" : "with"} ${label.name}`, onclick: () => this.host.narrow(label.name, not) }, text, el("span", { class: "unseen" }, ` ${label.name}`));
    const row = el(
      "li",
      { class: wanted ? "label wanted" : "label", onpointerenter: () => this.picture.highlight(label.name), onpointerleave: () => this.picture.highlight(null), onfocusin: () => this.picture.highlight(label.name), onfocusout: () => this.picture.highlight(null) },
      el("span", { class: "name" }, label.name),
      el("span", { class: "confidence" }, percent(label.confidence), el("i", {}, " %")),
      el("span", { class: "actions" }, ...(wanted ? [] : [action(false, "and"), action(true, "not")])),
      bar,
      el("span", { class: "also" }, also.join(" · ")),
    );
    return row;
  }

  /** @param {import("./cards.js").Face} face */
  #face(face) {
    const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("span"));
    /** @type {HTMLElement} */ (bar.firstChild).style.setProperty("width", `${face.confidence}%`);
    const found = el("span", { class: "also", role: "status" }, face.categories.join(" · "));
    const ask = () => this.#alike(face, found);
    const button = el("button", { type: "button", title: "AWS bills this search as an image", onclick: ask }, "Photos of this person", el("span", { class: "unseen" }, `, ${face.name}`));
    return el(
      "li",
      { class: "label face", onpointerenter: () => this.picture.highlight(face.name), onpointerleave: () => this.picture.highlight(null), onfocusin: () => this.picture.highlight(face.name), onfocusout: () => this.picture.highlight(null) },
      el("span", { class: "name" }, face.name),
      el("span", { class: "confidence" }, percent(face.confidence), el("i", {}, " %")),
      el("span", { class: "actions" }, ...(face.face !== null && this.host.about().faces ? [button] : [])),
      bar,
      found,
    );
  }

  /** List the photos of the person with this face. @param {import("./cards.js").Face} face @param {HTMLElement} found */
  async #alike(face, found) {
    const key = this.key;
    if (key === null) return;
    try {
      const { photos, more } = await get("faces", { key, face: face.face });
      if (this.key !== key) return;
      const links = photos.map((/** @type {{key: string, similarity: number}} */ photo) =>
        el("a", { href: href({ photo: photo.key }), "data-nav": "" }, el("span", { class: "key" }, photo.key), " ", el("span", { class: "confidence" }, percent(photo.similarity), " %")));
      found.replaceChildren(...links, more ? "and more" : "");
      if (!links.length) found.textContent = "No other photo has a face that is as similar.";
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      found.textContent = `${error.problem.title} ${error.problem.advice}`;
    }
  }

  async #explain() {
    const key = this.key;
    if (key === null) return;
    try {
      const { why } = await get("why", { key });
      if (this.key === key) this.why.textContent = why;
    } catch (error) {
      if (error instanceof ApiError && this.key === key) this.why.textContent = `${error.problem.title} ${error.problem.advice}`;
    }
  }

  /** @param {string} key */
  async #neighbours(key) {
    const [back, forth] = await Promise.all([this.host.neighbour(key, -1), this.host.neighbour(key, 1)]);
    if (this.key !== key) return;
    // Not `disabled`, which would remove the focus from the button at the last photo.
    this.back.setAttribute("aria-disabled", String(back === null));
    this.forth.setAttribute("aria-disabled", String(forth === null));
    this.back.hidden = this.forth.hidden = back === null && forth === null;
  }

  /** @param {number} by */
  async #step(by) {
    const from = this.key;
    const key = from === null ? null : await this.host.neighbour(from, by);
    if (key !== null && this.key === from) this.host.goTo(key);
  }

  #toggleBoxes() {
    const shown = this.boxesButton.getAttribute("aria-pressed") !== "true";
    this.boxesButton.setAttribute("aria-pressed", String(shown));
    this.dialog.classList.toggle("without-boxes", !shown);
  }

  #fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.large.requestFullscreen().catch(() => {}); // not on every phone
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (this.zoom.pan(event.key)) {
      // moved
    } else if (event.key === "+" || event.key === "=") this.zoom.in();
    else if (event.key === "-") this.zoom.out();
    else if (event.key === "0") this.zoom.to(1);
    else if (event.key === "f" || event.key === "F") this.#fullScreen();
    else if (event.key === "ArrowLeft") this.#step(-1);
    else if (event.key === "ArrowRight") this.#step(1);
    else if (event.key === "b" || event.key === "B") this.#toggleBoxes();
    else return;
    event.preventDefault();
  }
}

/** A sign in place of a name, which the button's aria-label has. @param {string} sign */
const icon = (sign) => el("span", { "aria-hidden": "true", class: sign ? "" : "full-screen" }, sign); // a font may lack that sign

/** @param {number} bytes */
function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1000))} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
