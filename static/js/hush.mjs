// @ts-check
/**
 * The avatar falls silent for the ear before the server's silence has travelled here: some 60 ms of sound are on
 * their way when a hold is told. The programme says again what was not heard of it. What comes after a cancelled answer
 * is a new one, which sounds from its first word on.
 */
import { AUDIO_SAMPLES_PER_MS, rtpAfter } from "./rtp.mjs";

/** Sound sent before the server's silence has been played by then, even on a slow network. */
const SHUT_FOR_MS = 500;
/** A page that draws slowly looks at its clock this late; so soon before its first word an answer is silent anyway. */
const EARLY_SAMPLES = 40 * AUDIO_SAMPLES_PER_MS;

export class Hush {
  #element;
  #changed;
  #silent = false;
  #held = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #shut;
  /** The newest turn of which a word was told, and that when it was shut. */
  #newest = -1;
  #cancelled = -1;
  /** When the first word after the cancelled ones sounds, once that is told. @type {number | null} */
  #nextWord = null;

  /**
   * @param {{volume: number}} element
   * @param {(silent: boolean) => void} changed called when it has fallen silent or sounds again
   */
  constructor(element, changed = () => {}) {
    this.#element = element;
    this.#changed = changed;
  }

  /** Whether nothing of the avatar can be heard now. */
  get silent() {
    return this.#held || this.isShut;
  }

  get isShut() {
    return this.#shut !== undefined;
  }

  /** A conversation begins, or goes on after a loss: its turns may be counted anew. */
  begin() {
    this.#newest = -1;
    this.open();
  }

  /** @param {boolean} held */
  hold(held) {
    this.#held = held;
    this.#apply();
  }

  /** Silence at once, until the next turn's words sound; without any, for as long as what is on its way may still sound. */
  shut() {
    clearTimeout(this.#shut);
    this.#shut = setTimeout(() => this.open(), SHUT_FOR_MS);
    this.#cancelled = this.#newest;
    this.#nextWord = null;
    this.#apply();
  }

  /** Words enter the programme. @param {Array<[turn: number, sentence: number, index: number, text: string, rtp: number, samples: number]>} words */
  words(words) {
    for (const [turn, , , , rtp] of words) {
      if (!Number.isFinite(turn) || !Number.isFinite(rtp)) continue;
      this.#newest = Math.max(this.#newest, turn);
      if (this.isShut && turn > this.#cancelled) this.#nextWord ??= rtp;
    }
  }

  /** @param {number | null} rtp what is handed to the sound output now; null while nothing plays */
  advance(rtp) {
    if (rtp === null || this.#nextWord === null) return;
    if (rtpAfter(rtp, this.#nextWord) >= -EARLY_SAMPLES) this.open();
  }

  open() {
    clearTimeout(this.#shut);
    this.#shut = undefined;
    this.#nextWord = null;
    this.#apply();
  }

  #apply() {
    const { silent } = this;
    this.#element.volume = silent ? 0 : 1;
    if (silent === this.#silent) return;
    this.#silent = silent;
    this.#changed(silent);
  }
}
