/**
 * The state of the page, kept in the address, so that back, forward, reload and bookmarks work.
 * @typedef {"photos"|"rejected"|"status"|"upload"} View
 * @typedef {"confidence"|"key"|"key-desc"} Sort
 * @typedef {{view: View, q: string, prefix: string, min: number, sort: Sort, photo: string|null}} State
 */

const VIEWS = /** @type {const} */ (["photos", "rejected", "status", "upload"]);
const SORTS = /** @type {const} */ (["confidence", "key", "key-desc"]);

/** @param {URL|Location|HTMLAnchorElement} address @returns {State} */
export function read(address) {
  const query = new URLSearchParams(address.search);
  const min = Math.round(Number(query.get("min")));
  return {
    view: VIEWS.find((view) => view === query.get("view")) ?? "photos",
    q: (query.get("q") ?? "").trim(),
    prefix: query.get("prefix") ?? "",
    min: min > 0 && min <= 100 ? min : 0,
    sort: SORTS.find((sort) => sort === query.get("sort")) ?? "confidence",
    photo: query.get("photo"),
  };
}

/** @param {Partial<State>} state */
export function href(state) {
  const query = new URLSearchParams();
  if (state.view && state.view !== "photos") query.set("view", state.view);
  for (const name of /** @type {const} */ (["q", "prefix", "photo"])) if (state[name]) query.set(name, state[name]);
  if (state.min) query.set("min", String(state.min));
  if (state.sort && state.sort !== "confidence") query.set("sort", state.sort);
  const text = query.toString();
  return text ? `/?${text}` : "/";
}

/** The name of the list that a state shows. @param {State} state */
export const listName = ({ q, prefix, min, sort }) => JSON.stringify([q, prefix, min, sort]);

/** Whether two states show the same list. @param {State} one @param {State|null} other */
export const sameList = (one, other) => other !== null && one.view === other.view && listName(one) === listName(other);
