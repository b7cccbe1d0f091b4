import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { MouthTrack, TICK_SAMPLES, VISEMES } from "../../static/js/mouth.mjs";
import { programmeSample, rtpPlus } from "../../static/js/rtp.mjs";

const MIDDLE = TICK_SAMPLES / 2;

function frame(sample, viseme, emotion = "", face = {}) {
  const weights = Array(15).fill(0);
  weights[VISEMES.indexOf(viseme)] = 255;
  return [sample, weights, face, emotion];
}

test("the page and the workers name the visemes alike", () => {
  const python = readFileSync(new URL("../../broker/visemes.py", import.meta.url), "utf8");
  const [, names] = /VISEMES = \(([^)]*)\)/.exec(python);
  assert.deepEqual(
    [...names.matchAll(/"(\w+)"/g)].map((match) => match[1]),
    [...VISEMES],
  );
});

test("a tick's mouth is that of its middle, and between two ticks it is between their shapes", () => {
  const track = new MouthTrack();
  track.feed([frame(0, "sil", "", { yaw: 0, blink: 1 }), frame(960, "aa", "happy", { yaw: 0.2, blink: 0 })]);
  const { weights, face, known } = track.at(MIDDLE + 480);
  assert.equal(weights[VISEMES.indexOf("sil")], 0.5);
  assert.equal(weights[VISEMES.indexOf("aa")], 0.5);
  assert.equal(face.yaw, 0.1);
  assert.equal(face.blink, 0.5);
  assert.equal(known, true);
  assert.equal(track.at(960 + MIDDLE).emotion, "happy");
  assert.equal(track.at(960 + MIDDLE).weights[VISEMES.indexOf("aa")], 1);
});

test("where nothing is known the mouth is closed", () => {
  const track = new MouthTrack();
  assert.equal(track.at(0).weights[0], 1);
  assert.equal(track.at(0).known, false);
  track.feed([frame(4800, "aa")]);
  assert.equal(track.at(100).weights[0], 1);
  assert.equal(track.at(4800).weights[0], 0, "the first tick has begun");
  assert.equal(track.at(4800 + MIDDLE).weights[0], 0);
  assert.equal(track.at(4800 + MIDDLE + TICK_SAMPLES + 1).weights[0], 1);
});

test("a gap is not bridged", () => {
  const track = new MouthTrack();
  track.feed([frame(0, "aa"), frame(48_000, "PP")]);
  assert.equal(track.at(900).weights[VISEMES.indexOf("PP")], 0);
  assert.equal(track.at(20_000).known, false);
});

test("frames said again take the place of those before", () => {
  const track = new MouthTrack();
  track.feed([frame(0, "aa"), frame(960, "aa")]);
  track.feed([frame(0, "U"), frame(960, "U")]);
  assert.equal(track.at(100).weights[VISEMES.indexOf("U")], 1);
});

test("what is no frame is left out, and an endless feed does not grow", () => {
  const track = new MouthTrack();
  track.feed([[NaN, []], [0, [1, 2]], ["x"], null, 7, frame(0, "O")]);
  assert.equal(track.at(MIDDLE).weights[VISEMES.indexOf("O")], 1);
  for (let n = 0; n < 5000; n++) track.feed([frame(n * 960, "O")]);
  assert.equal(track.at(480).weights[0], 1, "the oldest are forgotten");
  assert.equal(track.at(4999 * 960).weights[VISEMES.indexOf("O")], 1);
});

test("RTP time becomes the programme's sample, across the end of the circle and after days", () => {
  const offset = 0xfffff000;
  for (const sample of [0, 5000, 48_000 * 3600 * 30]) {
    for (const near of [sample - 48_000, sample, sample + 48_000]) {
      assert.equal(programmeSample(rtpPlus(offset, sample), offset, near), sample);
    }
  }
});
