// @ts-check
/** The last half minute of the microphone, in 20 ms frames with the page's time of each. Pure. */

export const RATE_HZ = 16_000;
const FRAME_MS = 20;
const KEPT = 1500;
/** Frames that come so late after the last one do not follow on it: the sound was interrupted. */
const INTERRUPTED_MS = 500;

export class PcmRing {
  /** @type {Int16Array[]} */
  #frames = [];
  /** The number of the oldest frame kept. */
  #first = 0;
  #endMs = 0;

  /** @param {Int16Array} frame 320 samples @param {number} nowMs when it came: its end, and a little more */
  push(frame, nowMs) {
    if (this.#frames.length && nowMs - this.#endMs > INTERRUPTED_MS) this.clear();
    // Frames that were delivered in a clump lie in order, each 20 ms after the one before.
    this.#endMs = this.#frames.length ? Math.min(nowMs, this.#endMs + FRAME_MS + 1) : nowMs;
    this.#frames.push(frame);
    if (this.#frames.length > KEPT) {
      this.#frames.shift();
      this.#first++;
    }
  }

  clear() {
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
