// @ts-check
/**
 * The bones that a talking head moves – head, neck, chest, eyes – turned in the world's axes from wherever they rest,
 * so that it does not matter how a maker has laid their own axes. Arms that stick out are let down.
 */
import { Euler, Quaternion, Vector3 } from "three";

/** Bone names without prefix, in lower case, by what they are. @type {Record<string, string[]>} */
const NAMES = {
  head: ["head"],
  neck: ["neck", "neck1", "neck01"],
  chest: ["spine2", "upperchest", "chest", "spine02", "spine1", "spine"],
  leftEye: ["lefteye", "eyeleft", "eyel", "leye", "faceeyel"],
  rightEye: ["righteye", "eyeright", "eyer", "reye", "faceeyer"],
  leftUpperArm: ["leftarm", "leftupperarm", "upperarml", "upperarmleft", "lupperarm"],
  rightUpperArm: ["rightarm", "rightupperarm", "upperarmr", "upperarmright", "rupperarm"],
};
const PREFIXES = /^(mixamorig\d*|armature|jbipc|jbipl|jbipr|jadj[lr]|bip0?1|ccbase|def|org)/;

/** The head takes this much of a turn, the neck the rest. */
const HEAD_SHARE = 0.62;
/** rad at full gaze. */
const GAZE_YAW = 0.42;
const GAZE_PITCH = 0.28;
/** rad the chest rises at full breath. */
const BREATH = 0.014;
/** Arms hang this far from the body: x over y. */
const ARMS_OUT = 0.28;

/** @typedef {import("three").Object3D} Object3D */

export class Rig {
  #joints = /** @type {Record<string, Joint | null>} */ ({});
  /** @type {Joint | null} the whole model, where it has no head bone */
  #whole = null;
  #lookAt;

  /**
   * @param {Object3D} root in its rest pose, world matrices up to date
   * @param {any} vrm its three-vrm object, or null
   */
  constructor(root, vrm = null) {
    const bones = vrm ? vrmBones(vrm) : namedBones(root);
    for (const side of ["left", "right"]) letDown(bones[`${side}UpperArm`]);
    root.updateWorldMatrix(true, true);
    for (const name of ["head", "neck", "chest"]) this.#joints[name] = bones[name] ? new Joint(bones[name]) : null;
    this.#lookAt = vrm?.lookAt ?? null;
    if (!this.#lookAt) {
      for (const name of ["leftEye", "rightEye"]) this.#joints[name] = bones[name] ? new Joint(bones[name]) : null;
    }
    if (!this.#joints.head) this.#whole = new Joint(root);
    /** The bone of the head, for framing. @type {Object3D | null} */
    this.head = vrm?.humanoid?.getRawBoneNode?.("head") ?? bones.head ?? null;
  }

  /** Whether bones turn the eyes; else shapes must. */
  get turnsEyes() {
    return !!(this.#lookAt || (this.#joints.leftEye && this.#joints.rightEye));
  }

  /** What was found, in words. */
  get found() {
    const names = ["head", "neck", "chest"].filter((name) => this.#joints[name]);
    return [...names, ...(this.turnsEyes ? ["eyes"] : [])];
  }

  /** @param {import("./countenance.mjs").Look} look */
  pose({ yaw, pitch, roll, gazeX, gazeY, breath }) {
    const { head, neck, chest, leftEye, rightEye } = this.#joints;
    const share = neck ? HEAD_SHARE : 1;
    neck?.turn(yaw * (1 - share), pitch * (1 - share), roll * (1 - share));
    (head ?? this.#whole)?.turn(yaw * share, pitch * share, roll * share);
    chest?.turn(0, BREATH * breath, 0);
    leftEye?.turn(gazeX * GAZE_YAW, gazeY * GAZE_PITCH, 0);
    rightEye?.turn(gazeX * GAZE_YAW, gazeY * GAZE_PITCH, 0);
    if (this.#lookAt) {
      this.#lookAt.yaw = (gazeX * GAZE_YAW * 180) / Math.PI;
      this.#lookAt.pitch = (-gazeY * GAZE_PITCH * 180) / Math.PI;
    }
  }
}

const turned = new Quaternion();
const angles = new Euler(0, 0, 0, "YXZ");

class Joint {
  #object;
  #rest;
  /** The parent's way from the world, at rest. */
  #in;
  #out;

  /** @param {Object3D} object */
  constructor(object) {
    this.#object = object;
    this.#rest = object.quaternion.clone();
    this.#out = new Quaternion();
    object.parent?.getWorldQuaternion(this.#out);
    this.#in = this.#out.clone().invert();
  }

  /** From rest: yaw to +x, pitch up, roll clockwise seen from +z. @param {number} yaw @param {number} pitch @param {number} roll */
  turn(yaw, pitch, roll) {
    turned.setFromEuler(angles.set(-pitch, yaw, -roll));
    this.#object.quaternion.copy(this.#in).multiply(turned).multiply(this.#out).multiply(this.#rest);
  }
}

/** @param {any} vrm @returns {Record<string, Object3D>} */
function vrmBones(vrm) {
  const bone = (/** @type {string} */ name) => vrm.humanoid?.getNormalizedBoneNode?.(name) ?? null;
  const chest = bone("upperChest") ?? bone("chest") ?? bone("spine");
  const same = ["head", "neck", "leftEye", "rightEye", "leftUpperArm", "rightUpperArm"];
  return { chest, ...Object.fromEntries(same.map((name) => [name, bone(name)])) };
}

/** @param {Object3D} root @returns {Record<string, Object3D>} */
function namedBones(root) {
  /** @type {Map<string, Object3D>} */
  const byName = new Map();
  root.traverse((/** @type {any} */ object) => {
    if (object.isMesh) return;
    const plain = object.name.toLowerCase().replace(/[^a-z0-9]/g, "");
    for (const name of [plain, plain.replace(PREFIXES, "")]) {
      if (name && (object.isBone || !byName.has(name))) byName.set(name, object);
    }
  });
  return Object.fromEntries(
    Object.entries(NAMES).flatMap(([what, names]) => {
      const found = names.map((name) => byName.get(name)).find(Boolean);
      return found ? [[what, found]] : [];
    }),
  );
}

/** An upper arm that points sideways (the pose models are made in) hangs. @param {Object3D | null | undefined} arm */
function letDown(arm) {
  const next = arm?.children.find((child) => child.position.lengthSq() > 0);
  if (!arm || !next) return;
  const from = arm.getWorldPosition(new Vector3());
  const way = next.getWorldPosition(new Vector3()).sub(from).normalize();
  if (Math.abs(way.y) > 0.6) return;
  const down = new Vector3(Math.sign(way.x) * ARMS_OUT, -1, 0.06).normalize();
  const swing = new Quaternion().setFromUnitVectors(way, down);
  const out = new Quaternion();
  arm.parent?.getWorldQuaternion(out);
  arm.quaternion.premultiply(out).premultiply(swing).premultiply(out.invert());
}
