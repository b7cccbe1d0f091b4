// @ts-check
/** From a look to the weights of a head's shapes. Pure. */

/** While the mouth talks, an emotion keeps to the eyes and brows, and lends the mouth only this much. */
const MOUTH_WHILE_TALKING = 0.45;
/** Shapes of an emotion that would open or close the mouth against the sound. */
const MOUTH = /jaw|mouth|happy|sad|surprised|relaxed|tongue/i;

/**
 * Adds up what every part of the look wants of each shape.
 * @param {import("./morph_map.mjs").MorphMap} map @param {import("./countenance.mjs").Look} look
 * @param {Map<string, number>} into cleared and filled: shape → weight 0..1
 */
export function mix(map, look, into) {
  into.clear();
  const talking = Math.min(1, Math.max(0, 1 - look.weights[0]));
  look.weights.forEach((weight, i) => add(into, map.visemes[i], weight));
  for (const [name, strength] of Object.entries(look.emotions)) {
    for (const [shape, part] of map.emotions[name] ?? []) {
      const lent = MOUTH.test(shape) ? 1 - talking * (1 - MOUTH_WHILE_TALKING) : 1;
      // A jaw that an emotion opens would part the lips of a p or b.
      add(into, [[shape, part]], /jaw/i.test(shape) ? strength * (1 - talking) : strength * lent);
    }
  }
  add(into, map.blink.left, look.blink);
  add(into, map.blink.right, look.blink);
  add(into, look.gazeX > 0 ? map.looks.right : map.looks.left, Math.abs(look.gazeX));
  add(into, look.gazeY > 0 ? map.looks.up : map.looks.down, Math.abs(look.gazeY));
  add(into, look.brows > 0 ? map.brows.up : map.brows.down, Math.abs(look.brows));
  for (const [shape, weight] of into) if (weight > 1) into.set(shape, 1);
}

/** @param {Map<string, number>} into @param {import("./morph_map.mjs").Parts} parts @param {number} by */
function add(into, parts, by) {
  if (!(by > 0)) return;
  for (const [shape, weight] of parts) into.set(shape, (into.get(shape) ?? 0) + weight * by);
}
