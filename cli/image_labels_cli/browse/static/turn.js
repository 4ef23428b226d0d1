import { ApiError, get } from "./api.js";

/** @typedef {[number, number]} Point */

/**
 * For each EXIF orientation, the displayed position of a stored point; both as ratios of width and height.
 * @type {Record<number, (point: Point) => Point>}
 */
const SHOWN = {
  1: ([x, y]) => [x, y],
  2: ([x, y]) => [1 - x, y],
  3: ([x, y]) => [1 - x, 1 - y],
  4: ([x, y]) => [x, 1 - y],
  5: ([x, y]) => [y, x],
  6: ([x, y]) => [1 - y, x],
  7: ([x, y]) => [1 - y, 1 - x],
  8: ([x, y]) => [y, 1 - x],
};

/** @type {Promise<boolean>|undefined} */
let turning;

/** Whether this browser applies the EXIF orientation of a PNG. Not all do. */
function turnsPngs() {
  turning ??= new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image.naturalWidth === 1); // stored 2 pixels wide and 1 high, rotated by EXIF
    image.onerror = () => resolve(false);
    image.src = "/static/on-its-side.png";
  });
  return turning;
}

/**
 * The orientation in which the photo is shown and that Rekognition ignored; 1 if there is no difference. The server
 * rotates previews. This browser rotates the photo itself.
 * @param {import("./cards.js").Card} card @param {boolean} isPreview @returns {Promise<number>}
 */
export async function orientation(card, isPreview) {
  try {
    card.orientation ??= get("orientation", { key: card.key }).then((answer) => answer.orientation);
    const [stored, turns] = await Promise.all([card.orientation, isPreview || turnsPngs()]);
    return turns ? stored : 1;
  } catch (error) {
    if (error instanceof ApiError) return 1; // correct for nearly all photos
    throw error;
  }
}

/**
 * A box in the displayed orientation. @param {number[]} box left, top, width, height @param {number} orientation
 * @returns {[number, number, number, number]}
 */
export function turned([left, top, width, height], orientation) {
  const [x1, y1] = SHOWN[orientation]([left, top]);
  const [x2, y2] = SHOWN[orientation]([left + width, top + height]);
  return [Math.min(x1, x2), Math.min(y1, y2), Math.abs(x2 - x1), Math.abs(y2 - y1)];
}
