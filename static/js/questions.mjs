// @ts-check
/** What each turn answers, for the timing that is told of it later. Pure. */

export class Questions {
  /** @type {Map<number, string>} */
  #asked = new Map();

  /** @param {number} turn @param {string} text */
  ask(turn, text) {
    this.#asked.set(turn, text);
  }

  /** Empty when this page does not know, or no longer. @param {number} turn */
  of(turn) {
    return this.#asked.get(turn) ?? "";
  }

  /** A turn is over: nothing more is told of those before it. @param {number} turn */
  over(turn) {
    for (const earlier of this.#asked.keys()) if (earlier < turn) this.#asked.delete(earlier);
  }

  clear() {
    this.#asked.clear();
  }
}
