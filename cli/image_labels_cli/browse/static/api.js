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
  return (await answer(path, parameters, { signal, headers: { Accept: "application/json" } })).json();
}

/**
 * Send a file, and read the reports of the server, which are lines of JSON.
 * @param {string} path @param {Record<string, string|null>} parameters @param {Blob} body
 * @param {(line: any) => void} report
 */
export async function put(path, parameters, body, report) {
  const response = await answer(path, parameters, { method: "PUT", body, headers: { "Content-Type": "application/octet-stream" } });
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let last = {};
  for (let part = await read(reader); !part.done; part = await read(reader)) {
    const lines = (rest + part.value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) report((last = JSON.parse(line)));
  }
  if (!("etag" in last)) throw new ApiError(UNREACHABLE); // the server stopped before the end
}

/** @param {ReadableStreamDefaultReader<string>} reader @returns {Promise<ReadableStreamReadResult<string>>} */
const read = (reader) => reader.read().catch(() => Promise.reject(new ApiError(UNREACHABLE)));

/**
 * @param {string} path @param {Record<string, string|number|string[]|null|undefined>} parameters @param {RequestInit} request
 * @returns {Promise<Response>} raises ApiError unless it is a success
 */
async function answer(path, parameters, request) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") query.append(name, String(one));
    }
  }
  let response;
  try {
    response = await fetch(`/api/${path}?${query}`, request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(UNREACHABLE);
  }
  if (response.ok) return response;
  if (response.headers.get("Content-Type")?.includes("json")) throw new ApiError(await response.json());
  throw new ApiError({
    ...UNREACHABLE,
    title: response.status === 403 ? "This page’s token is no longer valid." : UNREACHABLE.title,
    advice: response.status === 403 ? "Open the address that the running “image-labels browse” printed." : UNREACHABLE.advice,
    detail: `${response.status} ${response.statusText}`,
  });
}
