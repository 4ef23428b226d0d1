/*
 * Loads previews a few at a time. A browser opens six connections to a server, and a preview may take seconds to make:
 * the rest stays free for searches. The photos that came into view last are loaded first.
 */

const AT_ONCE = 4;

/** @type {Map<HTMLImageElement, string>} the images that wait, and their addresses */
const waiting = new Map();
/** @type {Set<HTMLImageElement>} */
const loading = new Set();

/** @param {HTMLImageElement} image @param {string} address */
export function load(image, address) {
  stop(image);
  waiting.set(image, address);
  next();
}

/** Stop loading, or waiting to load, an image. @param {HTMLImageElement} image */
export function stop(image) {
  waiting.delete(image);
  if (!loading.has(image)) return;
  image.removeAttribute("src");
  done(image);
}

function next() {
  for (const [image, address] of [...waiting].reverse()) {
    if (loading.size >= AT_ONCE) return;
    waiting.delete(image);
    loading.add(image);
    const settled = () => done(image);
    image.addEventListener("load", settled, { once: true });
    image.addEventListener("error", settled, { once: true });
    image.src = address;
  }
}

/** @param {HTMLImageElement} image */
function done(image) {
  if (loading.delete(image)) next();
}
