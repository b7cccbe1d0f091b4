import assert from "node:assert/strict";
import { test } from "node:test";
import { apart } from "../../static/js/apart.mjs";
import { LipSync } from "../../static/js/lip_sync.mjs";

/** Pictures that come `naturalMs` after their sound when nothing waits; buffers that do as they are told. */
function played(sync, naturalMs, seconds, from = 0) {
  let offset = 0;
  for (let n = 0; n < seconds * 25; n++) {
    offset = naturalMs + sync.pictureMs - sync.soundMs;
    sync.observe(offset);
    sync.adjust(from + n * 40);
  }
  return offset;
}

test("a picture that comes early is held back until it fits", () => {
  const sync = new LipSync();
  assert.ok(Math.abs(played(sync, -60, 10)) < 6);
  assert.equal(sync.soundMs, 0);
});

test("a picture that comes late is let go, and sound does not wait for a little lateness", () => {
  const sync = new LipSync();
  played(sync, -60, 10);
  assert.equal(played(sync, 20, 10, 10_000), 20);
  assert.deepEqual([sync.pictureMs, sync.soundMs], [0, 0]);
});

test("sound waits for a picture that is far too late, and stops waiting when it is not", () => {
  const sync = new LipSync();
  assert.ok(played(sync, 160, 20) < 52);
  assert.ok(sync.soundMs > 100);
  assert.ok(Math.abs(played(sync, -20, 20, 20_000)) < 6);
  assert.equal(sync.soundMs, 0);
});

test("one picture that is far off changes nothing", () => {
  const sync = new LipSync();
  for (let n = 0; n < 20; n++) sync.observe(n === 7 ? 900 : 1);
  assert.equal(sync.adjust(1000), false);
});

test("what cannot be an offset is not believed", () => {
  const sync = new LipSync();
  for (let n = 0; n < 20; n++) sync.observe(n % 2 ? NaN : 1e6);
  assert.equal(sync.offsetMs, null);
});

test("only the pictures of an answer get a stream of their own", () => {
  const answer = ["v=0", "m=audio 9 x", "a=msid:one 1", "m=video 9 x", "a=msid:one 2", ""].join("\r\n");
  const lines = apart(answer).split("\r\n");
  assert.equal(lines[2], "a=msid:one 1");
  assert.equal(lines[4], "a=msid:one-picture 2");
});
