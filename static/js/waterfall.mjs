// @ts-check
/** The latency record of a turn as bars on one time axis. Pure. */

/**
 * @typedef {{turn: number, total_ms: number, steps: Array<{name: string, from_ms: number, ms: number}>,
 *   work?: Array<{name: string, ms: number}>, speculated?: boolean, saved_ms?: number, wasted?: number}} LatencyRecord
 * @typedef {{name: string, label: string, ms: number, left: number, width: number}} Bar left and width in percent
 */

const LABELS = new Map([
  ["end_of_turn", "Noticing you had finished"],
  ["final_words", "Final words"],
  ["first_sentence", "Finding the answer"],
  ["first_pcm", "First sound of the voice"],
  ["first_tick", "Into the programme"],
  ["playout", "Across the network to your ear"],
]);

/** A step in words; one this page does not know is shown by its own name. @param {string} name */
export function label(name) {
  return LABELS.get(name) ?? name.replaceAll("_", " ");
}

/** @param {LatencyRecord} record @returns {Bar[]} */
export function bars(record) {
  const steps = record.steps.filter(({ from_ms, ms }) => Number.isFinite(from_ms) && Number.isFinite(ms) && ms >= 0);
  const start = Math.min(0, ...steps.map((step) => step.from_ms));
  const end = Math.max(record.total_ms, 1, ...steps.map((step) => step.from_ms + step.ms));
  const percent = (/** @type {number} */ ms) => Math.round((ms / (end - start)) * 1000) / 10;
  return steps.map(({ name, from_ms, ms }) => ({
    name,
    label: label(name),
    ms: Math.round(ms),
    left: percent(from_ms - start),
    width: Math.max(percent(ms), 0.5),
  }));
}

/** What of the waiting was computing, in words; empty when the record does not say. @param {LatencyRecord} record */
export function computing(record) {
  const parts = (record.work ?? []).map(({ name, ms }) => `${name.replaceAll("_", " ")} ${Math.round(ms)} ms`);
  return parts.length ? `computing: ${parts.join(", ")}` : "";
}

/** What to say about guessing ahead, or nothing. @param {LatencyRecord} record */
export function speculation(record) {
  const wasted = record.wasted ? `, ${record.wasted} attempt${record.wasted > 1 ? "s" : ""} thrown away` : "";
  if (!record.speculated) return wasted.slice(2);
  return `thought ahead, ${Math.round(record.saved_ms ?? 0)} ms saved${wasted}`;
}
