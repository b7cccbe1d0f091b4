// @ts-check
/** What draws on a canvas, and so how finely: asked for, and made ready, before any of three.js is there. */
import { drawnSize, firstQuality } from "./quality.mjs";

/** The browser's answer, asked for once: a context is made and given back for it. @type {string | undefined} */
let told;

/**
 * @param {string} asked quality: "high", "low", else automatic
 * @returns {import("./quality.mjs").Quality} what a head begins with
 */
export function qualityHere(asked) {
  return firstQuality(asked, asked === "high" || asked === "low" ? "" : (told ??= whoDraws()));
}

/**
 * A fresh canvas in the size it is drawn in, for changing it later costs a CPU as much as a drawing. The same context
 * however often it is asked for; null where the browser has no WebGL 2.
 * @param {HTMLCanvasElement} canvas @param {string} asked quality
 */
export function contextOf(canvas, asked) {
  const quality = qualityHere(asked);
  const { clientWidth, clientHeight } = canvas;
  if (clientWidth) Object.assign(canvas, drawnSize(clientWidth, clientHeight, devicePixelRatio, { quality, step: 0 }));
  // Smooth edges cost a CPU as much as the rest of the picture; a context has them once and for all, or not.
  const antialias = quality === "high";
  return canvas.getContext("webgl2", { alpha: true, antialias, powerPreference: "high-performance" });
}

/** @param {WebGL2RenderingContext} context what draws on it, by its own name */
export function deviceOf(context) {
  const told = context.getExtension("WEBGL_debug_renderer_info");
  return String(context.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : context.RENDERER));
}

function whoDraws() {
  const context = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!context) return "";
  const device = deviceOf(context);
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return device;
}
