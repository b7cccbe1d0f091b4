// @ts-check
/** What a 3D head is drawn with is on its way while the rest of the page still is. */

if (new URLSearchParams(location.search).get("front") === "3d") {
  // What is missing is said where it is needed.
  for (const what of ["three", "three/addons/loaders/GLTFLoader.js", "./avatar3d/avatar3d.mjs"]) import(what).catch(() => {});
}
