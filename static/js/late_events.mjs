// @ts-check
/**
 * A session's events for a page that plays some seconds behind: what happens at a moment is told when that moment is at
 * the speaker. Words and sentences are told at once, since captions wait for their time themselves. Pure but for a timer.
 */
import { rtpAfter } from "./rtp.mjs";

const AT_ONCE = new Set(["session", "audience", "words", "sentence", "mouth"]);

/** Nothing waits for longer once the session has ended. */
const LAST_MS = 15_000;
const MOST_WAITING = 2000;

export class LateEvents {
  #events;
  /** @type {Array<{rtp: number | null, tell: () => void}>} */
  #waiting = [];
  /** Something is being played. */
  #playing = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #last;

  /** @param {import("./event_line.mjs").EventLineEvents} events who is told */
  constructor(events) {
    this.#events = events;
  }

  /** For the line. @returns {import("./event_line.mjs").EventLineEvents} */
  get line() {
    return {
      message: (message) => this.#message(message),
      down: (attempts) => this.#events.down(attempts),
      refused: (status, text) => this.#refused(status, text),
    };
  }

  /** @param {number} heardRtp what is at the speaker now */
  advance(heardRtp) {
    this.#playing = true;
    while (this.#waiting.length) {
      const { rtp, tell } = this.#waiting[0];
      if (rtp === null || rtpAfter(heardRtp, rtp) < 0) return;
      this.#waiting.shift();
      tell();
    }
  }

  /** Nothing more comes to the speaker. */
  flush() {
    clearTimeout(this.#last);
    for (const { tell } of this.#waiting.splice(0)) tell();
  }

  /** @param {any} message */
  #message(message) {
    const now = AT_ONCE.has(message.type) || !Number.isFinite(message.rtp) || message.reason === "restart";
    if (now) return this.#events.message(message);
    this.#wait(message.rtp, () => this.#events.message(message));
    if (message.type === "ended") this.#finish();
  }

  /** @param {number} status @param {string} text */
  #refused(status, text) {
    if (!this.#playing) return this.#events.refused(status, text);
    this.#wait(null, () => this.#events.refused(status, text));
  }

  /** @param {number | null} rtp null: at the end @param {() => void} tell */
  #wait(rtp, tell) {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push({ rtp, tell });
    if (rtp === null) this.#finish();
  }

  #finish() {
    clearTimeout(this.#last);
    this.#last = setTimeout(() => this.flush(), LAST_MS);
  }
}
