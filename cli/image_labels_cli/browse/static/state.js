/**
 * The state of the page, kept in the address, so that back, forward, reload and bookmarks work.
 * @typedef {{view: "photos"|"rejected", q: string, prefix: string, photo: string|null}} State
 */

/** @param {URL|Location} address @returns {State} */
export function read(address) {
  const query = new URLSearchParams(address.search);
  return {
    view: query.get("view") === "rejected" ? "rejected" : "photos",
    q: (query.get("q") ?? "").trim(),
    prefix: query.get("prefix") ?? "",
    photo: query.get("photo"),
  };
}

/** @param {Partial<State>} state */
export function href(state) {
  const query = new URLSearchParams();
  if (state.view === "rejected") query.set("view", "rejected");
  for (const name of /** @type {const} */ (["q", "prefix", "photo"])) if (state[name]) query.set(name, state[name]);
  const text = query.toString();
  return text ? `/?${text}` : "/";
}

/** Whether two states show the same list. @param {State} one @param {State|null} other */
export const sameList = (one, other) =>
  other !== null && one.view === other.view && one.q === other.q && one.prefix === other.prefix;
