// @ts-check
/** What a 3D head is drawn with is on its way while the rest of the page still is, and all of it at once. */

const THREE = "/static/vendor/three/";
const WHAT = [
  ...[`${THREE}build/three.core.js`, `${THREE}build/three.module.js`, `${THREE}examples/jsm/loaders/GLTFLoader.js`],
  ...["avatar3d", "studio", "model", "coarse_model", "bent", "plain_surface", "rig"].map((name) => `./avatar3d/${name}.mjs`),
];

if (new URLSearchParams(location.search).get("front") === "3d") {
  // What is missing is said where it is needed.
  for (const each of WHAT) import(each).catch(() => {});
}
