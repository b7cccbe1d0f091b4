// @ts-check
/** What the page's address asks for: `?persona=`, `?mode=voice|text`, `?language=`, `?background=transparent`. Pure. */

/** @param {string} search the address's query @returns {{persona: string, mode: "voice" | "text", language: string}} */
export function wishOf(search) {
  const query = new URLSearchParams(search);
  return {
    persona: query.get("persona") ?? "",
    mode: query.get("mode") === "text" ? "text" : "voice",
    language: query.get("language") ?? "",
  };
}

/**
 * Whether the figure is to be laid over the page itself, without the background it came with.
 * @param {string} search the address's query
 */
export function asksForFigure(search) {
  return new URLSearchParams(search).get("background") === "transparent";
}

/** The edge's WebSocket beside this page. @param {{protocol: string, host: string}} location */
export function socketAddress({ protocol, host }) {
  return `${protocol === "https:" ? "wss" : "ws"}://${host}/ws`;
}
