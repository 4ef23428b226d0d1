/*
 * The part of a photo that a frame of another shape shows. A position is the share of what is cut off that is cut off at
 * the left or at the top: 0 keeps the left or top edge in the frame, 0.5 the middle, and 1 the right or bottom edge.
 */

const PEOPLE = /^(person|human|people|man|woman|boy|girl|child|baby|adult|face|head)$/i;
const ABOVE = 0.04; // of the height, kept free above a head
const WITHOUT_BOXES = 0.25; // the subject of an upright photo is usually above the middle

/**
 * The boxes to keep in the frame: those of people, or else those of the most certain label that has any.
 * @param {import("./cards.js").Label[]} labels
 */
export function subjects(labels) {
  const boxed = labels.filter((label) => label.boxes.length);
  const people = boxed.filter((label) => [label.name, ...label.parents, ...label.aliases].some((name) => PEOPLE.test(name)));
  const [first] = boxed;
  return (people.length ? people : first ? [first] : []).flatMap((label) => label.boxes.map((box) => box.slice(0, 4)));
}

/**
 * The horizontal and vertical position. @param {number[][]} boxes left, top, width, height @param {number} ratio of the
 * photo's width to its height @param {number} frame the same of the frame @returns {[number, number]}
 */
export function placed(boxes, ratio, frame) {
  const seen = Math.min(1, ratio / frame); // share of the photo's height in the frame
  if (!boxes.length) return [0.5, seen < 0.95 ? WITHOUT_BOXES : 0.5];
  const left = Math.min(...boxes.map((box) => box[0]));
  const right = Math.max(...boxes.map((box) => box[0] + box[2]));
  const top = Math.max(0, Math.min(...boxes.map((box) => box[1])) - ABOVE);
  const bottom = Math.max(...boxes.map((box) => box[1] + box[3]));
  return [position((left + right) / 2, Math.min(1, frame / ratio)), position(Math.min((top + bottom) / 2, top + seen / 2), seen)];
}

/** @param {number} middle of what to show @param {number} seen share of the side in the frame */
const position = (middle, seen) => (seen >= 1 ? 0.5 : Math.min(1, Math.max(0, (middle - seen / 2) / (1 - seen))));
