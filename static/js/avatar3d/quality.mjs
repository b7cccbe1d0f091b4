// @ts-check
/** How finely the head is drawn: by what was asked, by who draws it, and by how long frames take. Pure. */

/** @typedef {"high" | "low"} Quality */

/** Drawn by the CPU: what such renderers call themselves. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** The larger side of the drawing in low quality, in pixels; smaller steps when that is still too slow. */
export const LOW_PX = [480, 320, 224];

/** The first frames compile shaders and upload shapes: they tell nothing. */
const WARM_UP_FRAMES = 12;
const WINDOW_FRAMES = 40;
/** Slower than 22 frames a second at high, 14 at low: lips no longer read. */
const SLOW_MS = { high: 45, low: 70 };

/**
 * @param {string} asked the address's `quality`: "high", "low" or anything for automatic
 * @param {string} renderer what WebGL says draws @returns {Quality}
 */
export function firstQuality(asked, renderer) {
  if (asked === "high" || asked === "low") return asked;
  return SOFTWARE.test(renderer) ? "low" : "high";
}

/** @param {string} renderer */
export function isSoftware(renderer) {
  return SOFTWARE.test(renderer);
}

/** Steps the quality down when frames come too slowly, never up: going back and forth would be seen. */
export class QualityWatch {
  /** @type {Quality} */
  quality;
  /** Index into LOW_PX. */
  step = 0;
  #fixed;
  #lastMs = NaN;
  #frames = 0;
  /** @type {number[]} */
  #intervals = [];

  /** @param {Quality} quality @param {boolean} fixed asked for by name: it stays */
  constructor(quality, fixed) {
    this.quality = quality;
    this.#fixed = fixed;
  }

  /**
   * A frame was drawn. @param {number} nowMs @returns {boolean} whether quality or step are others now
   */
  drawn(nowMs) {
    const interval = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    // A tab that was hidden draws nothing for a while; that is no slowness.
    if (++this.#frames <= WARM_UP_FRAMES || !(interval < 1000)) return false;
    this.#intervals.push(interval);
    if (this.#intervals.length < WINDOW_FRAMES) return false;
    const middle = this.#intervals.sort((a, b) => a - b)[WINDOW_FRAMES >> 1];
    this.#intervals = [];
    return middle > SLOW_MS[this.quality] && this.#down();
  }

  /** Where the next frames tell nothing about the speed. */
  settle() {
    this.#frames = 0;
    this.#intervals = [];
    this.#lastMs = NaN;
  }

  #down() {
    if (this.quality === "high") {
      if (this.#fixed) return false;
      this.quality = "low";
    } else if (this.step < LOW_PX.length - 1) this.step++;
    else return false;
    this.settle();
    return true;
  }
}

/**
 * The pixels drawn for a box on the page.
 * @param {number} width css pixels @param {number} height @param {number} ratio device pixels per css pixel
 * @param {{quality: Quality, step: number}} how @returns {{width: number, height: number}}
 */
export function drawnSize(width, height, ratio, { quality, step }) {
  const most = quality === "high" ? 1600 : LOW_PX[step];
  const scale = Math.min(quality === "high" ? Math.min(ratio, 2) : 1, most / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
