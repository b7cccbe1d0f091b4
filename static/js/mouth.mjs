// @ts-check
/** The mouth track as a page draws it: fifteen viseme weights and the face at any programme sample. Pure. */

/** Oculus names, in the order of every mouth track. */
export const VISEMES = Object.freeze("sil PP FF TH DD kk CH SS nn RR aa E I O U".split(" "));

/** The edge sends one frame a tick of the programme, 20 ms at 48 kHz … */
export const TICK_SAMPLES = 960;
/** … dated by the tick's first sample, and true in its middle. */
const MIDDLE_SAMPLES = 480;

/** Twenty seconds: more than the page is ever ahead of its speaker. */
const MOST_FRAMES = 1000;

/**
 * @typedef {[sample: number, weights: number[], face: Record<string, number>, emotion: string]} MouthFrame
 * @typedef {{weights: number[], face: Record<string, number>, emotion: string, known: boolean}} Mouth
 *   weights: 0..1 in the order of VISEMES; known: the programme said so; else this is a mouth at rest
 */

/** @type {Mouth} */
export const CLOSED = Object.freeze({
  weights: VISEMES.map((_, i) => (i ? 0 : 1)),
  face: Object.freeze({}),
  emotion: "",
  known: false,
});

export class MouthTrack {
  /** @type {MouthFrame[]} in the order of their samples */
  #frames = [];

  /** Frames as the edge sends them; weights 0..255. What is not a frame is left out. @param {MouthFrame[]} frames */
  feed(frames) {
    for (const frame of frames) {
      if (!Array.isArray(frame)) continue;
      const [sample, weights] = frame;
      if (!Number.isFinite(sample) || !Array.isArray(weights) || weights.length !== VISEMES.length) continue;
      // A successor may say again what was said: the newer word counts.
      while (this.#frames.length && /** @type {MouthFrame} */ (this.#frames.at(-1))[0] >= sample) this.#frames.pop();
      this.#frames.push(frame);
    }
    if (this.#frames.length > MOST_FRAMES) this.#frames.splice(0, this.#frames.length - MOST_FRAMES);
  }

  /** The programme sample of the newest frame, near which all others lie; null before the first. */
  get newest() {
    return this.#frames.at(-1)?.[0] ?? null;
  }

  clear() {
    this.#frames = [];
  }

  /**
   * The mouth at `sample`, between the two frames around it; closed where none is known. Forgets what lies before.
   * @param {number} sample @returns {Mouth}
   */
  at(sample) {
    const at = sample - MIDDLE_SAMPLES;
    let next = this.#frames.findIndex(([begin]) => begin > at);
    if (next < 0) next = this.#frames.length;
    if (next > 1) {
      this.#frames.splice(0, next - 1);
      next = 1;
    }
    const before = next ? this.#frames[0] : null;
    const after = this.#frames[next] ?? null;
    if (before && after && after[0] - before[0] <= TICK_SAMPLES) {
      return between(before, after, (at - before[0]) / (after[0] - before[0]));
    }
    if (before && at - before[0] <= TICK_SAMPLES) return between(before, before, 0);
    if (after && after[0] - at <= MIDDLE_SAMPLES) return between(after, after, 0);
    return CLOSED;
  }
}

/** @param {MouthFrame} before @param {MouthFrame} after @param {number} share 0..1 @returns {Mouth} */
function between([, from, face, emotion], [, to, faceTo], share) {
  const weights = from.map((weight, i) => (weight + (to[i] - weight) * share) / 255);
  /** @type {Record<string, number>} */
  const mixed = {};
  for (const [name, value] of Object.entries(face ?? {})) {
    mixed[name] = value + ((faceTo?.[name] ?? value) - value) * share;
  }
  return { weights, face: mixed, emotion: emotion ?? "", known: true };
}
