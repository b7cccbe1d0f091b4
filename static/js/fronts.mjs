// @ts-check
/**
 * Fronts that draw the face in the page, from the voice and the mouth track, instead of showing pictures. Each is a
 * module with `open(canvas, persona)`, which resolves to what draws; none of them is loaded before it is asked for.
 */

/** @type {Record<string, string>} */
const MODULES = { "3d": "./front3d.mjs" };

/**
 * @typedef {object} Front
 * @property {(mouth: import("./mouth.mjs").Mouth, nowMs: number) => void} draw once a frame
 * @property {() => void} close
 *
 * @param {string} name @param {HTMLCanvasElement} canvas @param {any} persona
 * @returns {Promise<Front | null>} null when it is not installed or the browser cannot show it: pictures must do
 */
export async function openFront(name, canvas, persona) {
  const place = Object.hasOwn(MODULES, name) ? MODULES[name] : "";
  if (!place) return null;
  try {
    const module = await import(place);
    return await module.open(canvas, persona);
  } catch (error) {
    console.info(`the ${name} front is not there:`, error);
    return null;
  }
}
