import assert from "node:assert/strict";
import { test } from "node:test";

import { PlayoutClock } from "../../static/js/playout.mjs";
import { rtpAfter } from "../../static/js/rtp.mjs";

/** A packet every 20 ms; `late` moves single ones. */
function fed(packets, { rtp = 1000, atMs = 500, late = () => 0 } = {}) {
  const clock = new PlayoutClock();
  for (let n = 0; n < packets; n++) clock.observe((rtp + 960 * n) >>> 0, atMs + 20 * n + late(n));
  return clock;
}

test("nothing is heard before the first packet", () => {
  assert.equal(new PlayoutClock().heard(1000), null);
});

test("time goes on between two packets at 48 samples a millisecond", () => {
  const clock = fed(10);
  assert.equal(clock.heard(680), 1000 + 960 * 9);
  assert.equal(clock.heard(690), 1000 + 960 * 9 + 480);
});

test("time does not run past the end of the newest packet", () => {
  const clock = fed(10);
  assert.equal(clock.heard(680 + 150), 1000 + 960 * 10);
});

test("when packets stop, nothing is heard any more", () => {
  const clock = fed(10);
  assert.notEqual(clock.heard(680 + 299), null);
  assert.equal(clock.heard(680 + 301), null);
});

test("the sound card's delay is taken off, across the wrap too", () => {
  const clock = fed(4, { rtp: 0xffffffff - 1919, atMs: 0 });
  clock.latencyMs = 40;
  assert.equal(clock.heard(60), 960 - 1920 + 0x100000000);
});

test("while the first packet is on its way from the sound card, nothing was heard", () => {
  const clock = fed(1, { rtp: 100, atMs: 0 });
  clock.latencyMs = 15;
  assert.equal(clock.heard(10), null);
  assert.equal(clock.heard(16), 148);
});

test("a late packet moves the clock by less than its lateness", () => {
  const clock = fed(12, { late: (n) => (n === 11 ? 10 : 0) });
  const on = 1000 + 960 * 11 + 480;
  assert.ok(Math.abs(rtpAfter(clock.heard(500 + 220 + 10), on)) <= 48);
});

test("after a gap the clock follows the new packets at once", () => {
  const clock = fed(12);
  clock.observe(1000 + 960 * 12, 500 + 220 + 500);
  assert.equal(clock.heard(500 + 220 + 500), 1000 + 960 * 12);
});

test("the clock crosses the end of the circle without a jump", () => {
  const clock = fed(20, { rtp: 0xffffffff - 960 * 10 });
  assert.equal(clock.heard(500 + 19 * 20), (0xffffffff - 960 * 10 + 960 * 19) >>> 0);
});

test("asking twice about the same packet changes nothing", () => {
  const clock = fed(10);
  for (let i = 0; i < 50; i++) clock.observe(1000 + 960 * 9, 680);
  assert.equal(clock.heard(685), 1000 + 960 * 9 + 240);
});

test("broken observations are ignored", () => {
  const clock = fed(3);
  clock.observe(undefined, 560);
  clock.observe(5, NaN);
  assert.equal(clock.heard(540), 1000 + 960 * 2);
});
