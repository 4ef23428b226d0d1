import { ApiError, get } from "./api.js";
import { copyButton } from "./copy.js";
import { el, shown } from "./dom.js";
import { problemNotice } from "./notices.js";

const EVERY_MS = 10_000;

/** Waiting photos and dead letters. It refreshes itself while it is in sight. */
export class Status {
  /** @param {HTMLElement} root @param {(text: string) => void} say */
  constructor(root, say) {
    this.root = root;
    this.say = say;
    this.run = 0;
    this.timer = 0;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !root.hidden) this.#refresh(this.run);
    });
  }

  show() {
    this.run += 1;
    this.root.replaceChildren(el("h1", {}, "Status"), el("p", { class: "lead" }, "Reading the queues …"));
    return this.#refresh(this.run);
  }

  hide() {
    this.run += 1;
    clearTimeout(this.timer);
  }

  /** @param {number} run */
  async #refresh(run) {
    clearTimeout(this.timer);
    let content;
    try {
      const status = await get("status");
      content = status.queue ? view(status) : unknown();
      if (run === this.run) this.say(`Read at ${new Date().toLocaleTimeString()}, again every ${EVERY_MS / 1000} seconds`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      content = [problemNotice(error.problem, { retry: () => this.#refresh(this.run) })];
      if (run === this.run) this.say("");
    }
    if (run !== this.run) return; // another view by now
    const focused = this.root.contains(document.activeElement) ? document.activeElement?.textContent : null;
    this.root.replaceChildren(el("h1", {}, "Status"), ...content);
    const again = [...this.root.querySelectorAll("a, button")].find((control) => control.textContent === focused);
    if (again instanceof HTMLElement) again.focus({ preventScroll: true });
    if (!document.hidden) this.timer = setTimeout(() => this.#refresh(run), EVERY_MS);
  }
}

/**
 * @param {{queue: {waiting: number, in_flight: number}, overLimit: number, dead: number, redrive: string,
 *     letters: {photo: string|null, cause: string, nextStep: string, attempts: string|null, failedAt: string|null}[]}} status
 */
function view({ queue, overLimit, dead, redrive, letters }) {
  const number = (/** @type {number} */ count, /** @type {string} */ name, /** @type {string} */ what) =>
    el("div", { class: count && name === "Dead letters" ? "bad" : "" }, el("dt", {}, name), el("dd", {}, el("b", {}, count.toLocaleString()), el("span", {}, what)));
  return [
    el(
      "dl",
      { class: "numbers" },
      number(queue.waiting, "Waiting", "in the queue"),
      number(queue.in_flight, "In progress", "or waiting for a retry"),
      number(overLimit, "Over the daily limit", "wait for the next day (UTC)"),
      number(dead, "Dead letters", "failed all attempts"),
    ),
    el("p", { class: "note" }, "The numbers are approximate, as SQS gives them. The list of rejected photos reads the whole table."),
    el("p", { class: "acts" }, el("a", { class: "chip", href: "/?view=rejected", "data-nav": true }, "List rejected photos")),
    dead ? el("h2", {}, letters.length < dead ? `${letters.length} of the dead letters` : "Dead letters") : el("h2", {}, "No dead letters"),
    el("ul", { class: "letters-dead" }, ...letters.map(letter)),
    dead
      ? el("div", { class: "next" }, el("p", {}, "When the causes are fixed, send the dead letters back:"), el("code", {}, redrive), copyButton("Copy the command", redrive))
      : null,
  ].filter((part) => part !== null);
}

/** @param {{photo: string|null, cause: string, nextStep: string, attempts: string|null, failedAt: string|null}} letter */
function letter({ photo, cause, nextStep, attempts, failedAt }) {
  const facts = [attempts && `${attempts} ${attempts === "1" ? "attempt" : "attempts"}`, failedAt && new Date(failedAt).toLocaleString()].filter(Boolean).join(" · ");
  return el(
    "li",
    {},
    el("p", { class: "key" }, photo ?? "Unknown photo"),
    el("p", { class: "reason" }, cause),
    el("p", {}, `Next step: ${nextStep}`),
    el("p", { class: "facts" }, shown(facts)),
  );
}

const unknown = () => [
  el("div", { class: "says" }, el("h2", {}, "The queues are not known"), el("p", {}, "Start “image-labels browse” with --queue-url and --dead-letter-queue-url, or where “terraform output” names them.")),
];
