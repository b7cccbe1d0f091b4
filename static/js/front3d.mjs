// @ts-check
/** The 3D head as a front of the viewer page: it is drawn here, from the voice and the mouth track. */
import { Avatar3D } from "./avatar3d/avatar3d.mjs";

/**
 * @param {HTMLCanvasElement} canvas @param {import("./personas.mjs").Persona} persona
 * @returns {Promise<import("./fronts.mjs").Front>}
 */
export async function open(canvas, persona) {
  if (!persona.model) throw new Error(`${persona.name} has no 3D head.`);
  const quality = new URLSearchParams(location.search).get("quality") ?? "";
  const head = new Avatar3D(canvas, { quality, failed: () => location.replace(location.pathname) });
  try {
    await head.load(persona.model);
  } catch (error) {
    head.dispose();
    throw error;
  }
  return { draw: (mouth, nowMs) => head.show(mouth, nowMs), close: () => head.dispose() };
}
