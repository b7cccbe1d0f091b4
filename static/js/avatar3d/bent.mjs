// @ts-check
/**
 * A mesh whose shapes and bones are worked out here instead of in the shader, for machines whose CPU is both: there every
 * vertex asks after every shape and four bones in every drawing; here after those that move it. Only the vertices that
 * its triangles use are there.
 */
import { BufferAttribute, BufferGeometry, DynamicDrawUsage, MathUtils, Matrix4, Mesh } from "three";

/** What is worked out here, or needed only for that. */
const OWN = new Set(["position", "normal", "tangent", "skinIndex", "skinWeight"]);

/** A shape's vertices that move, and by how much: three numbers each; `turns`: their normals.
 * @typedef {{at: Uint32Array, moves: Float32Array, turns: Float32Array | null}} Shape */

export class Bent {
  /** What is drawn. @type {any} */
  mesh;
  #original;
  #layers;
  /** Of each vertex here: its number in the original. @type {Uint32Array} */
  #from;
  #position;
  #normal;
  /** Before bones, with and without shapes. @type {Float32Array} */
  #restPosition;
  #restNormal;
  #shapedPosition;
  #shapedNormal;
  /** @type {Map<number, Shape>} */
  #shapes = new Map();
  /** Four bones of each vertex, and how much each has to say. @type {{bones: Uint16Array, weights: Float32Array} | null} */
  #skin = null;
  /** The matrix of each bone and the weight of each shape that the vertices stand by. @type {Float32Array} */
  #stands = new Float32Array(0);

  /**
   * Takes the original's place in the picture until `dispose`.
   * @param {any} original @param {any} material @param {Uint32Array | null} index its triangles;
   *   null: those of the original
   */
  constructor(original, material, index) {
    this.#original = original;
    const { geometry } = original;
    const used = compact(index ?? geometry.index?.array ?? null, geometry.attributes.position.count);
    this.#from = used.from;
    const drawn = new BufferGeometry();
    for (const [name, attribute] of Object.entries(geometry.attributes)) {
      if (!OWN.has(name)) drawn.setAttribute(name, new BufferAttribute(this.#taken(attribute), attribute.itemSize));
    }
    this.#restPosition = this.#taken(geometry.attributes.position);
    this.#restNormal = geometry.attributes.normal ? this.#taken(geometry.attributes.normal) : null;
    this.#shapedPosition = this.#restPosition.slice();
    this.#shapedNormal = this.#restNormal?.slice() ?? null;
    if (original.isSkinnedMesh) {
      const bones = Uint16Array.from(this.#taken(geometry.attributes.skinIndex));
      this.#skin = { bones, weights: this.#taken(geometry.attributes.skinWeight) };
    }
    this.#position = moving(this.#skin ? this.#restPosition.slice() : this.#shapedPosition);
    drawn.setAttribute("position", this.#position);
    this.#normal = this.#shapedNormal && moving(this.#skin ? this.#shapedNormal.slice() : this.#shapedNormal);
    if (this.#normal) drawn.setAttribute("normal", this.#normal);
    if (used.index) drawn.setIndex(new BufferAttribute(used.index, 1));
    if (!index) for (const { start, count, materialIndex } of geometry.groups) drawn.addGroup(start, count, materialIndex);
    this.mesh = new Mesh(drawn, material);
    this.mesh.name = original.name;
    this.mesh.renderOrder = original.renderOrder;
    this.mesh.frustumCulled = this.mesh.matrixAutoUpdate = this.mesh.matrixWorldAutoUpdate = false;
    this.#layers = original.layers.mask;
    original.layers.mask = 0;
  }

  /** To where shapes and bones are now; the world's matrices are up to date. */
  follow() {
    const { matrixWorld, morphTargetInfluences: weights = [] } = this.#original;
    this.mesh.matrixWorld.copy(matrixWorld);
    const palette = this.#skin ? this.#palette() : [];
    if (!this.#anew(weights, palette)) return;
    this.#shape(weights);
    if (this.#skin) this.#bend(this.#skin, this.#stands.subarray(weights.length));
    this.#position.needsUpdate = true;
    if (this.#normal) this.#normal.needsUpdate = true;
  }

  dispose() {
    this.#original.layers.mask = this.#layers;
    this.mesh.removeFromParent();
    this.mesh.geometry.dispose();
  }

  /** @param {any} attribute @returns {Float32Array} of the vertices that are here, as plain numbers */
  #taken(attribute) {
    const { itemSize, normalized, offset = 0, data } = attribute;
    const { array, stride = itemSize } = data ?? attribute;
    const unit = normalized ? MathUtils.denormalize(1, array) : 1;
    const out = new Float32Array(itemSize * this.#from.length);
    for (let n = 0, to = 0; n < this.#from.length; n++) {
      const from = stride * this.#from[n] + offset;
      for (let k = 0; k < itemSize; k++) out[to++] = unit * array[from + k];
    }
    return out;
  }

  /** Whether something stands elsewhere than the last time. @param {number[]} weights @param {ArrayLike<number>} palette */
  #anew(weights, palette) {
    const count = weights.length + palette.length;
    let changed = this.#stands.length !== count;
    if (changed) this.#stands = new Float32Array(count);
    for (let n = 0; n < count; n++) {
      const value = Math.fround(n < weights.length ? weights[n] : palette[n - weights.length]);
      if (this.#stands[n] === value) continue;
      this.#stands[n] = value;
      changed = true;
    }
    return changed;
  }

  /** @param {number[]} weights */
  #shape(weights) {
    this.#shapedPosition.set(this.#restPosition);
    this.#shapedNormal?.set(/** @type {Float32Array} */ (this.#restNormal));
    weights.forEach((weight, index) => {
      if (!weight) return;
      const { at, moves, turns } = this.#shapeOf(index);
      move(this.#shapedPosition, at, moves, weight);
      if (turns && this.#shapedNormal) move(this.#shapedNormal, at, turns, weight);
    });
  }

  /** @param {number} index @returns {Shape} */
  #shapeOf(index) {
    let shape = this.#shapes.get(index);
    if (!shape) {
      const { position, normal } = this.#original.geometry.morphAttributes;
      shape = sparse(this.#taken(position[index]), normal ? this.#taken(normal[index]) : null);
      this.#shapes.set(index, shape);
    }
    return shape;
  }

  /** What each bone makes of a vertex, in the original's own space: 16 numbers each. */
  #palette() {
    const { skeleton, bindMatrix, bindMatrixInverse } = this.#original;
    const out = new Float32Array(16 * skeleton.bones.length);
    skeleton.bones.forEach((/** @type {any} */ bone, /** @type {number} */ n) => {
      matrix.multiplyMatrices(bone.matrixWorld, skeleton.boneInverses[n]);
      matrix.premultiply(bindMatrixInverse).multiply(bindMatrix).toArray(out, 16 * n);
    });
    return out;
  }

  /** @param {{bones: Uint16Array, weights: Float32Array}} skin @param {Float32Array} palette */
  #bend({ bones, weights }, palette) {
    bend(palette, bones, weights, this.#shapedPosition, this.#position.array, true);
    if (this.#normal && this.#shapedNormal) bend(palette, bones, weights, this.#shapedNormal, this.#normal.array, false);
  }
}

const matrix = new Matrix4();

/**
 * @param {Float32Array} palette @param {Uint16Array} bones @param {Float32Array} weights
 * @param {Float32Array} from @param {Float32Array} to three numbers a vertex @param {boolean} places else directions
 */
function bend(palette, bones, weights, from, to, places) {
  for (let at = 0, slot = 0; at < from.length; at += 3, slot += 4) {
    const u = from[at];
    const v = from[at + 1];
    const w = from[at + 2];
    let x = 0;
    let y = 0;
    let z = 0;
    for (let k = slot; k < slot + 4; k++) {
      const by = weights[k];
      if (by === 0) continue;
      const m = 16 * bones[k];
      x += by * (palette[m] * u + palette[m + 4] * v + palette[m + 8] * w + (places ? palette[m + 12] : 0));
      y += by * (palette[m + 1] * u + palette[m + 5] * v + palette[m + 9] * w + (places ? palette[m + 13] : 0));
      z += by * (palette[m + 2] * u + palette[m + 6] * v + palette[m + 10] * w + (places ? palette[m + 14] : 0));
    }
    to[at] = x;
    to[at + 1] = y;
    to[at + 2] = z;
  }
}

/** @param {Float32Array} numbers */
function moving(numbers) {
  return new BufferAttribute(numbers, 3).setUsage(DynamicDrawUsage);
}

/**
 * The vertices that triangles use, in the order of their first use, and the triangles of these.
 * @param {ArrayLike<number> | null} index null: every three vertices are one @param {number} count of vertices
 * @returns {{from: Uint32Array, index: Uint32Array | null}}
 */
function compact(index, count) {
  if (!index) return { from: Uint32Array.from({ length: count }, (_, n) => n), index: null };
  const place = new Int32Array(count).fill(-1);
  const from = new Uint32Array(count);
  const next = new Uint32Array(index.length);
  let used = 0;
  for (let n = 0; n < index.length; n++) {
    const vertex = index[n];
    if (place[vertex] < 0) {
      from[used] = vertex;
      place[vertex] = used++;
    }
    next[n] = place[vertex];
  }
  return { from: from.slice(0, used), index: next };
}

/** @param {Float32Array} moves @param {Float32Array | null} turns @returns {Shape} without the vertices at rest */
function sparse(moves, turns) {
  const at = [];
  const moved = (/** @type {Float32Array} */ of, /** @type {number} */ n) => of[n] !== 0 || of[n + 1] !== 0 || of[n + 2] !== 0;
  for (let n = 0; n < moves.length; n += 3) if (moved(moves, n) || (turns && moved(turns, n))) at.push(n);
  const kept = (/** @type {Float32Array} */ of) => Float32Array.from(at.flatMap((n) => [of[n], of[n + 1], of[n + 2]]));
  return { at: Uint32Array.from(at), moves: kept(moves), turns: turns && kept(turns) };
}

/** @param {Float32Array} points @param {Uint32Array} at @param {Float32Array} moves @param {number} weight */
function move(points, at, moves, weight) {
  for (let n = 0; n < at.length; n++) {
    const to = at[n];
    points[to] += weight * moves[3 * n];
    points[to + 1] += weight * moves[3 * n + 1];
    points[to + 2] += weight * moves[3 * n + 2];
  }
}
