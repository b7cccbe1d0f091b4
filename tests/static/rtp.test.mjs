import assert from "node:assert/strict";
import { test } from "node:test";

import { pictureAfterMs, rtpAfter, rtpPlus } from "../../static/js/rtp.mjs";

test("a timestamp after the wrap lies after one before it", () => {
  assert.equal(rtpAfter(100, 0xffffff00), 356);
  assert.equal(rtpAfter(0xffffff00, 100), -356);
});

test("adding samples wraps to a uint32 in both directions", () => {
  assert.equal(rtpPlus(0xffffff00, 356), 100);
  assert.equal(rtpPlus(100, -356), 0xffffff00);
  assert.equal(rtpPlus(0, 10.4), 10);
});

test("a picture is compared with its sound after any number of hours", () => {
  for (const hours of [0, 1, 13, 13.3, 20, 24.9, 26, 100, 1000]) {
    const sample = Math.round(hours * 3600 * 48_000);
    for (const aheadMs of [-900, -20, 0, 40, 1500]) {
      const picture = Math.floor(((sample + aheadMs * 48) * 15) / 8);
      const after = pictureAfterMs(((picture % 2 ** 32) + 2 ** 32) % 2 ** 32, sample % 2 ** 32);
      assert.ok(Math.abs(after - aheadMs) < 0.05, `${hours} h: ${after} for ${aheadMs}`);
    }
  }
});
