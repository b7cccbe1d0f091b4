// Finding the programme's time behind a media server that numbers it anew.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RelayedClock } from "../../static/js/relayed_clock.mjs";
import { rtpAfter } from "../../static/js/rtp.mjs";

const ORIGIN_MS = 1.8e12;
const OFFSET = 0xfffff000;

/** What a browser reads of a server that began to number where the programme was at `base`. */
function readings(clock, base, jitter, ntp = false) {
  for (let n = 0; n < 50; n++) {
    const sample = base + 12_000 * n;
    const ms = ORIGIN_MS + sample / 48 + jitter(n);
    clock.observe(ntp ? ms + 2_208_988_800_000 : ms, (sample - base) >>> 0);
  }
}

test("the programme's RTP time is found, through jitter and round the circle", () => {
  for (const ntp of [false, true]) {
    const clock = new RelayedClock();
    clock.begin(ORIGIN_MS, OFFSET);
    assert.equal(clock.programme(0), null);
    readings(clock, 5_000_000, (n) => [0, 9, -9, 4, -4][n % 5], ntp);
    const wanted = (OFFSET + 5_000_000 + 777) >>> 0;
    assert.ok(Math.abs(rtpAfter(clock.programme(777), wanted)) < 48, "within a millisecond");
  }
});

test("the edge may correct when samples leave, at once", () => {
  const clock = new RelayedClock();
  clock.begin(ORIGIN_MS, 0);
  readings(clock, 96_000, () => 30);
  assert.ok(Math.abs(rtpAfter(clock.programme(0), 96_000 + 30 * 48)) < 48);
  clock.originMs = ORIGIN_MS + 30;
  assert.ok(Math.abs(rtpAfter(clock.programme(0), 96_000)) < 48);
});

test("another sender behind the server is another constant, and nonsense none", () => {
  const clock = new RelayedClock();
  clock.begin(ORIGIN_MS, 0);
  clock.observe(NaN, 1);
  assert.equal(clock.known, false);
  readings(clock, 96_000, () => 0);
  readings(clock, 960_000, () => 0);
  assert.ok(Math.abs(rtpAfter(clock.programme(0), 960_000)) < 48);
});

test("a browser that plays on without dating it is found unable, and able as soon as it does", () => {
  const clock = new RelayedClock();
  clock.begin(ORIGIN_MS, 0);
  for (let ms = 500; ms < 12_400; ms += 250) clock.undated(ms);
  assert.equal(clock.unable, false, "it may still come: Chromium takes some seconds");
  clock.undated(12_500);
  assert.equal(clock.unable, true);
  readings(clock, 96_000, () => 0);
  assert.equal(clock.unable, false);
  clock.undated(50_000);
  clock.undated(90_000);
  assert.equal(clock.unable, false, "what was learnt holds while nothing new is dated");
  clock.begin(ORIGIN_MS, 0);
  clock.undated(100_000);
  assert.equal(clock.unable, false, "each connection has its time");
});
