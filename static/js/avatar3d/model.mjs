// @ts-check
/** A head from a .glb or .vrm file: looked over, parsed; its shapes mapped, its bones found, its size known. */
import { Box3, LoadingManager, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

import { VISEMES } from "../mouth.mjs";
import { Channels } from "./channels.mjs";
import { inspect, ModelError } from "./glb.mjs";
import { mix } from "./mixing.mjs";
import { describe, mapMorphs } from "./morph_map.mjs";
import { Rig } from "./rig.mjs";
import { Textures } from "./textures.mjs";

const DRACO = "/static/vendor/three/examples/jsm/libs/draco/gltf/";
/** Vertices looked at to find out where the head is. */
const MOST_LOOKED_AT = 6000;
/** Of a head's furthest move; smaller ones are what a shape drags along. */
const NOTICEABLE = 0.15;
/** A body is at least this much higher than its widest part of the head. */
const HEADS_HIGH = 7.5;
/** Springs of hair must not see a long gap as a blow. */
const LONGEST_STEP_S = 0.05;

/**
 * @param {ArrayBuffer} file @param {boolean} [plain] only what plain surfaces show is made of it
 * @returns {Promise<Model>} @throws {ModelError}
 */
export async function parseModel(file, plain = false) {
  const { extensions, vrm } = inspect(file);
  const loader = new GLTFLoader(onlyItself());
  if (extensions.has("EXT_meshopt_compression") || extensions.has("KHR_meshopt_compression")) {
    const { MeshoptDecoder } = await import("three/addons/libs/meshopt_decoder.module.js");
    await MeshoptDecoder.ready;
    loader.setMeshoptDecoder(MeshoptDecoder);
  }
  /** @type {any} */
  let draco = null;
  if (extensions.has("KHR_draco_mesh_compression")) {
    const { DRACOLoader } = await import("three/addons/loaders/DRACOLoader.js");
    draco = new DRACOLoader().setDecoderPath(DRACO).setWorkerLimit(1);
    loader.setDRACOLoader(draco);
  }
  loader.register((/** @type {any} */ parser) => {
    // Old browsers have another one, and keep it.
    if (parser.textureLoader.isImageBitmapLoader) parser.textureLoader = new Textures(parser.textureLoader);
    return { name: "pictures where they lie" };
  });
  const vrms = vrm ? await import("@pixiv/three-vrm") : null;
  if (vrms) loader.register((/** @type {any} */ parser) => new vrms.VRMLoaderPlugin(parser));
  else if (plain) loader.register((/** @type {any} */ parser) => onlyColours(parser.json));
  try {
    const gltf = await loader.parseAsync(file, "");
    const parsed = gltf.userData.vrm ?? null;
    if (parsed) vrms?.VRMUtils.rotateVRM0(parsed);
    return new Model(parsed?.scene ?? gltf.scene, parsed);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    console.info("3D model refused:", error);
    throw new ModelError("broken", "This 3D model cannot be read: something in it is broken. Export it again.");
  } finally {
    draco?.dispose();
  }
}

/** Pictures of bumps and gloss are not even decoded. @param {any} json the file's */
function onlyColours(json) {
  for (const material of json.materials ?? []) {
    const { KHR_materials_unlit } = material.extensions ?? {};
    for (const what of ["normalTexture", "occlusionTexture", "emissiveTexture"]) delete material[what];
    delete material.pbrMetallicRoughness?.metallicRoughnessTexture;
    material.extensions = KHR_materials_unlit ? { KHR_materials_unlit } : {};
  }
  return { name: "only colours" };
}

/** Nothing outside the file is loaded, whatever the file says. */
function onlyItself() {
  const manager = new LoadingManager();
  manager.setURLModifier((address) => (/^(blob|data):/i.test(address) || address.startsWith(DRACO) ? address : "data:,"));
  return manager;
}

export class Model {
  #weights = new Map();
  #channels;
  #rig;
  #map;
  #vrm;
  #atMs = NaN;

  /** @param {any} scene @param {any} vrm */
  constructor(scene, vrm) {
    this.scene = scene;
    this.#vrm = vrm;
    for (const preset of Object.values(vrm?.expressionManager?.expressionMap ?? {})) {
      // A smile that switches the mouth off would make the avatar mute to the eye.
      Object.assign(/** @type {any} */ (preset), { overrideMouth: "none", overrideBlink: "none", overrideLookAt: "none" });
    }
    scene.updateWorldMatrix(true, true);
    this.triangles = 0;
    scene.traverse((/** @type {any} */ object) => {
      if (!object.isMesh) return;
      // Bounds are those of the rest pose: a head that turns would be left out at the edge.
      object.frustumCulled = false;
      const { index, attributes } = object.geometry;
      this.triangles += Math.floor((index ?? attributes.position)?.count / 3) || 0;
    });
    if (!this.triangles) throw new ModelError("empty", "This 3D model is empty: there is nothing to draw in it.");
    this.#channels = new Channels(scene, vrm?.expressionManager ?? null);
    this.#rig = new Rig(scene, vrm);
    this.#map = mapMorphs(this.#channels.names);
    if (this.#rig.turnsEyes) {
      this.#map.looks = { left: [], right: [], up: this.#map.looks.up, down: this.#map.looks.down };
      this.#map.missing = this.#map.missing.filter((what) => !what.includes("gaze"));
    }
    this.bounds = headBounds(scene, this.#rig.head);
  }

  /** The shapes by which a face is read, those that matter most first. */
  get shapes() {
    const { blink, visemes, emotions } = this.#map;
    const spoken = ["aa", "O", "U", "FF", "E", "CH"].map((name) => visemes[VISEMES.indexOf(name)]);
    return [...new Set([blink.left, blink.right, ...spoken, emotions.happy ?? [], ...visemes].flat().map(([name]) => name))];
  }

  /** What this head can do, for a person. */
  get report() {
    const bones = this.#rig.found;
    const moves = bones.length ? `Bones that move: ${bones.join(", ")}.` : "It has no head bone: it turns as a whole.";
    return `${describe(this.#map)} ${moves}`;
  }

  get source() {
    return this.#map.source;
  }

  /** Weight of each shape that is not at rest, by the head's own names. @type {ReadonlyMap<string, number>} */
  get weights() {
    return this.#weights;
  }

  /** @param {import("./countenance.mjs").Look} look @param {number} nowMs */
  show(look, nowMs) {
    mix(this.#map, look, this.#weights);
    this.#channels.show(this.#weights);
    this.#rig.pose(look);
    const step = Math.min(LONGEST_STEP_S, Math.max(0, (nowMs - this.#atMs) / 1000) || 0);
    this.#atMs = nowMs;
    this.#vrm?.update(step);
  }

  /** Give back everything that lies on the graphics card. */
  dispose() {
    this.scene.removeFromParent();
    this.scene.traverse((/** @type {any} */ object) => {
      object.geometry?.dispose();
      object.skeleton?.dispose();
      for (const material of [object.material ?? []].flat()) {
        for (const value of Object.values(material)) if (value?.isTexture) dropTexture(value);
        for (const uniform of Object.values(material.uniforms ?? {})) {
          if (uniform?.value?.isTexture) dropTexture(uniform.value);
        }
        material.dispose();
      }
    });
  }
}

/** @param {any} texture */
function dropTexture(texture) {
  texture.dispose();
  texture.source?.data?.close?.();
}

/**
 * Where the head is, in the world: what lies above the head's bone; without one, above the lowest point that a shape
 * moves, which is the chin; without shapes, all of it.
 * @param {any} scene @param {any} head @returns {{min: number[], max: number[]}}
 */
function headBounds(scene, head) {
  /** @type {any[]} */
  const meshes = [];
  scene.traverse((/** @type {any} */ object) => object.isMesh && object.visible && meshes.push(object));
  const floor = head ? head.getWorldPosition(new Vector3()).y : chin(meshes);
  const shaped = meshes.filter((mesh) => mesh.morphTargetInfluences?.length);
  const box = boundsOf(head || !shaped.length ? meshes : shaped, floor);
  if (box.isEmpty()) return headBounds(scene, null);
  const size = box.getSize(new Vector3());
  if (![...box.min.toArray(), ...box.max.toArray()].every(Number.isFinite) || size.length() === 0) {
    throw new ModelError("numbers", "This 3D model has points that are nowhere (no numbers). Export it again.");
  }
  // A whole figure in one piece: its head is the top of it.
  if (!head && !shaped.length && size.y > 2.2 * Math.min(size.x, size.z * 2)) box.min.y = box.max.y - size.y / HEADS_HIGH;
  return { min: box.min.toArray(), max: box.max.toArray() };
}

/** The lowest height at which a shape moves the head noticeably; none without shapes. @param {any[]} meshes */
function chin(meshes) {
  const moves = meshes.flatMap((mesh) => (mesh.geometry.morphAttributes.position ?? []).map((/** @type {any} */ to) => ({ mesh, to })));
  const all = moves.reduce((sum, { to }) => sum + to.count, 0);
  const stride = Math.max(1, Math.floor(all / MOST_LOOKED_AT / 8));
  const move = new Vector3();
  const point = new Vector3();
  let furthest = 0;
  /** @type {[travel: number, y: number][]} */
  const seen = [];
  for (const { mesh, to } of moves) {
    const scale = mesh.getWorldScale(new Vector3());
    for (let n = 0; n < to.count; n += stride) {
      const travel = move.fromBufferAttribute(to, n).multiply(scale).length();
      if (!(travel > 0)) continue;
      seen.push([travel, mesh.getVertexPosition(n, point).applyMatrix4(mesh.matrixWorld).y]);
      furthest = Math.max(furthest, travel);
    }
  }
  const noticed = seen.filter(([travel]) => travel > NOTICEABLE * furthest);
  return noticed.reduce((lowest, [, y]) => Math.min(lowest, y), noticed.length ? Infinity : -Infinity);
}

/** @param {any[]} meshes @param {number} floor what lies lower is no head */
function boundsOf(meshes, floor) {
  const box = new Box3();
  const point = new Vector3();
  const all = meshes.reduce((sum, mesh) => sum + mesh.geometry.attributes.position.count, 0);
  const stride = Math.max(1, Math.floor(all / MOST_LOOKED_AT));
  for (const mesh of meshes) {
    for (let n = 0; n < mesh.geometry.attributes.position.count; n += stride) {
      mesh.getVertexPosition(n, point).applyMatrix4(mesh.matrixWorld);
      if (point.y >= floor) box.expandByPoint(point);
    }
  }
  return box;
}
