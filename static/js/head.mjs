// @ts-check
/** A 3D head for a page that wants one: what draws it is loaded only then. */
import { contextOf, qualityHere } from "./avatar3d/drawing_context.mjs";
import { fetchModel } from "./avatar3d/model_file.mjs";
import { fetchModules } from "./on_its_way.mjs";

/**
 * @typedef {{load: (address: string, coming?: Promise<ArrayBuffer>) => Promise<void>, dispose: () => void, report: any, leadMs: number,
 *   show: (mouth: import("./mouth.mjs").Mouth, nowMs: number) => void}} Head
 *
 * @param {HTMLCanvasElement} canvas a fresh one @param {{quality: string, failed: (error: Error) => void}} options
 * @returns {Promise<Head>} to be loaded; its errors, and this one's, are sentences for a person where they have a `code`
 */
export async function openHead(canvas, options) {
  let module;
  fetchModules();
  contextOf(canvas, options.quality); // while the modules come
  try {
    module = await import("./avatar3d/avatar3d.mjs");
  } catch {
    const text = "This server has not got what 3D faces are drawn with: bin/up fetches it. The picture goes on instead.";
    throw Object.assign(new Error(text), { code: "vendor" });
  }
  return new module.Avatar3D(canvas, options);
}

/**
 * The file of a head that is to be drawn here: where a CPU draws, the light one, which has what low quality shows.
 * @param {{model: string, light?: string}} persona @param {string} asked quality: "high", "low", else automatic
 */
export function fileOf({ model, light = "" }, asked) {
  return light && qualityHere(asked) === "low" ? light : model;
}

/** What is in a head's file, while what draws it comes, too. @param {string} address */
export function fetchHead(address) {
  const coming = fetchModel(address);
  coming.catch(() => {}); // told where it is waited for
  return coming;
}

/** A canvas that has held a WebGL context holds it for ever: another one like it. @param {HTMLCanvasElement} canvas */
export function another(canvas) {
  const next = /** @type {HTMLCanvasElement} */ (canvas.cloneNode(false));
  next.hidden = false;
  return next;
}
