/* The page. The address holds the state: every action changes the address, and the page shows what it says. */

import { ApiError, get } from "./api.js";
import { Cards } from "./cards.js";
import { Completions } from "./complete.js";
import { showCovers } from "./covers.js";
import { Detail } from "./detail.js";
import { byId, shown as asShown } from "./dom.js";
import { asked, narrow, replaced } from "./expression.js";
import { Facets } from "./facets.js";
import { Filters } from "./filters.js";
import { Grid } from "./grid.js";
import { nothingNotice, problemNotice } from "./notices.js";
import { Picture } from "./picture.js";
import { Rejected } from "./rejected.js";
import { Results, Source } from "./results.js";
import { Selection } from "./selection.js";
import { start } from "./start.js";
import { href, listName, read, sameList } from "./state.js";
import { Status } from "./status.js";
import { Uploads } from "./uploads.js";

const TITLES = { photos: null, rejected: "Rejected", status: "Status", upload: "Upload" };
const LISTS_KEPT = 6; // makes back instant, with the scroll position

const input = /** @type {HTMLInputElement} */ (byId("q"));
const problem = byId("problem");
const startView = byId("start");
const rejectedView = byId("rejected");
const statusView = byId("status-view");
const uploadView = byId("upload-view");
const moreLine = byId("more");

/** @type {import("./state.js").State|null} the state on the page; null before the first */
let shown = null;
/** @type {Results|null} */
let results = null;
/** @type {string[]} */
let wanted = [];
/** @type {Map<string, Results>} */
const lists = new Map();

/** The photos of the first view. @type {{found: {key: string}[], complete: boolean}} */
let recent = { found: [], complete: true };

/** Stops the loading of its previews, so that they do not delay those of the next view. */
let leaveStart = () => {};

let about = { bucket: "", console: "", faces: false };

const cards = new Cards();
const say = (/** @type {string} */ text) => {
  byId("status").textContent = text;
};
const state = () => read(location);
const narrowTo = (/** @type {string} */ name, /** @type {boolean} */ not) =>
  go({ ...state(), view: "photos", q: narrow(state().q, name, not), photo: null });

const facets = new Facets(byId("facets"), narrowTo);
const selection = new Selection(byId("selection"), () => about.bucket, () => grid.select());
const grid = new Grid(byId("grid"), cards, {
  href: (key) => href({ ...state(), photo: key }),
  open: (key) => go({ ...state(), photo: key }),
  narrow: narrowTo,
  renew: (key) => cards.refresh(key),
  asked: () => wanted,
  selection,
  atEnd: () => readOn(),
  failed: (error) => fail(error, () => grid.update()),
});

const detail = new Detail(byId("detail"), {
  card: (key) => cards.one(key),
  renew: (key) => cards.refresh(key),
  asked: () => wanted,
  narrow: narrowTo,
  closed: () => {
    // If the page itself opened the photo, go back, so that the history keeps no extra step.
    if (history.state?.opened) history.back();
    else go({ ...state(), photo: null }, { replace: true });
  },
  goTo: (key) => go({ ...state(), photo: key }, { replace: true, opened: history.state?.opened }),
  neighbour: async (key, step) => {
    const list = results ?? recent;
    const at = list.found.findIndex((photo) => photo.key === key);
    if (at < 0) return null;
    if (step > 0 && at + step >= list.found.length && !list.complete) await readOn();
    return list.found[at + step]?.key ?? null;
  },
  about: () => about,
});

const rejected = new Rejected(rejectedView, say);
const status = new Status(statusView, say);
const uploads = new Uploads(uploadView, say, {
  open: () => go({ ...state(), view: "upload", photo: null }, { replace: state().view === "upload" }),
  ended: (key) => {
    cards.forget(key);
    lists.clear(); // later searches find it
  },
});
const filters = new Filters((changed) => go({ ...state(), ...changed, view: "photos", photo: null }));
const completions = new Completions(input, byId("completions"));

/** @param {import("./state.js").State} to @param {{replace?: boolean, opened?: boolean}} [how] */
function go(to, { replace = false, opened = to.photo !== null } = {}) {
  if (results) results.scroll = scrollY;
  history[replace ? "replaceState" : "pushState"]({ opened }, "", href(to));
  render();
}

function render() {
  const to = state();
  if (!sameList(to, shown)) {
    shown = to;
    showList(to);
  }
  const before = detail.key;
  detail.show(to.photo);
  if (before !== null && to.photo === null) grid.focus(before);
  document.title = [to.photo ?? (TITLES[to.view] ?? to.q), "Image labels"].filter(Boolean).map(asShown).join(" – ");
}

/** @param {import("./state.js").State} to */
function showList(to) {
  completions.close();
  rejected.hide();
  status.hide();
  input.value = to.q;
  filters.show(to);
  wanted = asked(to.q);
  results = null;
  leaveStart();
  startView.replaceChildren();
  for (const view of [problem, startView, rejectedView, statusView, uploadView, moreLine]) view.hidden = true;
  input.removeAttribute("aria-invalid");
  heading(to.view !== "photos" ? "" : to.q ? `Photos: ${to.q}` : "Photos and labels");
  byId("cost").textContent = "";
  say("");
  for (const view of /** @type {const} */ (["photos", "rejected", "status", "upload"])) {
    byId(`tab-${view}`).setAttribute("href", href({ ...to, view, photo: null }));
    byId(`tab-${view}`).toggleAttribute("aria-current", to.view === view);
  }
  grid.show(null);
  facets.show(null, []);
  if (to.view === "rejected") {
    rejectedView.hidden = false;
    scrollTo(0, 0);
    rejected.show();
  } else if (to.view === "status") {
    statusView.hidden = false;
    scrollTo(0, 0);
    status.show();
  } else if (to.view === "upload") {
    uploadView.hidden = false;
    scrollTo(0, 0);
    uploads.show();
  } else if (to.q) showResults(to);
  else showStart();
  // The focused element may be gone. The next Tab then starts in the list, not at the top of the page.
  if (document.activeElement === document.body) byId("main").focus({ preventScroll: true });
}

/** @param {import("./state.js").State} to */
async function showResults(to) {
  const name = listName(to);
  const list = lists.get(name) ?? new Results(sourceOf(to), to.min, to.sort);
  lists.delete(name);
  lists.set(name, list);
  if (lists.size > LISTS_KEPT) lists.delete(/** @type {string} */ (lists.keys().next().value));
  results = list;
  if (!list.found.length) {
    scrollTo(0, 0);
    say("Searching …");
    await readOn();
    if (results !== list) return;
  }
  if (!list.found.length) return;
  wanted = asked(list.source.searched);
  grid.show(list);
  report();
  scrollTo(0, list.scroll);
}

/** The photos of a search, which other lists may have read already. @param {import("./state.js").State} to */
function sourceOf(to) {
  const same = [...lists.values()].find(({ source }) => source.q === to.q && source.prefix === to.prefix);
  return same?.source ?? new Source(to.q, to.prefix);
}

/** Forget what was read for a search. @param {{q: string, prefix: string}} search */
function forget({ q, prefix }) {
  for (const [name, { source }] of lists) if (source.q === q && source.prefix === prefix) lists.delete(name);
}

/** Read the next page of the current list. */
async function readOn() {
  const list = results;
  if (!list) return;
  moreLine.hidden = !list.found.length;
  moreLine.textContent = "Loading more …";
  try {
    await list.more();
  } catch (error) {
    forget(list.source);
    if (list === results) fail(error, () => (list.found.length ? readOn() : showList(state())));
    return;
  } finally {
    if (list === results) moreLine.hidden = true;
  }
  if (list !== results) return;
  if (grid.results === list) grid.update();
  report();
  if (!list.found.length && list.complete) nothing(list);
}

/** A heading for screen readers in views that show none. @param {string} text */
function heading(text) {
  byId("heading").textContent = asShown(text);
  byId("heading").hidden = !text;
}

function report() {
  if (!results) return;
  const { found, complete, cut, sort } = results;
  const { readUnits, skipped, notes } = results.source;
  const photos = found.length === 1 ? "photo" : "photos";
  const order = sort === "confidence" ? "highest confidence first" : `${cut ? "those of the highest confidence, " : ""}sorted by key`;
  const outcome = complete && !found.length ? "No photo found" : `${found.length.toLocaleString()} ${photos}${complete ? "" : " so far"}, ${order}`;
  say([outcome, ...notes].map(asShown).join(". "));
  facets.show(results, wanted);
  const units = readUnits.toLocaleString(undefined, { maximumFractionDigits: 1 });
  byId("cost").textContent = `${units} read ${units === "1" ? "unit" : "units"}${skippedToo(skipped)}`;
}

/** Entries that another program wrote or changed. @param {number} skipped */
const skippedToo = (skipped) => (skipped ? `, ${skipped.toLocaleString()} unreadable ${skipped === 1 ? "entry" : "entries"} skipped` : "");

/** @param {Results} list */
function nothing(list) {
  heading(""); // the notice has one
  startView.hidden = false;
  startView.replaceChildren(
    nothingNotice(list.source, list.min, {
      replace: (from, to) => go({ ...state(), q: replaced(list.source.searched, from, to), photo: null }),
      ask: (q, prefix) => go({ ...state(), q, prefix, photo: null }),
      anyConfidence: () => go({ ...state(), min: 0, photo: null }),
    }),
  );
}

async function showStart() {
  scrollTo(0, 0);
  try {
    const [counted, { photos }] = await Promise.all([get("labels"), get("recent")]);
    if (shown?.q || shown?.view !== "photos") return;
    recent.found = photos;
    /** @type {Map<string, Picture>} */
    const pictures = new Map();
    const { view, places } = start(counted, photos, (key) => {
      const picture = new Picture((one) => cards.refresh(one), { preview: true });
      pictures.set(key, picture);
      return picture;
    });
    startView.replaceChildren(view);
    if (!view.querySelector("h2")) heading(""); // the notice has one
    startView.hidden = false;
    const labels = counted.labels.length;
    say(`${labels === 1 ? "1 label" : `${labels.toLocaleString()} labels`}${skippedToo(counted.skipped)}`);
    leaveStart(); // the same view, if it was opened twice
    const stopCovers = showCovers(places);
    leaveStart = () => {
      stopCovers();
      for (const picture of pictures.values()) picture.discard();
    };
    await Promise.all(cards.load([...pictures.keys()]));
    for (const [key, picture] of pictures) {
      const card = cards.peek(key);
      if (card && picture.element.isConnected) picture.show(card);
    }
  } catch (error) {
    fail(error, () => showList(state()));
  }
}

/** @param {unknown} error @param {() => void} again */
function fail(error, again) {
  if (!(error instanceof ApiError)) throw error;
  say("");
  const retry = () => {
    problem.hidden = true;
    again();
  };
  const ask = (/** @type {string} */ q) => go({ ...state(), q, photo: null });
  problem.replaceChildren(problemNotice(error.problem, { expression: shown?.q, retry, ask }));
  problem.hidden = false;
  if (error.problem.position !== null) {
    input.setAttribute("aria-invalid", "true");
    input.focus();
    const at = [...input.value].slice(0, error.problem.position).join("").length;
    input.setSelectionRange(at, at);
  }
}

/** @param {boolean} open */
function toggleHelp(open) {
  byId("help").hidden = !open;
  byId("help-button").setAttribute("aria-expanded", String(open));
}

byId("search").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  completions.close();
  const to = { ...state(), view: /** @type {const} */ ("photos"), q: input.value.trim(), prefix: filters.prefix, photo: null };
  forget(to); // a repeated search reads the tables again
  shown = null;
  go(to, { replace: href(to) === location.pathname + location.search });
});
byId("help-button").addEventListener("click", () => toggleHelp(byId("help").hidden));
document.addEventListener("click", (event) => {
  const link = /** @type {Element} */ (event.target).closest("a[data-nav]");
  if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(read(link));
});
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement && event.target.type === "text";
  if (event.key === "/" && !typing && !detail.key) {
    event.preventDefault();
    input.select();
  } else if (event.key === "Escape" && event.target instanceof Node && byId("help").contains(event.target)) toggleHelp(false);
});
addEventListener("popstate", () => {
  render();
});
addEventListener("scroll", () => {
  if (results && grid.results === results) results.scroll = scrollY;
}, { passive: true });

history.scrollRestoration = "manual";
get("about").then(({ bucket, labelsBy, console, upload, faces }) => {
  about = { bucket, console, faces };
  uploads.allow(upload);
  byId("tab-upload").hidden = !upload;
  byId("bucket").textContent = asShown(bucket);
  if (!labelsBy) return; // labels by AWS
  document.body.classList.add("emulated");
  for (const line of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".labels-by"))) {
    line.textContent = asShown(labelsBy);
    line.hidden = false;
  }
}, () => {}); // the first view reports the error
render();
if (!state().photo && matchMedia("(pointer: fine)").matches) input.focus({ preventScroll: true });
