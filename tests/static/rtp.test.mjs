import assert from "node:assert/strict";
import { test } from "node:test";

import { rtpAfter, rtpPlus } from "../../static/js/rtp.mjs";

test("a timestamp after the wrap lies after one before it", () => {
  assert.equal(rtpAfter(100, 0xffffff00), 356);
  assert.equal(rtpAfter(0xffffff00, 100), -356);
});

test("adding samples wraps to a uint32 in both directions", () => {
  assert.equal(rtpPlus(0xffffff00, 356), 100);
  assert.equal(rtpPlus(100, -356), 0xffffff00);
  assert.equal(rtpPlus(0, 10.4), 10);
});
