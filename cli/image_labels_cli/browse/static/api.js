/**
 * An error of the server; see problems.py.
 * @typedef {{kind: string, title: string, advice: string, detail: string, position: number|null,
 *     suggestions?: string[]}} Problem
 */

export class ApiError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

const UNREACHABLE = {
  kind: "server",
  title: "The server of this page does not answer.",
  advice: "Start “image-labels browse” again, and open the address that it prints.",
  detail: "",
  position: null,
};

/**
 * @param {string} path
 * @param {Record<string, string|number|string[]|null|undefined>} parameters
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function get(path, parameters = {}, signal = undefined) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") query.append(name, String(one));
    }
  }
  let response;
  try {
    response = await fetch(`/api/${path}?${query}`, { signal, headers: { Accept: "application/json" } });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(UNREACHABLE);
  }
  if (response.ok) return response.json();
  if (response.headers.get("Content-Type")?.includes("json")) throw new ApiError(await response.json());
  throw new ApiError({
    ...UNREACHABLE,
    title: response.status === 403 ? "This page’s token is no longer valid." : UNREACHABLE.title,
    advice: response.status === 403 ? "Open the address that the running “image-labels browse” printed." : UNREACHABLE.advice,
    detail: `${response.status} ${response.statusText}`,
  });
}
