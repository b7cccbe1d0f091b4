// @ts-check
/**
 * What a 3D head is drawn with, fetched and compiled before it is wanted, all of it at once; nothing of it is run. What is
 * missing is said where it is needed.
 */

const THREE = "/static/vendor/three/";

/** What finds out which file is wanted and asks for it, and makes the canvas ready: waited for first. */
export const FIRST = [
  ...["seat", "head", "mouth"].map((name) => `/static/js/${name}.mjs`),
  ...["model_file", "glb", "drawing_context", "quality"].map((name) => `/static/js/avatar3d/${name}.mjs`),
];

const OURS = [
  ...["avatar3d", "bent", "channels", "coarse_model", "countenance", "drawing_context", "framing", "glb", "mixing"],
  ...["model", "model_file", "morph_map", "plain_surface", "quality", "recipes", "rig", "studio", "textures"],
];

/** Every module that `avatar3d.mjs` imports, and itself. */
export const MODULES = [
  ...[`${THREE}build/three.core.js`, `${THREE}build/three.module.js`, `${THREE}examples/jsm/loaders/GLTFLoader.js`],
  ...["BufferGeometryUtils", "SkeletonUtils"].map((name) => `${THREE}examples/jsm/utils/${name}.js`),
  `${THREE}examples/jsm/environments/RoomEnvironment.js`,
  ...OURS.map((name) => `/static/js/avatar3d/${name}.mjs`),
];

export function fetchModules() {
  for (const href of FIRST) preload(href, "high");
  for (const href of MODULES) preload(href, "low");
}

/** The file of a head, for `fetch` to find. @param {string} href its address */
export function fetchFile(href) {
  ask({ rel: "preload", as: "fetch", crossOrigin: "anonymous", fetchPriority: "high", href });
}

/** @param {string} href @param {"high" | "low"} fetchPriority */
function preload(href, fetchPriority) {
  if (!document.head.querySelector(`link[href="${href}"]`)) ask({ rel: "modulepreload", fetchPriority, href });
}

/** @param {Partial<HTMLLinkElement>} what */
function ask(what) {
  document.head.append(Object.assign(document.createElement("link"), what));
}
