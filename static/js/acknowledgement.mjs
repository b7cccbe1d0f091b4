// @ts-check
/**
 * When to tell the edge what has been heard: with the first sound, four times a second while it goes on, and at once
 * when the avatar is interrupted. The dialogue keeps only what was acknowledged. Pure: time is an argument.
 */

const EVERY_MS = 250;
/** A page that is silent on its own account says so often that it is still there: whoever should hear it may have died. */
const AGAIN_MS = 1000;

export class Acknowledgement {
  #sentMs = -Infinity;
  #sentRtp = -1;
  /** Where the page fell silent, while it is. @type {number | null} */
  #silentAt = null;

  /**
   * @param {number | null} heardRtp what is at the speaker now; null while nothing plays
   * @param {number} nowMs page time
   * @returns {{type: "played", rtp: number, t: number} | null} the message to send, if one is due
   */
  due(heardRtp, nowMs) {
    heardRtp = this.#silentAt ?? heardRtp;
    const moves = heardRtp !== this.#sentRtp;
    if (heardRtp === null || (!moves && this.#silentAt === null)) return null;
    if (nowMs - this.#sentMs < (moves ? EVERY_MS : AGAIN_MS)) return null;
    this.#sentMs = nowMs;
    this.#sentRtp = heardRtp;
    return { type: "played", rtp: heardRtp, t: nowMs };
  }

  /**
   * The page plays silence from here on: what is on its way is heard by nobody, and that is said at once.
   * @param {number | null} rtp the last that sounds; null: nothing did. Then what comes is acknowledged as ever: the
   *   avatar may be waiting for a page that is back, and only that tells it
   */
  silence(rtp) {
    this.#silentAt ??= rtp;
    this.hurry();
  }

  /** The page sounds again. */
  sound() {
    this.#silentAt = null;
  }

  /** The next one is due at once. */
  hurry() {
    this.#sentMs = -Infinity;
    this.#sentRtp = -1;
  }
}
