// @ts-check
/**
 * The avatar falls silent for the ear before the server's silence has travelled here: some 60 ms of sound are on
 * their way when a hold is told. The programme says again what was not heard of it.
 */

/** Sound sent before the server's silence has been played by then, even on a slow network. */
const SHUT_FOR_MS = 500;

export class Hush {
  #element;
  #changed;
  #silent = false;
  #held = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #shut;

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
    const { silent } = this;
    this.#element.volume = silent ? 0 : 1;
    if (silent === this.#silent) return;
    this.#silent = silent;
    this.#changed(silent);
  }
}
