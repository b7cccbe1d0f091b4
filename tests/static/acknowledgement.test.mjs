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

test("what is on its way when the page falls silent is never acknowledged", () => {
  const acknowledgement = new Acknowledgement();
  acknowledgement.due(7, 0);
  acknowledgement.silence(20);
  assert.equal(acknowledgement.due(25, 10)?.rtp, 20, "at once, and where it fell silent");
  assert.equal(acknowledgement.due(900, 600), null, "and not a packet further");
  acknowledgement.sound();
  assert.equal(acknowledgement.due(2000, 900)?.rtp, 2000);
});

test("a page that falls silent where nothing sounded acknowledges what comes then", () => {
  const acknowledgement = new Acknowledgement();
  acknowledgement.silence(null);
  assert.equal(acknowledgement.due(null, 0), null);
  assert.equal(acknowledgement.due(40, 100)?.rtp, 40, "the avatar may be waiting for a page that is back");
});

test("a page that stays silent says now and then that it is there", () => {
  const acknowledgement = new Acknowledgement();
  acknowledgement.silence(20);
  assert.equal(acknowledgement.due(25, 0)?.rtp, 20);
  assert.equal(acknowledgement.due(900, 900), null);
  assert.equal(acknowledgement.due(950, 1000)?.rtp, 20);
});

test("a silence within a silence begins where the first did", () => {
  const acknowledgement = new Acknowledgement();
  acknowledgement.silence(20);
  acknowledgement.silence(90);
  assert.equal(acknowledgement.due(95, 0)?.rtp, 20);
});

test("a hold makes the next one due at once, even where the sound stands still", () => {
  const acknowledgement = new Acknowledgement();
  acknowledgement.due(7, 0);
  acknowledgement.hurry();
  assert.equal(acknowledgement.due(7, 10)?.rtp, 7);
});
