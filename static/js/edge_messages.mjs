// @ts-check
/** What the edge's messages must hold before the page acts on them; those of a type it does not know pass. Pure. */

/**
 * Required fields by message type, with what `typeof` says of them; `list` for arrays.
 * @type {Record<string, Record<string, string>>}
 */
const FIELDS = {
  session: { session: "string", token: "string", ice: "list", persona: "object", dialogue: "list", away_s: "number" },
  answer: { sdp: "string" },
  state: { state: "string" },
  heard: { utterance: "number", text: "string", final: "boolean" },
  speech: { what: "string", utterance: "number", ago_ms: "number" },
  user: { text: "string" },
  sentence: { turn: "number", n: "number", text: "string" },
  words: { words: "list" },
  mouth: { frames: "list" },
  turn: { turn: "number", what: "string" },
  latency: { turn: "number", total_ms: "number", steps: "list" },
  degraded: { step: "string" },
  recording: { state: "string", by: "string", text: "string" },
  error: { code: "string" },
  switched: { persona: "object", language: "string" },
};

/** @param {any} message an object with a type */
export function wellFormed(message) {
  const fields = Object.hasOwn(FIELDS, message.type) ? FIELDS[message.type] : {};
  return Object.entries(fields).every(([name, kind]) =>
    kind === "list" ? Array.isArray(message[name]) : typeof message[name] === kind && message[name] !== null,
  );
}
