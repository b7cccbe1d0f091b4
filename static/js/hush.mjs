// @ts-check
/**
 * The avatar falls silent for the ear before the server's silence has travelled here: some 60 ms of sound are on
 * their way when a hold is told. Nothing of them is lost, for the programme goes on from the word that sounded before.
 */

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

  /** Whether nothing of the avatar can be heard now. */
  get silent() {
    return this.#held || this.#shut !== undefined;
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
    this.#element.volume = this.silent ? 0 : 1;
  }
}
