// @ts-check
/**
 * What a 3D head is drawn with, fetched and compiled before it is wanted, all of it at once; nothing of it is run. What is
 * missing is said where it is needed.
 */

const THREE = "/static/vendor/three/";
const OURS = [
  ...["avatar3d", "bent", "channels", "coarse_model", "countenance", "framing", "glb", "mixing", "model", "model_file"],
  ...["morph_map", "plain_surface", "quality", "recipes", "rig", "studio"],
];

/** Every module that `avatar3d.mjs` imports, and itself. */
export const MODULES = [
  ...[`${THREE}build/three.core.js`, `${THREE}build/three.module.js`, `${THREE}examples/jsm/loaders/GLTFLoader.js`],
  ...["BufferGeometryUtils", "SkeletonUtils"].map((name) => `${THREE}examples/jsm/utils/${name}.js`),
  `${THREE}examples/jsm/environments/RoomEnvironment.js`,
  ...OURS.map((name) => `/static/js/avatar3d/${name}.mjs`),
];

export function fetchModules() {
  for (const href of MODULES) {
    if (document.head.querySelector(`link[href="${href}"]`)) continue;
    ask({ rel: "modulepreload", href });
  }
}

/** The file of a head, for `fetch` to find. @param {string} href its address */
export function fetchFile(href) {
  ask({ rel: "preload", as: "fetch", crossOrigin: "anonymous", fetchPriority: "high", href });
}

/** @param {Partial<HTMLLinkElement>} what */
function ask(what) {
  document.head.append(Object.assign(document.createElement("link"), { fetchPriority: "low", ...what }));
}
