// @ts-check
/**
 * Looks over a .glb or .vrm file before anything is made of it: whole, self-contained, of a sensible size, without
 * circles and without points that are no numbers. What fails is a sentence for the person. Pure.
 *
 * The format: registry.khronos.org/glTF/specs/2.0, sections 4 (binary) and 5 (properties).
 */

export const LARGEST_FILE = 64 * 1024 * 1024;
const LARGEST_JSON = 16 * 1024 * 1024;
const MOST_NODES = 4000;
const DEEPEST = 200;
const MOST_VERTICES = 1_500_000;
/** Vertices times shapes, which three.js keeps as 32 bytes each on the graphics card. */
const MOST_MORPHED = 24_000_000;
const LARGEST_PICTURE_PX = 8192;
/** Pixels of all textures together: four bytes each, and a third more for their smaller copies. */
const MOST_PIXELS = 96_000_000;

const MAGIC = 0x46546c67;
const JSON_CHUNK = 0x4e4f534a;
const BINARY_CHUNK = 0x004e4942;
const FLOAT = 5126;
const COMPONENT_BYTES = /** @type {Record<number, number>} */ ({ 5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4 });
const COMPONENTS = /** @type {Record<string, number>} */ ({ SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4, MAT2: 4, MAT3: 9, MAT4: 16 });

/** Extensions a file may insist on. */
const KNOWN = new Set([
  ...["KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression", "KHR_mesh_quantization"],
  ...["KHR_texture_transform", "KHR_materials_unlit", "KHR_lights_punctual", "EXT_texture_webp", "EXT_texture_avif"],
  ...["KHR_materials_clearcoat", "KHR_materials_emissive_strength", "KHR_materials_ior", "KHR_materials_sheen"],
  ...["KHR_materials_specular", "KHR_materials_transmission", "KHR_materials_volume", "KHR_materials_iridescence"],
  ...["KHR_materials_anisotropy", "KHR_materials_dispersion", "EXT_mesh_gpu_instancing"],
  ...["VRM", "VRMC_vrm", "VRMC_springBone", "VRMC_node_constraint", "VRMC_materials_mtoon"],
]);

/** The model cannot be shown; the message is for the person. */
export class ModelError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = "ModelError";
    this.code = code;
  }
}

/**
 * @param {ArrayBuffer} file
 * @returns {{extensions: Set<string>, vrm: boolean, vertices: number, names: string[]}} what a loader must know
 * @throws {ModelError}
 */
export function inspect(file) {
  const { json, binary } = chunks(file);
  const extensions = new Set([...list(json.extensionsUsed), ...list(json.extensionsRequired)].map(String));
  if (json.asset?.version !== "2.0" && !/^2\./.test(String(json.asset?.version))) {
    throw new ModelError("version", "This 3D model is not of glTF version 2, which is the one that can be shown.");
  }
  const unknown = list(json.extensionsRequired).filter((name) => !KNOWN.has(String(name)));
  if (unknown.length) {
    throw new ModelError("extension", `This 3D model needs ${unknown.join(", ").slice(0, 120)}, which is not supported.`);
  }
  const outside = [...list(json.buffers), ...list(json.images)].find((each) => each?.uri && !/^data:/i.test(each.uri));
  if (outside) throw new ModelError("outside", "This 3D model keeps parts in other files: save it as one .glb file.");
  checkTree(json);
  const vertices = checkAccessors(json, binary);
  checkPictures(json, binary);
  const names = list(json.meshes).flatMap((mesh) => list(mesh?.extras?.targetNames).map(String));
  return { extensions, vrm: extensions.has("VRM") || extensions.has("VRMC_vrm"), vertices, names: [...new Set(names)] };
}

/** @param {ArrayBuffer} file */
function chunks(file) {
  const view = new DataView(file);
  if (file.byteLength > LARGEST_FILE) throw new ModelError("size", "This 3D model is larger than 64 MB.");
  if (file.byteLength < 20 || view.getUint32(0, true) !== MAGIC) {
    throw new ModelError("format", "This file is no 3D model: a .glb or .vrm file is needed.");
  }
  const broken = new ModelError("broken", "This 3D model is cut off or broken. Copy the file again.");
  if (view.getUint32(8, true) > file.byteLength) throw broken;
  /** @type {any} */
  let json = null;
  let binary = new Uint8Array(0);
  for (let at = 12; at + 8 <= file.byteLength; ) {
    const length = view.getUint32(at, true);
    const kind = view.getUint32(at + 4, true);
    if (at + 8 + length > file.byteLength) throw broken;
    if (kind === JSON_CHUNK && !json) {
      if (length > LARGEST_JSON) throw new ModelError("size", "This 3D model has too many parts to be a face.");
      try {
        json = JSON.parse(new TextDecoder().decode(new Uint8Array(file, at + 8, length)));
      } catch {
        throw broken;
      }
    } else if (kind === BINARY_CHUNK && !binary.length) binary = new Uint8Array(file, at + 8, length);
    at += 8 + length + ((4 - (length % 4)) % 4);
  }
  if (!json || typeof json !== "object" || Array.isArray(json)) throw broken;
  return { json, binary };
}

/** Nodes are trees: nobody is their own ancestor, nobody has two parents. @param {any} json */
function checkTree(json) {
  const nodes = list(json.nodes);
  if (nodes.length > MOST_NODES) throw new ModelError("size", "This 3D model has too many parts to be a face.");
  const parents = new Int32Array(nodes.length).fill(-1);
  nodes.forEach((node, n) => {
    for (const child of list(node?.children)) {
      if (!Number.isInteger(child) || child < 0 || child >= nodes.length) continue;
      if (parents[child] >= 0 || child === n) throw circle();
      parents[child] = n;
    }
  });
  for (let n = 0; n < nodes.length; n++) {
    let depth = 0;
    for (let up = parents[n]; up >= 0; up = parents[up]) if (++depth > DEEPEST) throw circle();
  }
}

function circle() {
  return new ModelError("circle", "This 3D model's parts hang on each other in a circle; it cannot be drawn.");
}

/** @param {any} json @param {Uint8Array} binary */
function checkAccessors(json, binary) {
  const accessors = list(json.accessors);
  const views = list(json.bufferViews);
  /** @param {unknown} index */
  const count = (index) => Number(accessors[Number(index)]?.count ?? 0) || 0;
  let vertices = 0;
  let morphed = 0;
  for (const primitive of list(json.meshes).flatMap((mesh) => list(mesh?.primitives))) {
    const own = count(primitive?.attributes?.POSITION);
    vertices += own;
    morphed += own * list(primitive?.targets).length;
    for (const index of [primitive?.attributes?.POSITION, ...list(primitive?.targets).map((target) => target?.POSITION)]) {
      if (index !== undefined) checkNumbers(accessors[index], views, binary);
    }
  }
  const furthest = accessors.reduce((most, accessor) => Math.max(most, Number(accessor?.count) || 0), 0);
  if (vertices > MOST_VERTICES || morphed > MOST_MORPHED || furthest > 4 * MOST_VERTICES) {
    throw new ModelError("size", "This 3D model is too fine to be drawn live: reduce it to fewer triangles.");
  }
  for (const accessor of accessors) {
    const view = views[accessor?.bufferView];
    if (!view || view.extensions) continue;
    const size = (COMPONENT_BYTES[accessor.componentType] ?? 0) * (COMPONENTS[accessor.type] ?? 0);
    const end = (accessor.byteOffset ?? 0) + (accessor.count - 1) * (view.byteStride ?? size) + size;
    if (!size || end > view.byteLength || (view.byteOffset ?? 0) + view.byteLength > binary.length) {
      if (list(json.buffers)[view.buffer]?.uri) continue;
      throw new ModelError("broken", "This 3D model is cut off or broken. Copy the file again.");
    }
  }
  return vertices;
}

/** @param {any} accessor @param {any[]} views @param {Uint8Array} binary */
function checkNumbers(accessor, views, binary) {
  const bounds = [...list(accessor?.min), ...list(accessor?.max)];
  if (bounds.some((value) => !Number.isFinite(value) || Math.abs(value) > 1e7)) throw noNumbers();
  const view = views[accessor?.bufferView];
  if (!view || view.extensions || accessor.componentType !== FLOAT) return;
  const from = binary.byteOffset + (view.byteOffset ?? 0) + (accessor.byteOffset ?? 0);
  const stride = view.byteStride ?? 12;
  const end = from + (accessor.count - 1) * stride + 12;
  if (!(end <= binary.byteOffset + binary.length)) return;
  const numbers = new DataView(binary.buffer);
  for (let at = from; at < end; at += stride) {
    for (let k = 0; k < 12; k += 4) if (!Number.isFinite(numbers.getFloat32(at + k, true))) throw noNumbers();
  }
}

function noNumbers() {
  return new ModelError("numbers", "This 3D model has points that are nowhere (no numbers). Export it again.");
}

/** @param {any} json @param {Uint8Array} binary */
function checkPictures(json, binary) {
  const views = list(json.bufferViews);
  let pixels = 0;
  for (const image of list(json.images)) {
    const view = views[image?.bufferView];
    if (!view) continue;
    const size = pictureSize(binary.subarray(view.byteOffset ?? 0, (view.byteOffset ?? 0) + view.byteLength));
    if (!size) continue;
    pixels += size.width * size.height;
    if (Math.max(size.width, size.height) > LARGEST_PICTURE_PX || pixels > MOST_PIXELS) {
      throw new ModelError("pictures", "This 3D model's textures are too large: 2048 × 2048 pixels are plenty.");
    }
  }
}

/** What the head of a PNG or JPEG says of its size; null for other formats. @param {Uint8Array} bytes */
function pictureSize(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length > 24 && view.getUint32(0) === 0x89504e47) return { width: view.getUint32(16), height: view.getUint32(20) };
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = bytes[at + 1];
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
  }
  return null;
}

/** @param {unknown} value @returns {any[]} */
function list(value) {
  return Array.isArray(value) ? value : [];
}
