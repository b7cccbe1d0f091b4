import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { MouthTrack, VISEMES } from "../../static/js/mouth.mjs";

function frame(sample, viseme, emotion = "") {
  const weights = Array(15).fill(0);
  weights[VISEMES.indexOf(viseme)] = 255;
  return [sample, weights, {}, emotion];
}

test("the page and the workers name the visemes alike", () => {
  const python = readFileSync(new URL("../../broker/visemes.py", import.meta.url), "utf8");
  const [, names] = /VISEMES = \(([^)]*)\)/.exec(python);
  assert.deepEqual(
    [...names.matchAll(/"(\w+)"/g)].map((match) => match[1]),
    [...VISEMES],
  );
});

test("between two frames the mouth is between their shapes", () => {
  const track = new MouthTrack();
  track.feed([frame(0, "sil"), frame(480, "aa", "happy")]);
  const { weights } = track.at(240);
  assert.equal(weights[VISEMES.indexOf("sil")], 0.5);
  assert.equal(weights[VISEMES.indexOf("aa")], 0.5);
  assert.equal(track.at(480).emotion, "happy");
});

test("where nothing is known the mouth is closed", () => {
  const track = new MouthTrack();
  assert.equal(track.at(0).weights[0], 1);
  track.feed([frame(4800, "aa")]);
  assert.equal(track.at(100).weights[0], 1);
  assert.equal(track.at(4800).weights[0], 0);
  assert.equal(track.at(4800 + 960).weights[0], 1);
});

test("a gap is not bridged", () => {
  const track = new MouthTrack();
  track.feed([frame(0, "aa"), frame(48_000, "PP")]);
  assert.equal(track.at(400).weights[VISEMES.indexOf("PP")], 0);
});

test("frames said again take the place of those before", () => {
  const track = new MouthTrack();
  track.feed([frame(0, "aa"), frame(480, "aa")]);
  track.feed([frame(0, "U"), frame(480, "U")]);
  assert.equal(track.at(100).weights[VISEMES.indexOf("U")], 1);
});

test("what is no frame is left out, and an endless feed does not grow", () => {
  const track = new MouthTrack();
  track.feed([[NaN, []], [0, [1, 2]], ["x"], frame(0, "O")]);
  assert.equal(track.at(0).weights[VISEMES.indexOf("O")], 1);
  for (let n = 0; n < 5000; n++) track.feed([frame(n * 480, "O")]);
  assert.equal(track.at(480).weights[0], 1);
  assert.equal(track.at(4999 * 480).weights[VISEMES.indexOf("O")], 1);
});
