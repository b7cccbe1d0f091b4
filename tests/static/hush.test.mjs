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

/** Words of one turn, the first of which sounds at `rtp`. */
const words = (turn, rtp) => [
  [turn, 0, 0, "one", rtp, 9600],
  [turn, 0, 1, "two", rtp + 9600, 9600],
];

test("the new answer is heard from its first word on, what was on its way of the old one is not", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const element = { volume: 1 };
  const hush = new Hush(element);
  const first = 0xffffff00; // the clock comes round within the answer
  hush.words(words(3, first - 48_000));
  hush.shut();
  hush.words(words(3, first - 20_000)); // told before the cancel
  hush.advance(first - 20_000);
  assert.equal(element.volume, 0);
  hush.words(words(4, first));
  hush.words([[4, 0, 2, "three", (first + 19_200) >>> 0, 9600]]);
  hush.advance(null);
  hush.advance(first - 100 * 48);
  assert.equal(element.volume, 0, "the old answer may still sound");
  hush.advance(first - 30 * 48);
  assert.equal(element.volume, 1);
  mock.timers.tick(1000);
  assert.equal(element.volume, 1);
  mock.timers.reset();
});

test("typed again over the new answer, that one's words open nothing", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const element = { volume: 1 };
  const hush = new Hush(element);
  hush.words(words(3, 0));
  hush.shut();
  hush.words(words(4, 9_600));
  hush.shut();
  hush.words(words(4, 19_200));
  hush.advance(30_000);
  assert.equal(element.volume, 0);
  hush.words(words(5, 31_000));
  hush.advance(31_000);
  assert.equal(element.volume, 1);
  mock.timers.reset();
});

test("a conversation that begins anew counts its turns anew", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const element = { volume: 1 };
  const hush = new Hush(element);
  hush.words(words(30, 0));
  hush.begin();
  hush.words(words(1, 0));
  hush.shut();
  hush.words([[2, 0, 0, "broken"], ...words(2, 9_600)]);
  hush.advance(9_600);
  assert.equal(element.volume, 1);
  mock.timers.reset();
});
