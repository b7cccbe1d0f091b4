// @ts-check
/** Where the camera stands so that a head of any size fills a picture of any shape well. Pure. */

/** A long lens: faces near a short one have large noses. */
export const FIELD_OF_VIEW_DEG = 22;
/** The head's part of the picture's height … */
const HEIGHT_SHARE = 0.6;
/** … and at most of its width. */
const WIDTH_SHARE = 0.66;
/** The picture's middle lies so far below the head's, in head heights: shoulders show, the hair is not cut. */
const LOWER = 0.11;
/** A head is at most this much wider than high; what is wider is hair or a hat. */
const WIDEST = 1.05;

/**
 * @param {{min: number[], max: number[]}} box the head's bounds [x, y, z], facing +z
 * @param {number} aspect width / height of the picture
 * @returns {{position: number[], target: number[], near: number, far: number, height: number}}
 *   `height`: the head's, for lights to be placed by
 */
export function frame({ min, max }, aspect) {
  const height = Math.max(1e-6, max[1] - min[1]);
  const width = Math.min(max[0] - min[0], height * WIDEST);
  const half = Math.tan((FIELD_OF_VIEW_DEG * Math.PI) / 360);
  const byHeight = height / HEIGHT_SHARE / (2 * half);
  const byWidth = width / WIDTH_SHARE / (2 * half * Math.max(0.1, aspect));
  const distance = Math.max(byHeight, byWidth);
  const front = max[2] - 0.3 * (max[2] - min[2]);
  const middle = [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2 - LOWER * height, front];
  return {
    position: [middle[0], middle[1] + 0.05 * height, front + distance],
    target: middle,
    near: distance * 0.1,
    far: distance * 12,
    height,
  };
}
