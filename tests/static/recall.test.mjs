import assert from "node:assert/strict";
import { test } from "node:test";

import { PcmRing } from "../../static/js/pcm_ring.mjs";
import { Recall } from "../../static/js/recall.mjs";
import { Resampler } from "../../static/js/resampler.mjs";
import { Utterances } from "../../static/js/utterances.mjs";

/** A frame that says which it is. */
const frame = (n) => new Int16Array(320).fill(n);

/** A ring that has heard frames 0..count-1, frame n ending at (n + 1) · 20 ms. */
function filled(count) {
  const ring = new PcmRing();
  for (let n = 0; n < count; n++) ring.push(frame(n), (n + 1) * 20);
  return ring;
}

test("the ring keeps half a minute and knows what was heard when", () => {
  const ring = filled(2000);
  assert.equal(ring.keptMs, 30_000);
  const { samples } = ring.read(ring.at(20_000), 2);
  assert.deepEqual([samples[0], samples[320], samples.length], [1000, 1001, 640]);
  assert.equal(ring.startMs(ring.at(20_000)), 20_000);
  assert.equal(ring.read(ring.at(0), 1).samples[0], 500, "the oldest kept, for what is older");
});

test("frames that come in a clump lie 20 ms apart", () => {
  const ring = filled(100);
  for (let n = 100; n < 110; n++) ring.push(frame(n), 2200);
  assert.equal(ring.read(ring.at(2100), 1).samples[0], 105);
});

test("a page that was busy for a second loses nothing of what it was brought meanwhile", () => {
  const ring = filled(100);
  for (let n = 100; n < 150; n++) ring.push(frame(n), 3_000);
  for (let n = 150; n < 200; n++) ring.push(frame(n), (n + 1) * 20);
  assert.equal(ring.keptMs, 4_000);
  assert.equal(ring.read(ring.at(3_900), 1).samples[0], 195);
});

test("after an interruption of the sound nothing is kept of what was before it", () => {
  const ring = filled(100);
  for (let n = 0; n < 60; n++) ring.push(frame(n), 60_000 + n * 20);
  assert.equal(ring.keptMs, 1_200);
  assert.equal(ring.read(ring.at(0), 1).samples[0], 0);
  assert.ok(Math.abs(ring.startMs(ring.end) - 61_180) < 30);
});

test("resampling keeps a tone's pitch and level and takes away what cannot be said", () => {
  for (const [from, tone, wanted] of [
    [48_000, 1000, 0.5],
    [44_100, 3000, 0.5],
    [48_000, 11_000, 0],
  ]) {
    const resampler = new Resampler(from, 16_000);
    const out = [];
    for (let block = 0; block < 400; block++) {
      const samples = Float32Array.from({ length: 128 }, (_, n) =>
        0.5 * Math.sin((2 * Math.PI * tone * (block * 128 + n)) / from),
      );
      out.push(...resampler.push(samples));
    }
    assert.ok(Math.abs(out.length - (400 * 128 * 16_000) / from) < 60);
    const tail = out.slice(500);
    const part = (wave) =>
      (2 / tail.length) * tail.reduce((sum, x, n) => sum + x * wave((2 * Math.PI * tone * n) / 16_000), 0);
    const level = Math.hypot(part(Math.sin), part(Math.cos));
    const loudest = Math.max(...tail.map(Math.abs));
    if (wanted) assert.ok(Math.abs(level - wanted) < 0.02, `${tone} Hz: ${level}`);
    else assert.ok(loudest < 0.02, `${tone} Hz is left: ${loudest}`);
  }
});

test("what is to be heard again begins before the utterance that was cut off", () => {
  const utterances = new Utterances();
  utterances.take({ what: "started", utterance: 0, ago_ms: 100 }, 5_000);
  utterances.take({ what: "paused", utterance: 0, ago_ms: 100 }, 7_000);
  utterances.take({ what: "over", utterance: 0, ago_ms: 400 }, 7_300);
  utterances.take({ what: "started", utterance: 1, ago_ms: 100 }, 9_000);
  assert.equal(utterances.unheardFromMs(1, 9_900), 8_200);
});

test("without an open utterance it begins before the last sign of life, and never within what was dealt with", () => {
  const utterances = new Utterances();
  assert.equal(utterances.unheardFromMs(0, 9_900), 9_200);
  utterances.take({ what: "started", utterance: 0, ago_ms: 0 }, 8_000);
  utterances.take({ what: "over", utterance: 0, ago_ms: 300 }, 9_800);
  assert.equal(utterances.unheardFromMs(1, 9_900), 9_500);
});

test("an utterance that the broker has dealt with is not said again, though its end was not told", () => {
  const utterances = new Utterances();
  utterances.take({ what: "started", utterance: 0, ago_ms: 100 }, 7_000);
  utterances.take({ what: "paused", utterance: 0, ago_ms: 100 }, 9_600);
  assert.equal(utterances.unheardFromMs(1, 9_900), 9_500);
  assert.equal(utterances.unheardFromMs(0, 9_900), 6_200);
});

/** A recall over a memory that has heard so many frames. */
function remembering(count) {
  const memory = { ring: filled(count), heard: () => {} };
  const said = [];
  const line = { send: (m) => said.push(m), sendBytes: (samples) => said.push([samples[0], samples.length]) };
  return { recall: new Recall(memory), memory, said, line };
}

test("it sends what was missed in pieces, says when that was all, and goes on with the present", () => {
  const { recall, memory, said, line } = remembering(100);
  recall.begin(0, 1_700, 2_000, line);
  assert.deepEqual(said, [
    { type: "again", what: "begins", age_ms: 1000 },
    [50, 8000],
    [75, 8000],
    { type: "again", what: "level" },
  ]);
  memory.ring.push(frame(100), 2_020);
  memory.heard();
  assert.deepEqual(said.at(-1), [100, 320]);
  recall.stop();
  memory.ring.push(frame(101), 2_040);
  memory.heard();
  assert.deepEqual(said.at(-1), [100, 320]);
});

test("with nothing remembered it says so", () => {
  const { recall, said, line } = remembering(0);
  recall.begin(0, 0, 0, line);
  assert.deepEqual(said, [{ type: "again", what: "none" }]);
  assert.equal(recall.ready, false);
});
