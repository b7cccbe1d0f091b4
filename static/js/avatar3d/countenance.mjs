// @ts-check
/**
 * What the head does at an instant: the programme's face, smoothed to the display's rate – and a life of its own
 * (breath, blinks) where the programme says nothing, so that it never freezes. Pure: time is an argument.
 */

/** How fast each follows its target: the time to 63 % of the way, ms. */
const POSE_MS = 70;
const GAZE_MS = 25;
const BROWS_MS = 60;
const EMOTION_MS = 220;
/** A mouth that is broken off closes this fast; one the programme speaks of is never slowed. */
const CLOSE_MS = 35;

/** Furthest the head goes, rad: what lies beyond looks broken on most rigs. */
const MOST_POSE = { yaw: 0.6, pitch: 0.45, roll: 0.4 };

const BREATH_MS = 3900;
const BLINK_MS = 180;
const BLINK_EVERY_MS = 4100;

/**
 * @typedef {object} Look
 * @property {number[]} weights 15 viseme weights, 0..1
 * @property {number} blink 0..1
 * @property {number} gazeX -1..1, to the picture's right @property {number} gazeY -1..1, up
 * @property {number} yaw rad, to the picture's right @property {number} pitch rad, up
 * @property {number} roll rad, clockwise as seen
 * @property {number} brows -1..1 @property {number} breath 0..1
 * @property {Record<string, number>} emotions strength 0..1 of each that shows
 */

export class Countenance {
  #atMs = NaN;
  #yaw = 0;
  #pitch = 0;
  #roll = 0;
  #gazeX = 0;
  #gazeY = 0;
  #brows = 0;
  /** @type {number[]} */
  #weights = [];
  /** @type {Record<string, number>} */
  #emotions = {};

  /**
   * The look at `nowMs`, later than at the last call.
   * @param {import("../mouth.mjs").Mouth} mouth @param {number} nowMs @returns {Look}
   */
  at({ weights, face, emotion, known }, nowMs) {
    const elapsedMs = Number.isFinite(this.#atMs) ? Math.max(0, nowMs - this.#atMs) : Infinity;
    this.#atMs = nowMs;
    const pose = share(elapsedMs, POSE_MS);
    this.#yaw += pose * (limited(face.yaw, MOST_POSE.yaw) - this.#yaw);
    this.#pitch += pose * (limited(face.pitch, MOST_POSE.pitch) - this.#pitch);
    this.#roll += pose * (limited(face.roll, MOST_POSE.roll) - this.#roll);
    const gaze = share(elapsedMs, GAZE_MS);
    this.#gazeX += gaze * (limited(face.gaze_x, 1) - this.#gazeX);
    this.#gazeY += gaze * (limited(face.gaze_y, 1) - this.#gazeY);
    this.#brows += share(elapsedMs, BROWS_MS) * (limited(face.brows, 1) - this.#brows);
    this.#feel(emotion, Math.max(0, limited(face.emotion_strength, 1)), share(elapsedMs, EMOTION_MS));
    const close = known || !this.#weights.length ? 1 : share(elapsedMs, CLOSE_MS);
    this.#weights = weights.map((weight, i) => weight * close + (this.#weights[i] ?? 0) * (1 - close));
    return {
      weights: this.#weights,
      blink: known ? Math.max(0, limited(face.blink, 1)) : blinkAt(nowMs),
      gazeX: this.#gazeX,
      gazeY: this.#gazeY,
      yaw: this.#yaw,
      pitch: this.#pitch,
      roll: this.#roll,
      brows: this.#brows,
      breath: known ? Math.max(0, limited(face.breath, 1)) : breathAt(nowMs),
      emotions: this.#emotions,
    };
  }

  /** @param {string} emotion @param {number} strength @param {number} step */
  #feel(emotion, strength, step) {
    const shown = new Set([...Object.keys(this.#emotions), emotion]);
    /** @type {Record<string, number>} */
    const next = {};
    for (const name of shown) {
      const before = this.#emotions[name] ?? 0;
      const after = before + step * ((name === emotion ? strength : 0) - before);
      if (name && after > 0.004) next[name] = after;
    }
    this.#emotions = next;
  }
}

/** The part of its way that something goes in `elapsedMs`. @param {number} elapsedMs @param {number} timeMs */
function share(elapsedMs, timeMs) {
  return 1 - Math.exp(-elapsedMs / timeMs);
}

/** @param {unknown} value what is no number is 0 @param {number} most */
function limited(value, most) {
  return typeof value === "number" && Number.isFinite(value) ? Math.min(most, Math.max(-most, value)) : 0;
}

/** @param {number} nowMs */
function breathAt(nowMs) {
  return 0.5 - 0.5 * Math.cos((2 * Math.PI * nowMs) / BREATH_MS);
}

/** A blink in each stretch of time, at another place in each. @param {number} nowMs */
function blinkAt(nowMs) {
  const stretch = Math.floor(nowMs / BLINK_EVERY_MS);
  const place = Math.abs(Math.sin(stretch * 12.9898) * 43758.5453) % 1;
  const into = nowMs - stretch * BLINK_EVERY_MS - place * (BLINK_EVERY_MS - BLINK_MS);
  return into > 0 && into < BLINK_MS ? Math.sin((Math.PI * into) / BLINK_MS) ** 0.6 : 0;
}
