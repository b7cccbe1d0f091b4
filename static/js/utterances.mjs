// @ts-check
/** When the person's utterances began and ended, by the page's clock, as the edge tells it. Pure. */

/** Sound before the beginning of an utterance, which whoever finds it again needs. */
const BEFORE_MS = 700;

/** @typedef {{startMs: number, pausedMs: number, over: boolean}} Marks */

export class Utterances {
  /** @type {Map<number, Marks>} */
  #known = new Map();

  /** @param {{what: string, utterance: number, ago_ms: number}} speech @param {number} nowMs */
  take({ what, utterance, ago_ms }, nowMs) {
    const atMs = ago_ms < 0 ? nowMs : nowMs - ago_ms;
    const marks = this.#known.get(utterance) ?? { startMs: atMs, pausedMs: 0, over: false };
    if (what === "paused" || what === "over") marks.pausedMs = atMs;
    else if (what === "resumed") marks.pausedMs = 0;
    marks.over ||= what === "over";
    this.#known.set(utterance, marks);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= 16) break;
      this.#known.delete(oldest);
    }
  }

  forget() {
    this.#known.clear();
  }

  /**
   * From which instant on somebody new must hear what was spoken.
   * @param {number} first the first utterance that was not dealt with
   * @param {number} aliveMs the edge's last sign of life: what had begun long before it would have been told
   */
  unheardFromMs(first, aliveMs) {
    let fromMs = aliveMs;
    let throughMs = 0;
    for (const [number, { startMs, pausedMs, over }] of this.#known) {
      if (number >= first && !over) fromMs = Math.min(fromMs, startMs);
      else throughMs = Math.max(throughMs, pausedMs);
    }
    return Math.max(throughMs, fromMs - BEFORE_MS);
  }
}
