// @ts-check
/** The people one can talk to, as the edge lists them, and which one a link asks for. Pure but for `fetchPersonas`. */

/**
 * @typedef {{id: string, name: string, description: string, languages: string[], suggestions: string[],
 *   poster: string, motion: number, model: string, light: string, front: "portrait" | "avatar3d", recording: "every" | "button" | "no"}} Persona
 *   poster, model, light: addresses of a picture, a 3D head, and what low quality draws of it; empty when there is none;
 *   front: what is shown first; motion: how much it moves by itself, 0..1; recording: every conversation is, the page has
 *   a button for it, or neither
 */

/** @returns {Promise<Persona[]>} throws when the edge does not answer or answers with something else */
export async function fetchPersonas() {
  const response = await fetch("/personas", { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`/personas answered ${response.status}`);
  return personaList(await response.json());
}

/**
 * Entries without an id are left out; missing fields get harmless values.
 * @param {unknown} body a list, or an object whose `personas` is one @returns {Persona[]}
 */
export function personaList(body) {
  const list = Array.isArray(body) ? body : /** @type {any} */ (body)?.personas;
  if (!Array.isArray(list)) throw new TypeError("/personas is not a list");
  return list.filter((entry) => typeof entry?.id === "string" && entry.id).map(persona);
}

/** @param {any} entry from outside: every field may be missing @returns {Persona} */
export function persona(entry) {
  const words = (/** @type {unknown} */ value) =>
    Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  const model = typeof entry.model === "string" ? entry.model : "";
  return {
    id: String(entry.id ?? ""),
    name: typeof entry.name === "string" && entry.name ? entry.name : String(entry.id ?? ""),
    description: typeof entry.description === "string" ? entry.description : "",
    languages: words(entry.languages),
    suggestions: words(entry.suggestions),
    poster: typeof entry.poster === "string" ? entry.poster : "",
    motion: typeof entry.motion === "number" ? entry.motion : 1,
    model,
    light: model && typeof entry.light === "string" ? entry.light : "",
    recording: entry.recording === "every" || entry.recording === "button" ? entry.recording : "no",
    front: model && entry.front === "avatar3d" ? "avatar3d" : "portrait",
  };
}

/**
 * The one a link names, else the first. Null when there is none, or none by that name.
 * @param {Persona[]} list @param {string} asked
 */
export function chosen(list, asked) {
  return (asked ? list.find(({ id }) => id === asked) : list[0]) ?? null;
}

/** For a face without a picture. @param {string} name */
export function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return words
    .slice(0, 2)
    .map((word) => [...word][0].toLocaleUpperCase())
    .join("");
}

/** A language tag in the reader's own words. @param {string} tag */
export function languageName(tag) {
  try {
    return new Intl.DisplayNames(undefined, { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
