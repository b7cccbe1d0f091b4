// @ts-check
/** The mouth track as a page draws it: fifteen viseme weights at any programme sample. Pure. */

/** Oculus names, in the order of every mouth track. */
export const VISEMES = Object.freeze("sil PP FF TH DD kk CH SS nn RR aa E I O U".split(" "));

/** A mouth frame lasts as long as 480 samples at 48 kHz. */
export const MOUTH_FRAME_SAMPLES = 480;

/** Ten seconds: more than the page is ever ahead of its speaker. */
const MOST_FRAMES = 1000;

/**
 * @typedef {[sample: number, weights: number[], face: Record<string, number>, emotion: string]} MouthFrame
 * @typedef {{weights: number[], face: Record<string, number>, emotion: string}} Mouth
 *   weights: 0..1 in the order of VISEMES
 */

/** @type {Mouth} */
const CLOSED = Object.freeze({ weights: VISEMES.map((_, i) => (i ? 0 : 1)), face: {}, emotion: "" });

export class MouthTrack {
  /** @type {MouthFrame[]} in the order of their samples */
  #frames = [];

  /** Frames as the edge sends them; weights 0..255. What is not a frame is left out. @param {MouthFrame[]} frames */
  feed(frames) {
    for (const frame of frames) {
      const [sample, weights] = frame;
      if (!Number.isFinite(sample) || !Array.isArray(weights) || weights.length !== VISEMES.length) continue;
      // A successor may say again what was said: the newer word counts.
      while (this.#frames.length && /** @type {MouthFrame} */ (this.#frames.at(-1))[0] >= sample) this.#frames.pop();
      this.#frames.push(frame);
    }
    if (this.#frames.length > MOST_FRAMES) this.#frames.splice(0, this.#frames.length - MOST_FRAMES);
  }

  /**
   * The mouth at `sample`, between the two frames around it; closed where none is known. Forgets what lies before.
   * @param {number} sample @returns {Mouth}
   */
  at(sample) {
    let next = this.#frames.findIndex(([begin]) => begin > sample);
    if (next < 0) next = this.#frames.length;
    if (next > 1) {
      this.#frames.splice(0, next - 1);
      next = 1;
    }
    if (next === 0) return CLOSED;
    const [begin, weights, face, emotion] = this.#frames[0];
    if (sample - begin >= 2 * MOUTH_FRAME_SAMPLES) return CLOSED;
    const after = this.#frames[1] && this.#frames[1][0] - begin <= MOUTH_FRAME_SAMPLES ? this.#frames[1][1] : weights;
    const share = Math.min(1, (sample - begin) / MOUTH_FRAME_SAMPLES);
    return { weights: weights.map((weight, i) => (weight + (after[i] - weight) * share) / 255), face, emotion };
  }
}
