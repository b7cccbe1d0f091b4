// @ts-check
/** What is behind the face, as a style: a colour, a picture of this server, or nothing. Pure but for `fetchBackdrops`. */

/**
 * @param {string} value as in an act: "#rrggbb", "transparent", a picture's name; "none" and all else is the default.
 *   Also the address of a picture on this server
 * @returns {{style: string, transparent: boolean}} style: for the CSS background; empty for the page's own
 */
export function backdrop(value) {
  if (/^#[0-9a-f]{6}$/i.test(value)) return { style: value, transparent: false };
  if (value === "transparent") return { style: "", transparent: true };
  if (/^[a-z0-9][\w-]{0,39}$/.test(value) && value !== "none") {
    return { style: `url("/backdrops/${value}")`, transparent: false };
  }
  if (isAddress(value)) return { style: `url("${value}")`, transparent: false };
  return { style: "", transparent: false };
}

/** A picture of this server, which an act cannot name. @param {string} value */
export function isAddress(value) {
  return /^\/(?!\/)[\w\-./]+\.(jpe?g|png|webp|avif)$/i.test(value) && !value.includes("..");
}

/** @returns {Promise<string[]>} the names of the pictures there are; none when the edge does not say */
export async function fetchBackdrops() {
  const response = await fetch("/backdrops", { headers: { accept: "application/json" } });
  const names = response.ok ? await response.json() : [];
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}
