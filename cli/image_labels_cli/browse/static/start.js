import { el, split } from "./dom.js";
import { quoted } from "./expression.js";
import { href } from "./state.js";

const TILES = 12; // most frequent labels

/**
 * The labels with their numbers of photos; see photos.py.
 * @typedef {{labels: string[], photos: number[], exact: boolean, since: string, skipped: number}} Counted
 * @typedef {{key: string, uploaded: string}} Recent
 * @typedef {import("./picture.js").Picture} Picture
 */

/**
 * The first view: recent photos, the most frequent labels, and all labels from A to Z.
 * @param {Counted} counted @param {Recent[]} recent @param {(key: string) => Picture} picture
 * @returns {{view: HTMLElement, places: Map<Element, string>}} `places` are those of covers, with their labels
 */
export function start(counted, recent, picture) {
  /** @type {Map<Element, string>} */
  const places = new Map();
  if (!counted.labels.length && !recent.length) return { view: empty(), places };
  return {
    view: el(
      "div",
      { class: "index" },
      recent.length ? section("Recent photos", "", el("ul", { class: "recent" }, ...recent.map((photo) => recentPhoto(photo, picture(photo.key))))) : null,
      ...frequent(counted, places),
      counted.labels.length ? section("All labels", "", letters(counted, places)) : null,
    ),
    places,
  };
}

const empty = () =>
  el(
    "div",
    { class: "says" },
    el("h1", {}, "No labels yet"),
    el("p", {}, "No photo in this bucket has labels yet. Upload a photo under the module’s prefix, and reload this page after some seconds. If the photo has no labels, look for it under Rejected."),
  );

/** @param {string} title @param {string} note @param {HTMLElement} content */
function section(title, note, content) {
  const id = title.toLowerCase().replaceAll(" ", "-");
  return el("section", { class: "part", "aria-labelledby": id }, el("h2", { id }, title), note ? el("p", { class: "note" }, note) : null, content);
}

/** @param {Recent} photo @param {Picture} picture */
function recentPhoto({ key, uploaded }, picture) {
  const [folder, file] = split(key);
  const at = new Date(uploaded);
  return el(
    "li",
    {},
    el("a", { class: "frame", href: href({ photo: key }), "data-nav": true }, el("span", { class: "unseen" }, key), picture.element),
    el("p", { class: "file", title: key }, file || folder),
    el("p", { class: "folder" }, el("time", { datetime: uploaded, title: at.toLocaleString() }, when(at))),
  );
}

/** A time of today, or else a date. @param {Date} at */
function when(at) {
  const today = at.toDateString() === new Date().toDateString();
  return today ? `Today, ${at.toLocaleTimeString(undefined, { timeStyle: "short" })}` : at.toLocaleDateString(undefined, { dateStyle: "medium" });
}

/** @param {Counted} counted @param {Map<Element, string>} places */
function frequent({ labels, photos, exact, since }, places) {
  const most = labels
    .map((name, n) => ({ name, count: photos[n] }))
    .filter(({ count }) => count > 0)
    .sort((one, other) => other.count - one.count)
    .slice(0, TILES);
  if (!most.length) return [];
  const tile = (/** @type {{name: string, count: number}} */ { name, count }) => {
    const cover = place(name, places);
    return el(
      "li",
      {},
      el("a", { class: "tile", href: href({ q: quoted(name) }), "data-nav": true }, cover, el("span", { class: "name" }, name)),
      el("span", { class: "count" }, `${count.toLocaleString()} ${count === 1 ? "photo" : "photos"}`),
    );
  };
  const notes = [
    since ? `Photos that were labelled before ${new Date(since).toLocaleDateString(undefined, { dateStyle: "medium" })} may not be counted; image-labels relabel --offline counts them.` : "",
    exact ? "" : "The photos of the last minutes are being counted.",
  ];
  return [section("Most frequent labels", notes.filter(Boolean).join(" "), el("ul", { class: "tiles" }, ...most.map(tile)))];
}

/** @param {string} name @param {Map<Element, string>} places */
function place(name, places) {
  const cover = el("span", { class: "cover" });
  places.set(cover, name);
  return cover;
}

/** @param {Counted} counted @param {Map<Element, string>} places */
function letters({ labels, photos }, places) {
  /** @type {Map<string, HTMLElement[]>} */
  const found = new Map();
  labels.forEach((name, n) => {
    const first = (name.normalize("NFD")[0] ?? "").toUpperCase();
    const letter = /\p{L}/u.test(first) ? first : "#";
    const entry = el(
      "li",
      {},
      el("a", { href: href({ q: quoted(name) }), "data-nav": true }, place(name, places), name),
      el("span", { class: "count", title: "Photos" }, photos[n].toLocaleString()),
    );
    found.set(letter, [...(found.get(letter) ?? []), entry]);
  });
  return el(
    "div",
    { class: "letters" },
    ...[...found].map(([letter, entries]) => el("section", {}, el("h3", {}, letter), el("ul", {}, ...entries))),
  );
}
