// @ts-check
/** What is behind the face, as a style: a colour, a picture of this server, or nothing. Pure. */

/**
 * @param {string} value "#rrggbb", "transparent" or "none", the address of a picture on this server; else the default
 * @returns {{style: string, transparent: boolean}} style: for the CSS background; empty for the page's own
 */
export function backdrop(value) {
  if (/^#[0-9a-f]{6}$/i.test(value)) return { style: value, transparent: false };
  if (/^\/(?!\/)[\w\-./]+\.(jpe?g|png|webp|avif)$/i.test(value) && !value.includes("..")) {
    return { style: `url("${value}")`, transparent: false };
  }
  return { style: "", transparent: value === "transparent" || value === "none" };
}
