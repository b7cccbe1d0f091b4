// @ts-check
/** What the workshop found, put in order for a person. Pure. */

/**
 * @typedef {"good" | "note" | "warning" | "refusal"} Level
 * @typedef {{level: Level, code: string, text: string}} Finding
 * @typedef {object} Answer what the edge says; `error` where there is no report
 * @property {boolean} usable
 * @property {string} [kind]
 * @property {Finding[]} [findings]
 * @property {number[][]} [faces]
 * @property {string} [preview]
 * @property {string} [error]
 * @property {string} [code]
 * @property {string} [persona]
 * @property {string} [name]
 */

export const MARKS = /** @type {Record<Level, string>} */ ({ good: "✓", note: "i", warning: "!", refusal: "×" });

/**
 * Findings as they are shown: an error becomes a refusal, the long list of visemes is kept apart, and a good end is said.
 * @param {Answer} answer @returns {{shown: Finding[], details: string[]}}
 */
export function arranged(answer) {
  const error = answer.error;
  if (error) return { shown: [{ level: "refusal", code: answer.code ?? "error", text: error }], details: [] };
  const findings = answer.findings ?? [];
  const details = findings.filter(({ code }) => code === "viseme").map(({ text }) => text);
  const shown = findings.filter(({ code }) => code !== "viseme").map(asOnPage);
  const troubled = shown.some(({ level }) => level === "warning" || level === "refusal");
  const praised = shown.some(({ level }) => level === "good");
  if (answer.usable && !troubled && !praised) {
    shown.unshift({ level: "good", code: "good", text: "This will work." });
  }
  return { shown, details };
}

/** To be asked which face is meant is no refusal where one can choose. @param {Finding} finding @returns {Finding} */
function asOnPage({ level, code, text }) {
  return { level: code === "several_faces" && level === "refusal" ? "warning" : level, code, text: forPage(text) };
}

/** The command line's words are of no use here. @param {string} text */
export function forPage(text) {
  return text
    .replace(/ Say which one: .*?; or cut/, " Choose one below, or cut")
    .replace(/ \(--face \d+, counted from the left\)/, "")
    .replace("look at preview.png before", "look at the sheet below before");
}

/** How many faces there are to choose from; 0 when there is no choice. @param {Answer} answer */
export function choices(answer) {
  const asked = (answer.findings ?? []).some(({ code }) => code === "several_faces");
  return asked ? (answer.faces ?? []).length : 0;
}

/** A short name for files and addresses. @param {string} title as it is called on the page */
export function shortName(title) {
  return title
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
}

/** A title from a file's name, for a start. @param {string} file */
export function titleOf(file) {
  const stem = file.replace(/\.[^.]*$/, "").replace(/[_\-.]+/g, " ").trim();
  return /^(img|dsc|pxl|photo|image|screenshot|p|unnamed)?[ \d]*$/i.test(stem) ? "" : stem.replace(/(^|\s)\S/g, (first) => first.toUpperCase());
}
