// @ts-check
/** A listener for what happens before anybody listens: its calls are kept, and made in their order once somebody does. */

/** @template {Record<string, (...what: any[]) => void>} Events */
export class Kept {
  /** Where it happens. @type {Events} */
  events;
  /** @type {Array<[name: keyof Events, what: any[]]>} */
  #calls = [];
  /** @type {Events | null} */
  #listener = null;

  /** @param {Array<keyof Events & string>} names */
  constructor(names) {
    const call = (/** @type {keyof Events} */ name) => (/** @type {any[]} */ ...what) => this.#call(name, what);
    this.events = /** @type {Events} */ (Object.fromEntries(names.map((name) => [name, call(name)])));
  }

  /** Not before whoever hands the listener over has done so. @param {Events} listener */
  to(listener) {
    queueMicrotask(() => {
      this.#listener = listener;
      for (const [name, what] of this.#calls.splice(0)) listener[name](...what);
    });
  }

  /** @param {keyof Events} name @param {any[]} what */
  #call(name, what) {
    if (this.#listener) this.#listener[name](...what);
    else this.#calls.push([name, what]);
  }
}
