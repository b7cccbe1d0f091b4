// @ts-check
/** What this tab needs to take its conversation up again: kept for the tab only, as long as the server keeps it. */

const KEY = "visavis.call";

/**
 * @typedef {{session: string, token: string, persona: string, mode: "voice" | "text", language: string,
 *   muted: boolean, awayMs: number}} Saved awayMs: the server forgets a session whose caller is away for longer
 */

export class SessionStore {
  #storage;
  #wallMs;
  /** @type {Saved | null} */
  #current = null;

  /** @param {Storage | null} storage null where the browser keeps nothing @param {() => number} wallMs */
  constructor(storage, wallMs = Date.now) {
    this.#storage = storage;
    this.#wallMs = wallMs;
  }

  /** @param {Saved} saved */
  keep(saved) {
    this.#current = saved;
    try {
      this.#storage?.setItem(KEY, JSON.stringify({ ...saved, atMs: this.#wallMs() }));
    } catch {
      // A full or forbidden store: the call goes on, it only cannot survive a reload.
    }
  }

  /** The call still goes on: the time away begins anew. */
  touch() {
    if (this.#current) this.keep(this.#current);
  }

  /** @returns {Saved | null} null when there is none, or none the server could still have */
  recall() {
    try {
      const { atMs, ...saved } = JSON.parse(this.#storage?.getItem(KEY) ?? "null") ?? {};
      const whole = ["session", "token", "persona", "mode"].every((name) => typeof saved[name] === "string");
      return whole && this.#wallMs() - atMs < saved.awayMs ? saved : null;
    } catch {
      return null;
    }
  }

  forget() {
    this.#current = null;
    try {
      this.#storage?.removeItem(KEY);
    } catch {
      // Nothing was kept then.
    }
  }
}

/** The tab's own storage, or null where the browser refuses even to name it. */
export function tabStorage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}
