import assert from "node:assert/strict";
import { test } from "node:test";

import { SessionStore } from "../../static/js/session_store.mjs";

const SAVED = { session: "s", token: "t", persona: "host", mode: "voice", language: "", muted: false, awayMs: 60_000 };

function storage() {
  const kept = new Map();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
}

test("a reloaded page finds its conversation again", () => {
  const tab = storage();
  new SessionStore(tab, () => 1000).keep(SAVED);
  assert.deepEqual(new SessionStore(tab, () => 2000).recall(), SAVED);
});

test("what the server has forgotten so has the page, when it said it would; a call that goes on does not age", () => {
  const tab = storage();
  let now = 0;
  const store = new SessionStore(tab, () => now);
  store.keep(SAVED);
  now = 100_000;
  assert.equal(store.recall(), null);
  store.touch();
  assert.deepEqual(store.recall(), SAVED);
  store.keep({ ...SAVED, awayMs: 600_000 });
  now += 100_000;
  assert.equal(store.recall()?.session, "s");
});

test("a stopped call is forgotten for good", () => {
  const tab = storage();
  const store = new SessionStore(tab, () => 0);
  store.keep(SAVED);
  store.forget();
  store.touch();
  assert.equal(store.recall(), null);
});

test("a store that is missing, full or full of rubbish is no conversation", () => {
  const broken = { getItem: () => "{oops", setItem: () => assert.fail(), removeItem: () => assert.fail() };
  for (const tab of [
    null,
    broken,
    { ...broken, getItem: () => '{"session":1,"atMs":0}' },
    { ...broken, getItem: () => "7" },
  ]) {
    const store = new SessionStore(tab, () => 0);
    store.forget();
    assert.equal(store.recall(), null);
    store.keep(SAVED);
  }
});
