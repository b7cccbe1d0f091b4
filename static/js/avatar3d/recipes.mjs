// @ts-check
/**
 * How visemes, emotions and small movements are made from the shapes a head may have. Pure data.
 *
 * Shape names are ARKit's (developer.apple.com, ARFaceAnchor.BlendShapeLocation); a star stands for Left and Right.
 * Weights were set by looking at the shapes on heads of several makers; lips that must touch have no open jaw.
 */

/** @typedef {Record<string, number>} Recipe shape → weight */

/** @type {Record<string, Recipe>} */
const ARKIT_VISEMES = {
  sil: {},
  PP: { "mouthPress*": 0.45, mouthRollLower: 0.3, mouthRollUpper: 0.25 },
  FF: { jawOpen: 0.05, mouthRollLower: 0.5, "mouthUpperUp*": 0.25, "mouthStretch*": 0.1 },
  TH: { jawOpen: 0.14, tongueOut: 0.35, "mouthLowerDown*": 0.2, "mouthUpperUp*": 0.1 },
  DD: { jawOpen: 0.12, "mouthLowerDown*": 0.25, "mouthUpperUp*": 0.15, "mouthStretch*": 0.1 },
  kk: { jawOpen: 0.18, "mouthLowerDown*": 0.2, "mouthStretch*": 0.1 },
  CH: { jawOpen: 0.08, mouthFunnel: 0.45, mouthPucker: 0.15, "mouthUpperUp*": 0.1 },
  SS: { jawOpen: 0.05, "mouthStretch*": 0.25, "mouthSmile*": 0.1, "mouthLowerDown*": 0.2 },
  nn: { jawOpen: 0.1, "mouthLowerDown*": 0.18, "mouthStretch*": 0.08 },
  RR: { jawOpen: 0.12, mouthFunnel: 0.35, mouthPucker: 0.1 },
  aa: { jawOpen: 0.6, "mouthLowerDown*": 0.2, "mouthUpperUp*": 0.12 },
  E: { jawOpen: 0.28, "mouthStretch*": 0.3, "mouthSmile*": 0.15, "mouthLowerDown*": 0.2 },
  I: { jawOpen: 0.14, "mouthSmile*": 0.3, "mouthStretch*": 0.25, "mouthLowerDown*": 0.15 },
  O: { jawOpen: 0.38, mouthFunnel: 0.5, mouthPucker: 0.15 },
  U: { jawOpen: 0.15, mouthPucker: 0.65, mouthFunnel: 0.25 },
};

/** VRM's five vowels. @type {Record<string, Recipe>} */
export const VRM_VISEMES = {
  sil: {},
  PP: {},
  FF: { ih: 0.1 },
  TH: { ih: 0.2, aa: 0.08 },
  DD: { ih: 0.22, aa: 0.05 },
  kk: { aa: 0.2, ih: 0.1 },
  CH: { ou: 0.35, ih: 0.1 },
  SS: { ih: 0.3 },
  nn: { ih: 0.18 },
  RR: { ou: 0.3, aa: 0.08 },
  aa: { aa: 0.9 },
  E: { ee: 0.75, aa: 0.1 },
  I: { ih: 0.8 },
  O: { oh: 0.85 },
  U: { ou: 0.85 },
};

/** How far a mouth opens that can do nothing else. @type {Record<string, number>} */
export const JAW_VISEMES = {
  ...{ sil: 0, PP: 0, FF: 0.08, TH: 0.22, DD: 0.2, kk: 0.28, CH: 0.15, SS: 0.1 },
  ...{ nn: 0.15, RR: 0.2, aa: 0.8, E: 0.45, I: 0.28, O: 0.6, U: 0.25 },
};

/** A viseme shape that is missing looks most like this one. @type {Record<string, string>} */
export const NEAREST = {
  ...{ FF: "PP", TH: "DD", DD: "nn", kk: "DD", CH: "SS", SS: "DD", nn: "DD", RR: "CH", PP: "sil" },
  ...{ aa: "E", E: "I", I: "E", O: "U", U: "O", sil: "sil" },
};

/** @type {Record<string, Recipe>} */
const ARKIT_EMOTIONS = {
  happy: { "mouthSmile*": 0.55, "cheekSquint*": 0.4, "eyeSquint*": 0.25, browInnerUp: 0.1 },
  concerned: { browInnerUp: 0.65, "mouthFrown*": 0.3, "browDown*": 0.12, "eyeSquint*": 0.1 },
  surprised: { browInnerUp: 0.6, "browOuterUp*": 0.7, "eyeWide*": 0.55, jawOpen: 0.14 },
  thinking: { browDownLeft: 0.35, browOuterUpRight: 0.35, "eyeSquint*": 0.2, "mouthPress*": 0.2, mouthLeft: 0.1 },
};

/** For heads that have whole expressions only (VRM), or the few of Ready Player Me's. @type {Record<string, Recipe[]>} */
export const WHOLE_EMOTIONS = {
  happy: [{ happy: 0.6 }, { mouthSmile: 0.5 }],
  concerned: [{ sad: 0.5 }],
  surprised: [{ surprised: 0.6 }],
  thinking: [{ relaxed: 0.35 }],
};

/** @type {Record<string, Recipe>} */
const ARKIT_BROWS = { up: { browInnerUp: 0.6, "browOuterUp*": 0.6 }, down: { "browDown*": 0.8 } };

/** Gaze to the picture's left and right: the eyes turn together, each named from the head's own side. */
export const ARKIT_LOOKS = {
  right: { eyeLookOutLeft: 1, eyeLookInRight: 1 },
  left: { eyeLookInLeft: 1, eyeLookOutRight: 1 },
  up: { eyeLookUpLeft: 1, eyeLookUpRight: 1 },
  down: { eyeLookDownLeft: 1, eyeLookDownRight: 1 },
};

/** @param {Recipe} recipe @returns {Recipe} with every star written out */
export function bothSides(recipe) {
  return Object.fromEntries(
    Object.entries(recipe).flatMap(([name, weight]) =>
      name.endsWith("*") ? ["Left", "Right"].map((side) => [name.slice(0, -1) + side, weight]) : [[name, weight]],
    ),
  );
}

/** @param {Record<string, Recipe>} recipes */
function all(recipes) {
  return Object.fromEntries(Object.entries(recipes).map(([name, recipe]) => [name, bothSides(recipe)]));
}

export const ARKIT = Object.freeze({
  visemes: all(ARKIT_VISEMES),
  emotions: all(ARKIT_EMOTIONS),
  brows: all(ARKIT_BROWS),
});
