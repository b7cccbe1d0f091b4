// @ts-check
/**
 * A session's events from the edge: server-sent events read by `fetch`, which can bear a token where `EventSource`
 * cannot. Comes back by itself; says why when coming back cannot help. It knows nothing of what the events mean.
 */
import { waitMs } from "./backoff.mjs";

/** The edge sends something at least every ten seconds; a line that is silent for longer is dead. */
const DEAD_AFTER_MS = 25_000;

/**
 * @typedef {object} EventLineEvents
 * @property {(message: any) => void} message
 * @property {(attempts: number) => void} down the line was lost (1), or could not be had again (2 and more)
 * @property {(status: number, text: string) => void} refused the edge has nothing to show: trying again is useless
 */

export class EventLine {
  #url;
  #token;
  #events;
  #attempts = 0;
  #wanted = false;
  /** @type {AbortController | null} */
  #abort = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #watch;

  /** @param {string} url @param {string} token empty: none @param {EventLineEvents} events */
  constructor(url, token, events) {
    this.#url = url;
    this.#token = token;
    this.#events = events;
  }

  /** Harmless twice. */
  open() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#connect();
  }

  close() {
    this.#wanted = false;
    clearTimeout(this.#retry);
    clearTimeout(this.#watch);
    this.#abort?.abort();
    this.#abort = null;
  }

  /** The network is back, or the page is looked at again: do not sit out the wait. */
  nudge() {
    if (this.#wanted && !this.#abort) this.#connect();
  }

  async #connect() {
    clearTimeout(this.#retry);
    const abort = (this.#abort = new AbortController());
    try {
      /** @type {Record<string, string>} */
      const headers = { accept: "text/event-stream" };
      if (this.#token) headers.authorization = `Bearer ${this.#token}`;
      const response = await fetch(this.#url, { headers, cache: "no-store", signal: abort.signal });
      if (!response.ok || !response.body) {
        const text = await response.text();
        if (response.status < 500 && response.status !== 429) return this.#refused(response.status, text);
        throw new Error(`${response.status} ${text}`);
      }
      await this.#read(response.body);
    } catch {
      // Whatever it was: the line is down, and is tried again below.
    }
    if (abort === this.#abort) this.#lost();
  }

  /** @param {ReadableStream<Uint8Array>} body */
  async #read(body) {
    const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
    let rest = "";
    for (;;) {
      this.#alive();
      const { value, done } = await reader.read();
      if (done || !this.#wanted) return;
      const { messages, rest: left } = parsed(rest + value);
      rest = left;
      for (const message of messages) {
        this.#attempts = 0;
        this.#events.message(message);
      }
    }
  }

  #alive() {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#abort?.abort(), DEAD_AFTER_MS);
  }

  #lost() {
    clearTimeout(this.#watch);
    this.#abort = null;
    if (!this.#wanted) return;
    this.#retry = setTimeout(() => this.#connect(), waitMs(this.#attempts++, Math.random()));
    this.#events.down(this.#attempts);
  }

  /** @param {number} status @param {string} text */
  #refused(status, text) {
    this.close();
    this.#events.refused(status, text.trim());
  }
}

/**
 * Whole events out of what has come; what is not JSON with a type is left out. Pure.
 * @param {string} text @returns {{messages: any[], rest: string}} rest: the beginning of the next one
 */
export function parsed(text) {
  const blocks = text.split("\n\n");
  const rest = /** @type {string} */ (blocks.pop());
  const messages = [];
  for (const block of blocks) {
    const data = block
      .split("\n")
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice(5).trimStart())
      .join("\n");
    if (!data) continue;
    try {
      const message = JSON.parse(data);
      if (typeof message?.type === "string") messages.push(message);
    } catch {
      // Half a message of an edge that died: the next line begins anew.
    }
  }
  return { messages, rest };
}
