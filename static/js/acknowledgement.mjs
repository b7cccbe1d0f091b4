// @ts-check
/**
 * When to tell the edge what has been heard: with the first sound, four times a second while it goes on, and at once
 * when the avatar is interrupted. The dialogue keeps only what was acknowledged. Pure: time is an argument.
 */

const EVERY_MS = 250;

export class Acknowledgement {
  #sentMs = -Infinity;
  #sentRtp = -1;
  /** Where the page fell silent, while it is. @type {number | null | undefined} */
  #silentAt;

  /**
   * @param {number | null} heardRtp what is at the speaker now; null while nothing plays
   * @param {number} nowMs page time
   * @returns {{type: "played", rtp: number, t: number} | null} the message to send, if one is due
   */
  due(heardRtp, nowMs) {
    if (this.#silentAt !== undefined) heardRtp = this.#silentAt;
    if (heardRtp === null || heardRtp === this.#sentRtp || nowMs - this.#sentMs < EVERY_MS) return null;
    this.#sentMs = nowMs;
    this.#sentRtp = heardRtp;
    return { type: "played", rtp: heardRtp, t: nowMs };
  }

  /**
   * The page plays silence from here on: what is on its way is heard by nobody, and that is said at once.
   * @param {number | null} rtp the last that sounds; null: nothing did
   */
  silence(rtp) {
    this.#silentAt ??= rtp;
    this.hurry();
  }

  /** The page sounds again. */
  sound() {
    this.#silentAt = undefined;
  }

  /** The next one is due at once. */
  hurry() {
    this.#sentMs = -Infinity;
    this.#sentRtp = -1;
  }
}
