import { el } from "./dom.js";

/** A button that copies a text, and says so. @param {string} name @param {string|(() => string)} text */
export function copyButton(name, text) {
  const button = el("button", { type: "button", class: "chip", onclick: () => copy() }, name);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "string" ? text : text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Cannot copy"; // the browser refused the permission
    }
    setTimeout(() => {
      button.textContent = name;
    }, 2000);
  };
  button.setAttribute("aria-live", "polite");
  return button;
}

/** A text in single quotes for a POSIX shell. @param {string} text */
export const shellWord = (text) => `'${text.replaceAll("'", "'\\''")}'`;
