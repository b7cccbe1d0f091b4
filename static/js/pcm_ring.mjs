// @ts-check
/** The last half minute of the microphone, in 20 ms frames with the page's time of each. Pure. */

export const RATE_HZ = 16_000;
const FRAME_MS = 20;
const KEPT = 1500;
/**
 * A frame that comes so late may follow on the last one all the same: a busy page gets several in a clump. When all of a
 * second's frames are late, the sound itself was interrupted, and what was before it does not belong to it.
 */
const LATE_MS = 500;
const INTERRUPTED = 50;

export class PcmRing {
  /** @type {Int16Array[]} */
  #frames = [];
  /** The number of the oldest frame kept. */
  #first = 0;
  #endMs = 0;
  /** So many frames in a row were late. */
  #late = 0;

  /** @param {Int16Array} frame 320 samples @param {number} nowMs when it came: its end, and a little more */
  push(frame, nowMs) {
    if (!this.#frames.length) this.#endMs = nowMs - FRAME_MS;
    this.#endMs = Math.min(nowMs, this.#endMs + FRAME_MS + 1);
    this.#late = nowMs - this.#endMs > LATE_MS ? this.#late + 1 : 0;
    this.#frames.push(frame);
    if (this.#late >= INTERRUPTED) {
      this.#first += this.#frames.length - INTERRUPTED;
      this.#frames = this.#frames.slice(-INTERRUPTED);
      this.#endMs = nowMs;
      this.#late = 0;
    }
    if (this.#frames.length > KEPT) {
      this.#frames.shift();
      this.#first++;
    }
  }

  clear() {
    this.#late = 0;
    this.#first += this.#frames.length;
    this.#frames = [];
  }

  /** The number that the next frame will have. */
  get end() {
    return this.#first + this.#frames.length;
  }

  get keptMs() {
    return this.#frames.length * FRAME_MS;
  }

  /** The frame that was heard at an instant, or the oldest kept. @param {number} ms */
  at(ms) {
    const back = Math.ceil((this.#endMs - ms) / FRAME_MS);
    return Math.min(this.end, Math.max(this.#first, this.end - back));
  }

  /** When a frame began. @param {number} number */
  startMs(number) {
    return this.#endMs - (this.end - number) * FRAME_MS;
  }

  /**
   * Sound from a frame on; what is no longer kept is left out.
   * @param {number} number @param {number} most frames
   * @returns {{samples: Int16Array, next: number}}
   */
  read(number, most) {
    const from = Math.max(0, number - this.#first);
    const frames = this.#frames.slice(from, from + most);
    const samples = new Int16Array(frames.reduce((sum, frame) => sum + frame.length, 0));
    let at = 0;
    for (const frame of frames) {
      samples.set(frame, at);
      at += frame.length;
    }
    return { samples, next: this.#first + from + frames.length };
  }
}
