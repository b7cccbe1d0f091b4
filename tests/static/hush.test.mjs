import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Hush } from "../../static/js/hush.mjs";

test("a hold is silence at once and the voice is back when it is over", () => {
  const element = { volume: 1 };
  const hush = new Hush(element);
  hush.hold(true);
  assert.equal(element.volume, 0);
  hush.hold(false);
  assert.equal(element.volume, 1);
});

test("shut stays silent through the end of a hold, until what was on its way has been played", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const element = { volume: 1 };
  const hush = new Hush(element);
  hush.hold(true);
  hush.shut();
  hush.hold(false);
  assert.equal(element.volume, 0);
  mock.timers.tick(1000);
  assert.equal(element.volume, 1);
  mock.timers.reset();
});

test("falling silent and sounding again are told once each", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {boolean[]} */
  const told = [];
  const hush = new Hush({ volume: 1 }, (silent) => told.push(silent));
  hush.hold(false);
  hush.hold(true);
  hush.shut();
  hush.hold(false);
  assert.deepEqual(told, [true]);
  mock.timers.tick(1000);
  assert.deepEqual(told, [true, false]);
  mock.timers.reset();
});
