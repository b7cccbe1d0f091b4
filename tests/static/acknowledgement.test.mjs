import assert from "node:assert/strict";
import { test } from "node:test";

import { Acknowledgement } from "../../static/js/acknowledgement.mjs";

test("the first sound is acknowledged at once, the next a quarter of a second later", () => {
  const acknowledgement = new Acknowledgement();
  assert.deepEqual(acknowledgement.due(7, 1000), { type: "played", rtp: 7, t: 1000 });
  assert.equal(acknowledgement.due(8, 1100), null);
  assert.deepEqual(acknowledgement.due(9, 1250), { type: "played", rtp: 9, t: 1250 });
});

test("nothing is acknowledged while nothing sounds or nothing moves", () => {
  const acknowledgement = new Acknowledgement();
  assert.equal(acknowledgement.due(null, 0), null);
  acknowledgement.due(7, 0);
  assert.equal(acknowledgement.due(7, 5000), null);
});

test("a hold makes the next one due at once, even where the sound stands still", () => {
  const acknowledgement = new Acknowledgement();
  acknowledgement.due(7, 0);
  acknowledgement.hurry();
  assert.equal(acknowledgement.due(7, 10)?.rtp, 7);
});
