import { el } from "./dom.js";
import { Following } from "./following.js";
import { problemNotice } from "./notices.js";
import { Upload } from "./upload.js";

const AT_ONCE = 3;
// Problems that every file would have. The others wait until the user tries again.
const STOP = ["denied", "credentials", "missing", "network", "server"];
/** @type {[string, import("./upload.js").Stage[]][]} */
const SUMMARY = [
  ["waiting", ["waiting"]],
  ["uploading", ["sending"]],
  ["queued", ["uploaded", "queued"]],
  ["labelled", ["labelled"]],
  ["rejected", ["rejected"]],
  ["replaced", ["replaced"]],
  ["without labels so far", ["late"]],
  ["to decide", ["exists"]],
  ["not uploaded", ["failed", "refused"]],
];

/** The view that uploads photos, by a button or by drag and drop anywhere on the page. */
export class Uploads {
  /**
   * @param {HTMLElement} root @param {(text: string) => void} say
   * @param {{open: () => void, ended: (key: string) => void}} host
   */
  constructor(root, say, host) {
    this.root = root;
    this.say = say;
    this.host = host;
    /** @type {Upload[]} */
    this.all = [];
    this.sending = 0;
    this.following = new Following(host.ended);
    this.notice = el("section", { class: "notice", role: "alert", hidden: true });
    this.list = el("ul", { class: "rejected uploads", "aria-label": "Uploads" });
    this.folder = /** @type {HTMLInputElement} */ (el("input", { type: "text", spellcheck: "false", autocapitalize: "none" }));
    this.over = el("p", { class: "drop-here", hidden: true, "aria-hidden": "true" }, "Drop photos to upload them");
  }

  /** @param {{prefix: string, suffixes: string[], maxBytes: number}|null} rules null: the command runs without --upload */
  allow(rules) {
    const title = el("h1", {}, "Upload photos");
    if (!rules) {
      this.root.replaceChildren(title, el("p", { class: "lead" }, "Uploads are off. Start the command with “image-labels browse --upload”."));
      return;
    }
    this.maxBytes = rules.maxBytes;
    this.folder.value = rules.prefix;
    const files = /** @type {HTMLInputElement} */ (el("input", { type: "file", multiple: true, accept: "image/jpeg,image/png", hidden: true, "aria-label": "Photos" }));
    files.addEventListener("change", () => {
      this.add([...(files.files ?? [])]);
      files.value = ""; // so that the same file can be chosen again
    });
    const choose = el("button", { type: "button", class: "primary", onclick: () => files.click() }, "Choose photos");
    this.root.replaceChildren(
      title,
      el("p", { class: "lead" }, "JPEG and PNG files up to 15 MB. Each photo is one call of Rekognition."),
      el("div", { class: "drop-zone" }, choose, files, el("p", {}, "or drop them anywhere on this page"), el("label", {}, "Folder ", this.folder)),
      this.notice,
      this.list,
    );
    document.body.append(this.over);
    this.#takeDrops();
    addEventListener("beforeunload", (event) => {
      if (this.all.some(({ stage }) => stage === "waiting" || stage === "sending")) event.preventDefault();
    });
  }

  show() {
    this.#report();
  }

  /** @param {File[]} files */
  add(files) {
    const first = this.all.length;
    for (const file of files) {
      const upload = new Upload(file, this.folder.value.trim(), () => this.#report());
      this.all.push(upload);
      this.list.append(upload.element);
      if (file.size > (this.maxBytes ?? 0)) upload.to("refused", `Not uploaded. It has ${(file.size / 2 ** 20).toFixed(1)} MB, and Rekognition accepts at most 15 MB.`);
    }
    this.host.open();
    this.#next();
    this.all[first]?.element.scrollIntoView({ block: "nearest" });
  }

  #next() {
    for (const upload of this.all) {
      if (this.sending >= AT_ONCE) return;
      if (upload.stage === "waiting") this.#send(upload);
    }
  }

  /** @param {Upload} upload */
  async #send(upload) {
    this.sending += 1;
    const problem = await upload.send();
    this.sending -= 1;
    if (!problem) this.following.add(upload);
    else if (problem.kind === "exists") {
      upload.to("exists", `The bucket has a photo with this key.`, [
        ["Replace", () => this.#again(upload, true)],
        ["Skip", () => upload.to("refused", "Not uploaded. The bucket has a photo with this key.")],
      ]);
    } else if (problem.kind === "request") upload.to("refused", `Not uploaded. ${problem.title}`);
    else if (STOP.includes(problem.kind)) this.#stop(upload, problem);
    else upload.to("failed", `Not uploaded. ${problem.title} ${problem.advice}`, [["Try again", () => this.#again(upload)]]);
    this.#next();
  }

  /** @param {Upload} upload @param {boolean} replace */
  #again(upload, replace = upload.replace) {
    upload.replace = replace;
    upload.to("waiting", "Waits for the files above");
    this.#next();
  }

  /** A problem that all files have. @param {Upload} upload @param {import("./api.js").Problem} problem */
  #stop(upload, problem) {
    for (const each of [upload, ...this.all.filter(({ stage }) => stage === "waiting")]) each.to("failed", "Not uploaded. The reason is above the list.");
    const retry = () => {
      this.notice.hidden = true;
      for (const each of this.all.filter(({ stage }) => stage === "failed")) this.#again(each);
    };
    this.notice.replaceChildren(problemNotice(problem, { retry }));
    this.notice.hidden = false;
  }

  #report() {
    if (this.root.hidden) return;
    const counts = SUMMARY.map(([name, stages]) => [this.all.filter(({ stage }) => stages.includes(stage)).length, name]);
    this.say(counts.filter(([count]) => count).map(([count, name]) => `${count.toLocaleString()} ${name}`).join(", "));
  }

  #takeDrops() {
    const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
    const target = document.documentElement;
    target.addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault(); // or the browser would open the file
      this.over.hidden = false;
    });
    target.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) this.over.hidden = true; // left the window
    });
    target.addEventListener("drop", (event) => {
      this.over.hidden = true;
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.add([...(event.dataTransfer?.files ?? [])]);
    });
  }
}
