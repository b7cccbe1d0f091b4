// @ts-check
/**
 * What the page's address asks for: `?persona=`, `?mode=voice|text`, `?language=`, `?front=2d|3d`, `?quality=low|high`
 * and `?background=` (a colour such as %23203040, or transparent). Pure.
 */

/** @typedef {import("./front.mjs").Shown} Shown */

/**
 * @param {string} search the address's query
 * @returns {{persona: string, mode: "voice" | "text", language: string}}
 */
export function wishOf(search) {
  const query = new URLSearchParams(search);
  return {
    persona: query.get("persona") ?? "",
    mode: query.get("mode") === "text" ? "text" : "voice",
    language: query.get("language") ?? "",
  };
}

/**
 * How the face is to be shown; empty where the address does not say.
 * @param {string} search @returns {{front: Shown | "", quality: string, background: string}}
 */
export function looksOf(search) {
  const query = new URLSearchParams(search);
  const front = { "3d": "avatar3d", "2d": "portrait" }[query.get("front")?.toLowerCase() ?? ""];
  return {
    front: /** @type {Shown | ""} */ (front ?? ""),
    quality: query.get("quality") ?? "",
    background: query.get("background") ?? "",
  };
}

/** The edge's WebSocket beside this page. @param {{protocol: string, host: string}} location */
export function socketAddress({ protocol, host }) {
  return `${protocol === "https:" ? "wss" : "ws"}://${host}/ws`;
}
