import { ApiError, get } from "./api.js";
import { el, later } from "./dom.js";
import { load, stop } from "./loading.js";

const AT_ONCE = 24;
const SETTLED_MS = 150;

/** @type {Map<string, string|null>} the preview of each label's best photo; null without one */
const known = new Map();

/**
 * Shows a photo beside each label that comes into view.
 * @param {Map<Element, string>} places an empty element for each cover, and its label
 * @returns {() => void} stops loading them
 */
export function showCovers(places) {
  /** @type {Set<Element>} */
  const inView = new Set();
  let asking = false;
  const fill = async () => {
    if (asking) return;
    asking = true;
    try {
      for (let some = missing(inView, places); some.length; some = missing(inView, places)) {
        const { covers } = await get("covers", { label: some });
        for (const label of some) known.set(label, covers[label]?.preview ?? null);
        for (const place of inView) draw(place, places.get(place) ?? "");
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // the labels are usable without covers
    } finally {
      asking = false;
    }
  };
  const soon = later(fill, SETTLED_MS);
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inView.add(target);
      else inView.delete(target);
      if (isIntersecting) draw(target, places.get(target) ?? "");
    }
    soon();
  }, { rootMargin: "100px" });
  for (const place of places.keys()) observer.observe(place);
  return () => {
    observer.disconnect();
    inView.clear();
    for (const { firstChild } of places.keys()) if (firstChild instanceof HTMLImageElement) stop(firstChild);
  };
}

/** @param {Set<Element>} inView @param {Map<Element, string>} places */
const missing = (inView, places) => [...inView].map((place) => places.get(place) ?? "").filter((label) => !known.has(label)).slice(0, AT_ONCE);

/** @param {Element} place @param {string} label */
function draw(place, label) {
  const address = known.get(label);
  if (!address || place.firstChild) return;
  const image = /** @type {HTMLImageElement} */ (el("img", { alt: "" }));
  image.onload = () => place.classList.add("shown");
  place.append(image);
  load(image, address);
}
