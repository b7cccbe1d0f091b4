// @ts-check
/** Loudness for the eye: root mean square on a decibel scale, quick to rise and slow to fall. Pure. */

const FLOOR_DB = -60;
const CEILING_DB = -12;
const FALL_PER_MS = 0.004;

/** @param {Float32Array} samples -1..1 @returns {number} 0 (silence) to 1 (loud) */
export function loudness(samples) {
  if (!samples.length) return 0;
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const db = 10 * Math.log10(sum / samples.length + 1e-12);
  return Math.min(1, Math.max(0, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
}

/** @param {number} shown what the meter shows @param {number} now the loudness now @param {number} elapsedMs */
export function settled(shown, now, elapsedMs) {
  return Math.max(now, shown - FALL_PER_MS * elapsedMs, 0);
}
