// @ts-check
/**
 * The avatar falls silent for the ear before the server's silence has travelled here. On a hold the voice is only
 * lowered, for it may go on from the same word; when the person interrupts, it is shut off.
 */

/** Low enough to talk over, loud enough that no word is lost when the voice goes on. */
const HELD_VOLUME = 0.25;
/** Sound sent before the server's silence has been played by then, even on a slow network. */
const SHUT_FOR_MS = 500;

export class Hush {
  #element;
  #held = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #shut;

  /** @param {HTMLMediaElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** @param {boolean} held */
  hold(held) {
    this.#held = held;
    this.#apply();
  }

  /** Silence at once, for as long as what is on its way may still sound. */
  shut() {
    clearTimeout(this.#shut);
    this.#shut = setTimeout(() => this.open(), SHUT_FOR_MS);
    this.#apply();
  }

  open() {
    clearTimeout(this.#shut);
    this.#shut = undefined;
    this.#apply();
  }

  #apply() {
    this.#element.volume = this.#shut === undefined ? (this.#held ? HELD_VOLUME : 1) : 0;
  }
}
