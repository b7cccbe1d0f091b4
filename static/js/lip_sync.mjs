// @ts-check
/**
 * Keeps the picture with the sound that is heard. Browsers leave up to 30 ms either way, and hold the sound back for the
 * picture; here sound comes as soon as it can, and the picture is held back or let go until it fits. Only a picture that
 * is far too late makes the sound wait. Pure: time is an argument.
 */

/** Offsets smaller than this are left alone: measuring one picture is good to about half of it. */
const CLOSE_ENOUGH_MS = 5;
/** What part of an offset is taken out at a time: buffers take a while to follow. */
const GAIN = 0.5;
const EVERY_MS = 700;
/** Pictures looked at: about the last second's. */
const WINDOW = 24;
const FEWEST = 6;
/** Somebody who looks closely sees lips that are later than this (ITU-R BT.1359 gives 125 ms for most people). */
const LATE_MS = 45;
const MOST_MS = 400;

export class LipSync {
  /** How long each is held back at least, in ms. */
  pictureMs = 0;
  soundMs = 0;
  /** @type {number[]} */
  #late = [];
  #adjustedMs = -Infinity;

  /** @param {number} lateMs by how much a picture was shown after its sound; negative: before it */
  observe(lateMs) {
    if (!Number.isFinite(lateMs) || Math.abs(lateMs) > 2000) return;
    this.#late.push(lateMs);
    if (this.#late.length > WINDOW) this.#late.shift();
  }

  /** The middle of the last second's offsets, or null. */
  get offsetMs() {
    if (this.#late.length < FEWEST) return null;
    return [...this.#late].sort((a, b) => a - b)[this.#late.length >> 1];
  }

  /**
   * @param {number} nowMs
   * @returns {boolean} whether `pictureMs` or `soundMs` changed
   */
  adjust(nowMs) {
    const late = this.offsetMs;
    if (late === null || nowMs - this.#adjustedMs < EVERY_MS || Math.abs(late) < CLOSE_ENOUGH_MS) return false;
    this.#adjustedMs = nowMs;
    const before = [this.pictureMs, this.soundMs];
    if (late < 0) {
      // Too early: first the sound stops waiting, then the picture begins to.
      const given = Math.min(this.soundMs, -late * GAIN);
      this.soundMs -= given;
      this.pictureMs = Math.min(MOST_MS, this.pictureMs - late * GAIN - given);
    } else {
      const taken = Math.min(this.pictureMs, late * GAIN);
      this.pictureMs -= taken;
      if (!this.pictureMs && late > LATE_MS) this.soundMs = Math.min(MOST_MS, this.soundMs + (late - LATE_MS) * GAIN);
    }
    // What was measured before the change says nothing about what comes after it.
    this.#late.length = 0;
    return before[0] !== this.pictureMs || before[1] !== this.soundMs;
  }

  /** A new call has new buffers. */
  reset() {
    this.pictureMs = this.soundMs = 0;
    this.#late.length = 0;
    this.#adjustedMs = -Infinity;
  }
}
