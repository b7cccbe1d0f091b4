// @ts-check
/**
 * Which of a head's shapes make which viseme, blink, look and emotion – by the shapes' names, never by the meshes'.
 * Visemes by name first, then recipes of ARKit shapes, then VRM's five vowels, then a jaw that only opens. Pure.
 */
import { VISEMES } from "../mouth.mjs";
import { ARKIT, ARKIT_LOOKS, JAW_VISEMES, NEAREST, VRM_VISEMES, WHOLE_EMOTIONS } from "./recipes.mjs";

/**
 * @typedef {[shape: string, weight: number][]} Parts a sum of shapes, by the names the head itself uses
 * @typedef {"visemes" | "arkit" | "vrm" | "jaw" | "none"} Source
 * @typedef {object} MorphMap
 * @property {Source} source where the mouth comes from
 * @property {Parts[]} visemes in the order of VISEMES
 * @property {{left: Parts, right: Parts}} blink
 * @property {Record<"left" | "right" | "up" | "down", Parts>} looks
 * @property {{up: Parts, down: Parts}} brows
 * @property {Record<string, Parts>} emotions
 * @property {string[]} missing what this head cannot do, in words
 */

/** As many viseme shapes make it a head with visemes; what is left over is borrowed. */
const ENOUGH_VISEMES = 8;
/** As many ARKit mouth shapes beside the jaw make recipes better than vowels. */
const ENOUGH_ARKIT = 4;

/** Other names of the viseme shapes: VRChat writes vrc.v_aa, some exporters viseme_ih. */
const VOWELS = /** @type {Record<string, string[]>} */ ({ I: ["ih"], O: ["oh"], U: ["ou"], E: ["eh"], aa: ["ah"] });
const JAWS = ["jawOpen", "mouthOpen", "mouth_open", "jaw_open", "aa", "A"];

/** @param {Iterable<string>} names the shapes the head has @returns {MorphMap} */
export function mapMorphs(names) {
  const has = new Shapes(names);
  const named = VISEMES.map((viseme) => has.viseme(viseme));
  const source = sourceOf(has, named.filter(Boolean).length);
  const blink = { left: has.first(["eyeBlinkLeft", "blinkLeft"]), right: has.first(["eyeBlinkRight", "blinkRight"]) };
  if (!blink.left.length || !blink.right.length) {
    const both = has.first(["blink", "eyesClosed", "eyes_closed", "vrc.blink"]);
    if (both.length) Object.assign(blink, { left: both, right: [] });
  }
  const looks = /** @type {MorphMap["looks"]} */ ({});
  for (const way of /** @type {const} */ (["left", "right", "up", "down"])) {
    const capital = way[0].toUpperCase() + way.slice(1);
    looks[way] = has.recipe(ARKIT_LOOKS[way]);
    if (!looks[way].length) looks[way] = has.first([`look${capital}`, `eyesLook${capital}`]);
  }
  const emotions = Object.fromEntries(
    Object.keys(ARKIT.emotions).map((name) => [name, emotion(has, name)]),
  );
  const brows = { up: has.recipe(ARKIT.brows.up), down: has.recipe(ARKIT.brows.down) };
  const visemes = VISEMES.map((viseme) => visemeParts(has, source, viseme));
  const map = { source, visemes, blink, looks, brows, emotions };
  return { ...map, missing: missing(map) };
}

/** What was found, in one sentence for a person. @param {MorphMap} map */
export function describe({ source, missing: lacking }) {
  const mouths = {
    visemes: "The mouth has its own shape for each sound",
    arkit: "The mouth is mixed from ARKit face shapes",
    vrm: "The mouth is mixed from the five vowels of a VRM",
    jaw: "The mouth can only open and close",
    none: "This head has no mouth that could move: it listens and looks, but does not speak visibly",
  };
  return `${mouths[source]}${lacking.length ? `; it has no ${lacking.join(", no ")}` : ""}.`;
}

/** @param {Shapes} has @param {number} named @returns {Source} */
function sourceOf(has, named) {
  if (named >= ENOUGH_VISEMES && has.viseme("aa")) return "visemes";
  const arkit = new Set(Object.values(ARKIT.visemes).flatMap(Object.keys));
  const mouth = [...arkit].filter((name) => name !== "jawOpen" && has.find(name));
  if (has.find("jawOpen") && mouth.length >= ENOUGH_ARKIT) return "arkit";
  if (["aa", "ih", "ou", "ee", "oh"].filter((name) => has.find(name)).length >= 3) return "vrm";
  return JAWS.some((name) => has.find(name)) ? "jaw" : "none";
}

/** @param {Shapes} has @param {Source} source @param {string} viseme @returns {Parts} */
function visemeParts(has, source, viseme) {
  if (source === "arkit") return has.recipe(ARKIT.visemes[viseme]);
  if (source === "vrm") return has.recipe(VRM_VISEMES[viseme]);
  if (source === "jaw") {
    const [[name]] = has.first(JAWS);
    return JAW_VISEMES[viseme] ? [[name, JAW_VISEMES[viseme]]] : [];
  }
  if (source === "none" || viseme === "sil") return [];
  const own = has.viseme(viseme);
  if (own) return [[own, 1]];
  const recipe = has.recipe(ARKIT.visemes[viseme]);
  if (recipe.length > 1) return recipe;
  const near = has.viseme(NEAREST[viseme]);
  return near && NEAREST[viseme] !== "sil" ? [[near, 0.8]] : [];
}

/** @param {Shapes} has @param {string} name @returns {Parts} */
function emotion(has, name) {
  const recipe = has.recipe(ARKIT.emotions[name]);
  if (recipe.length >= 2) return recipe;
  return WHOLE_EMOTIONS[name].map((whole) => has.recipe(whole)).find((parts) => parts.length) ?? recipe;
}

/** @param {Omit<MorphMap, "missing">} map */
function missing({ blink, looks, brows, emotions }) {
  const lacking = [];
  if (!blink.left.length && !blink.right.length) lacking.push("eyelids that close");
  if (!looks.left.length || !looks.right.length) lacking.push("shapes for its gaze");
  if (!brows.up.length) lacking.push("brows that move");
  if (!Object.values(emotions).some((parts) => parts.length)) lacking.push("expressions");
  return lacking;
}

class Shapes {
  /** canonical name → the head's own @type {Map<string, string>} */
  #own = new Map();

  /** @param {Iterable<string>} names */
  constructor(names) {
    for (const name of names) if (!this.#own.has(canonical(name))) this.#own.set(canonical(name), name);
  }

  /** The head's own name of a shape. @param {string} name */
  find(name) {
    return this.#own.get(canonical(name));
  }

  /** @param {string} viseme */
  viseme(viseme) {
    const names = [viseme, ...(VOWELS[viseme] ?? [])].flatMap((each) => [`viseme_${each}`, `v_${each}`]);
    return names.map((name) => this.find(name)).find(Boolean);
  }

  /** The first of these the head has, whole. @param {string[]} names @returns {Parts} */
  first(names) {
    const found = names.map((name) => this.find(name)).find(Boolean);
    return found ? [[found, 1]] : [];
  }

  /** The part of a recipe the head can do. @param {import("./recipes.mjs").Recipe} recipe @returns {Parts} */
  recipe(recipe) {
    return Object.entries(recipe).flatMap(([name, weight]) => {
      const own = this.find(name);
      return own ? [/** @type {[string, number]} */ ([own, weight])] : [];
    });
  }
}

/**
 * The same for eyeBlinkLeft, eyeBlink_L, EyeBlink.L and blendShape1.eyeBlinkLeft: exporters disagree on these.
 * @param {string} name
 */
export function canonical(name) {
  const sided = name
    .replace(/(?:[._-]|(?<=[a-z]))L$/, "Left")
    .replace(/(?:[._-]|(?<=[a-z]))R$/, "Right");
  const last = sided.slice(sided.lastIndexOf(".") + 1) || sided;
  return last.toLowerCase().replace(/[^a-z0-9]/g, "") || name;
}
