// @ts-check
/**
 * Fewer triangles for machines whose CPU draws: there most of a drawing's time goes by their number. Those that stay are
 * where they were, so that every shape still fits; what moves as the others do is given up first, lids and lips last.
 */
import { MeshoptSimplifier } from "meshopt_simplifier";

/** A head of so many is drawn as it is. */
export const ENOUGH_TRIANGLES = 12_000;
/** Of the mesh's size: beyond it a mesh keeps more triangles than its share. */
const MOST_ERROR = 0.02;
/** What the simplifier takes into account besides positions: normals and so many shapes. */
const MOST_SHAPES = 9;
const NORMAL_WEIGHT = 0.3;
const SHAPE_WEIGHT = 2;

/** Before it `coarser` cannot work. */
export const { ready } = MeshoptSimplifier;

/**
 * A mesh after the other, for whoever has something else to do between two.
 * @param {any[]} meshes @param {string[]} shapes those that matter most, by name
 * @returns {Generator<[mesh: any, index: Uint32Array]>} the fewer triangles of each; nothing where there are few anyway
 */
export function* coarser(meshes, shapes) {
  const fine = meshes.filter(({ geometry }) => geometry.index);
  const triangles = fine.reduce((sum, { geometry }) => sum + geometry.index.count / 3, 0);
  if (triangles <= ENOUGH_TRIANGLES) return;
  for (const mesh of fine) {
    const { geometry, morphTargetDictionary = {} } = mesh;
    if (geometry.groups.length > 1) continue;
    const wanted = 3 * Math.floor((geometry.index.count / 3) * (ENOUGH_TRIANGLES / triangles));
    yield [mesh, simplified(geometry, morphTargetDictionary, shapes, wanted)];
  }
}

/** @param {any} geometry @param {Record<string, number>} dictionary @param {string[]} shapes @param {number} wanted */
function simplified({ index, attributes, morphAttributes }, dictionary, shapes, wanted) {
  const positions = flat(attributes.position);
  const scale = MeshoptSimplifier.getScale(positions, 3) || 1;
  const moves = shapes.filter((name) => name in dictionary).slice(0, MOST_SHAPES);
  const columns = moves.map((name) => flat(morphAttributes.position[dictionary[name]]));
  const weights = columns.flatMap(() => Array(3).fill(SHAPE_WEIGHT / scale));
  if (attributes.normal) {
    columns.push(flat(attributes.normal));
    weights.push(...Array(3).fill(NORMAL_WEIGHT));
  }
  const of = Uint32Array.from({ length: index.count }, (_, n) => index.getX(n));
  const beside = interleaved(columns, attributes.position.count);
  return MeshoptSimplifier.simplifyWithAttributes(
    of, positions, 3, beside, weights.length, weights, null, wanted, MOST_ERROR,
  )[0];
}

/** @param {any} attribute of three numbers, quantised or not @returns {Float32Array} */
function flat(attribute) {
  const out = new Float32Array(attribute.count * 3);
  for (let n = 0; n < attribute.count; n++) out.set([attribute.getX(n), attribute.getY(n), attribute.getZ(n)], 3 * n);
  return out;
}

/** @param {Float32Array[]} columns three numbers a vertex each @param {number} count */
function interleaved(columns, count) {
  const stride = 3 * columns.length;
  const out = new Float32Array(stride * count);
  columns.forEach((column, place) => {
    for (let n = 0; n < count; n++) out.set(column.subarray(3 * n, 3 * n + 3), stride * n + 3 * place);
  });
  return out;
}
