import assert from "node:assert/strict";
import { test } from "node:test";

import { Countenance } from "../../static/js/avatar3d/countenance.mjs";
import { frame, FIELD_OF_VIEW_DEG } from "../../static/js/avatar3d/framing.mjs";
import { mix } from "../../static/js/avatar3d/mixing.mjs";
import { canonical, describe, mapMorphs } from "../../static/js/avatar3d/morph_map.mjs";
import { drawnSize, firstQuality, QualityWatch } from "../../static/js/avatar3d/quality.mjs";
import { ARKIT } from "../../static/js/avatar3d/recipes.mjs";
import { CLOSED, VISEMES } from "../../static/js/mouth.mjs";

const SHAPES = [
  ...new Set([
    ...Object.values(ARKIT.visemes).flatMap(Object.keys),
    ...Object.values(ARKIT.emotions).flatMap(Object.keys),
    ...Object.values(ARKIT.brows).flatMap(Object.keys),
    ...["In", "Out", "Up", "Down"].flatMap((way) => [`eyeLook${way}Left`, `eyeLook${way}Right`]),
    ...["eyeBlinkLeft", "eyeBlinkRight"],
  ]),
];
const NAMED = VISEMES.map((viseme) => `viseme_${viseme}`);

function viseme(name) {
  return VISEMES.map((each) => Number(each === name));
}

function mouth(name, face = {}, emotion = "") {
  return { weights: viseme(name), face, emotion, known: true };
}

/** What the head's shapes are at, for a mouth at rest in its look. */
function shown(map, { weights, face = {}, emotion = "" }) {
  const into = new Map();
  mix(map, new Countenance().at({ weights, face, emotion, known: true }, 0), into);
  return Object.fromEntries(into);
}

// --- which shapes make what ------------------------------------------------------------------------------------------

test("a head with visemes of its own speaks with them", () => {
  const map = mapMorphs([...NAMED, ...SHAPES]);
  assert.equal(map.source, "visemes");
  for (const name of VISEMES) {
    const expected = name === "sil" ? {} : { [`viseme_${name}`]: 1 };
    assert.deepEqual(shown(map, { weights: viseme(name) }), expected, name);
  }
});

test("a head with ARKit's shapes speaks by recipe, and its lips touch for p, b and m", () => {
  const map = mapMorphs(SHAPES);
  assert.equal(map.source, "arkit");
  const jaw = (name) => shown(map, { weights: viseme(name) }).jawOpen ?? 0;
  assert.equal(jaw("PP"), 0);
  assert.equal(jaw("sil"), 0);
  assert.ok(jaw("aa") > jaw("O") && jaw("O") > jaw("E") && jaw("E") > jaw("I") && jaw("I") > jaw("SS"));
  const wide = (name) => shown(map, { weights: viseme(name) });
  assert.ok(wide("U").mouthPucker > 0.5 && !wide("I").mouthPucker);
  assert.ok(wide("I").mouthSmileLeft > 0.2 && wide("I").mouthSmileLeft === wide("I").mouthSmileRight);
  assert.ok(wide("TH").tongueOut > 0);
});

test("a VRM speaks with its five vowels, or with ARKit's shapes where it has them", () => {
  const presets = ["aa", "ih", "ou", "ee", "oh", "blink", "happy", "sad", "relaxed", "surprised", "lookUp", "lookDown"];
  const map = mapMorphs(presets);
  assert.equal(map.source, "vrm");
  assert.deepEqual(Object.keys(shown(map, { weights: viseme("O") })), ["oh"]);
  assert.deepEqual(shown(map, { weights: viseme("PP") }), {});
  assert.deepEqual(shown(map, { weights: viseme("sil"), face: { blink: 1 } }), { blink: 1 });
  assert.ok(map.emotions.happy.length && map.emotions.concerned[0][0] === "sad");
  assert.equal(mapMorphs([...presets, ...SHAPES]).source, "arkit");
});

test("a jaw alone opens by how open each sound is", () => {
  for (const name of ["jawOpen", "mouthOpen", "Mouth_Open"]) {
    const map = mapMorphs([name, "unrelated"]);
    assert.equal(map.source, "jaw");
    assert.ok(shown(map, { weights: viseme("aa") })[name] > shown(map, { weights: viseme("I") })[name]);
    assert.deepEqual(shown(map, { weights: viseme("PP") }), {});
  }
});

test("a head without shapes is said to be silent, and nothing is thrown", () => {
  const map = mapMorphs([]);
  assert.equal(map.source, "none");
  assert.deepEqual(shown(map, { weights: viseme("aa"), face: { blink: 1, brows: 1 }, emotion: "happy" }), {});
  assert.match(describe(map), /^This head has no mouth .+ it has no eyelids that close.*\.$/);
});

test("exporters' spellings of a shape are the same shape", () => {
  const same = ["eyeBlinkLeft", "eyeBlink_L", "EyeBlink.L", "blendShape1.eyeBlinkLeft", "eye_blink_left", "eyeBlinkL"];
  for (const name of same) assert.equal(canonical(name), "eyeblinkleft", name);
  for (const name of ["viseme_RR", "viseme_PP", "viseme_U", "mouthFunnel"]) {
    assert.equal(canonical(name), name.toLowerCase().replace("_", ""), name);
  }
  const map = mapMorphs(["sil", "pp", "ff", "th", "dd", "kk", "ch", "ss", "nn", "rr", "aa", "e", "ih", "oh", "ou"].map((v) => `vrc.v_${v}`));
  assert.equal(map.source, "visemes");
  assert.deepEqual(map.visemes[VISEMES.indexOf("I")], [["vrc.v_ih", 1]]);
});

test("a viseme that is missing is made of ARKit's shapes, or borrowed from the nearest", () => {
  const fewer = NAMED.filter((name) => name !== "viseme_O");
  assert.deepEqual(mapMorphs(fewer).visemes[VISEMES.indexOf("O")], [["viseme_U", 0.8]]);
  const withShapes = mapMorphs([...fewer, ...SHAPES]).visemes[VISEMES.indexOf("O")];
  assert.ok(withShapes.some(([name]) => name === "mouthFunnel"));
});

test("names that JavaScript knows are only names", () => {
  const map = mapMorphs(["__proto__", "constructor", "toString", "jawOpen", ""]);
  assert.equal(map.source, "jaw");
});

// --- what the face does ----------------------------------------------------------------------------------------------

test("eyes and brows go where the programme says, each eye its own way", () => {
  const map = mapMorphs(SHAPES);
  const right = shown(map, { weights: viseme("sil"), face: { gaze_x: 0.5, gaze_y: -1, brows: -1 } });
  assert.equal(right.eyeLookOutLeft, 0.5);
  assert.equal(right.eyeLookInRight, 0.5);
  assert.equal(right.eyeLookDownLeft, 1);
  assert.ok(right.browDownLeft > 0.5 && !right.browInnerUp);
  const left = shown(map, { weights: viseme("sil"), face: { gaze_x: -0.5, brows: 1 } });
  assert.equal(left.eyeLookInLeft, 0.5);
  assert.ok(left.browInnerUp > 0.5);
});

test("an emotion does not open lips that a sound closes, and is smaller at the mouth while it speaks", () => {
  const map = mapMorphs(SHAPES);
  const feeling = { emotion: "surprised", face: { emotion_strength: 1 } };
  assert.ok(shown(map, { weights: viseme("sil"), ...feeling }).jawOpen > 0.1);
  assert.equal(shown(map, { weights: viseme("PP"), ...feeling }).jawOpen ?? 0, 0);
  const happy = { emotion: "happy", face: { emotion_strength: 1 } };
  const smiling = shown(map, { weights: viseme("sil"), ...happy });
  const talking = shown(map, { weights: viseme("aa"), ...happy });
  assert.ok(talking.mouthSmileLeft < smiling.mouthSmileLeft && talking.mouthSmileLeft > 0.1);
  assert.equal(talking.cheekSquintLeft, smiling.cheekSquintLeft);
});

test("no shape goes beyond its end", () => {
  const map = mapMorphs(SHAPES);
  const weights = VISEMES.map(() => 1);
  for (const weight of Object.values(shown(map, { weights, emotion: "happy", face: { emotion_strength: 1 } }))) {
    assert.ok(weight > 0 && weight <= 1);
  }
});

test("an emotion comes and goes smoothly, and the last one fades under the next", () => {
  const countenance = new Countenance();
  countenance.at(mouth("sil"), 0);
  const strengths = [];
  for (let ms = 16; ms <= 400; ms += 16) strengths.push(countenance.at(mouth("sil", { emotion_strength: 1 }, "happy"), ms).emotions.happy);
  for (let n = 1; n < strengths.length; n++) assert.ok(strengths[n] > strengths[n - 1] && strengths[n] - strengths[n - 1] < 0.1);
  const { emotions } = countenance.at(mouth("sil", { emotion_strength: 1 }, "thinking"), 432);
  assert.ok(emotions.happy > 0.6 && emotions.thinking > 0);
  let last = {};
  for (let ms = 448; ms < 3000; ms += 16) last = countenance.at(mouth("sil", { emotion_strength: 0 }, "neutral"), ms).emotions;
  assert.deepEqual(last, {});
});

test("the mouth is not slowed, but one that is broken off closes without a jump", () => {
  const countenance = new Countenance();
  countenance.at(mouth("sil"), 0);
  const open = VISEMES.indexOf("aa");
  assert.equal(countenance.at(mouth("aa"), 16).weights[open], 1);
  const first = countenance.at(CLOSED, 32).weights[open];
  assert.ok(first > 0.4 && first < 0.9);
  assert.ok(countenance.at(CLOSED, 232).weights[open] < 0.01);
});

test("a head that is told nothing breathes and blinks, and no number from outside breaks it", () => {
  const countenance = new Countenance();
  const looks = Array.from({ length: 1500 }, (_, n) => countenance.at(CLOSED, n * 16));
  const blinks = looks.filter((look, n) => look.blink > 0.5 && !(looks[n - 1]?.blink > 0.5)).length;
  assert.ok(blinks >= 4 && blinks <= 10, `${blinks} blinks in 24 s`);
  const breaths = looks.map((look) => look.breath);
  assert.ok(Math.max(...breaths) > 0.95 && Math.min(...breaths) < 0.05);
  const odd = { blink: NaN, yaw: Infinity, pitch: 99, roll: "x", gaze_x: null, brows: {}, emotion_strength: -5 };
  const look = countenance.at(mouth("aa", odd, "__proto__"), 24_100);
  for (const value of [look.blink, look.yaw, look.pitch, look.roll, look.gazeX, look.brows]) assert.ok(Number.isFinite(value));
  assert.ok(Math.abs(look.pitch) <= 0.45);
});

// --- where the camera stands -----------------------------------------------------------------------------------------

function shares(box, aspect) {
  const view = frame(box, aspect);
  const [, , z] = view.target;
  const seen = 2 * (view.position[2] - z) * Math.tan((FIELD_OF_VIEW_DEG * Math.PI) / 360);
  return { height: (box.max[1] - box.min[1]) / seen, width: (box.max[0] - box.min[0]) / (seen * aspect), view };
}

test("a head fills the picture alike at every size, and never its whole width", () => {
  for (const size of [0.001, 1, 1000]) {
    const box = { min: [-0.08 * size, 1.5 * size, -0.1 * size], max: [0.08 * size, 1.74 * size, 0.1 * size] };
    for (const aspect of [0.4, 0.7, 1, 1.6, 3]) {
      const { height, width, view } = shares(box, aspect);
      assert.ok(height < 0.7 && width < 0.75, `${size} ${aspect}`);
      assert.ok(height > 0.5 || width > 0.6, `${size} ${aspect}: ${height} ${width}`);
      assert.ok(view.near < view.position[2] - box.max[2] && view.far > view.position[2] - box.min[2]);
    }
  }
});

test("wide hair does not push the face away", () => {
  const face = shares({ min: [-0.08, 1.5, -0.1], max: [0.08, 1.74, 0.1] }, 1).view;
  const hair = shares({ min: [-0.4, 1.5, -0.1], max: [0.4, 1.74, 0.1] }, 1).view;
  assert.ok(hair.position[2] < 1.2 * face.position[2]);
});

// --- how finely it is drawn ------------------------------------------------------------------------------------------

test("a CPU that draws begins low, a graphics card high, and the address decides over both", () => {
  assert.equal(firstQuality("", "ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)"), "low");
  assert.equal(firstQuality("", "llvmpipe (LLVM 15.0.6, 256 bits)"), "low");
  assert.equal(firstQuality("", "ANGLE (NVIDIA GeForce RTX 3060)"), "high");
  assert.equal(firstQuality("low", "NVIDIA"), "low");
  assert.equal(firstQuality("high", "SwiftShader"), "high");
  assert.equal(firstQuality("nonsense", "NVIDIA"), "high");
});

function draw(watch, everyMs, frames, fromMs = 0) {
  let changes = 0;
  for (let n = 0; n < frames; n++) changes += Number(watch.drawn(fromMs + n * everyMs));
  return changes;
}

test("slow frames step the quality down until it is at its end, fast ones and single stutters do not", () => {
  const fast = new QualityWatch("high", false);
  assert.equal(draw(fast, 16.7, 500), 0);
  const slow = new QualityWatch("high", false);
  assert.equal(draw(slow, 90, 60), 1);
  assert.deepEqual([slow.quality, slow.step], ["low", 0]);
  assert.equal(draw(slow, 90, 1000, 1e6), 2);
  assert.deepEqual([slow.quality, slow.step], ["low", 2]);
  const stutter = new QualityWatch("high", false);
  for (let n = 0, ms = 0; n < 500; n++) assert.equal(stutter.drawn((ms += n % 7 ? 16 : 300)), false);
  const asked = new QualityWatch("high", true);
  assert.equal(draw(asked, 400, 500), 0);
});

test("a tab that was hidden is not slow", () => {
  const watch = new QualityWatch("high", false);
  for (let n = 0; n < 200; n++) assert.equal(watch.drawn(n * 5000), false);
});

test("low quality draws at most 480 pixels, high no more than two per css pixel", () => {
  assert.deepEqual(drawnSize(524, 524, 3, { quality: "low", step: 0 }), { width: 480, height: 480 });
  assert.deepEqual(drawnSize(390, 200, 1, { quality: "low", step: 2 }), { width: 224, height: 115 });
  assert.deepEqual(drawnSize(200, 100, 2, { quality: "low", step: 0 }), { width: 200, height: 100 });
  assert.deepEqual(drawnSize(436, 436, 3, { quality: "high", step: 0 }), { width: 872, height: 872 });
  assert.deepEqual(drawnSize(0, 0, 1, { quality: "high", step: 0 }), { width: 1, height: 1 });
});
