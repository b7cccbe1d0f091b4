import assert from "node:assert/strict";
import { test } from "node:test";

import { personaList } from "../../static/js/personas.mjs";
import { aboutText, lengthText, shownFiles, sizeText } from "../../static/js/recording_list.mjs";
import { CONSENT, records, told } from "../../static/js/recording_words.mjs";

test("a refusal is told with the server's sentence", () => {
  const text = "The recordings fill their quota.";
  assert.deepEqual(told({ state: "refused", by: "caller", text }, true), { code: "recording", text });
});

test("the caller is told when the operator begins, once, and not of what they asked for themselves", () => {
  assert.equal(told({ state: "starting", by: "operator", text: "" }, false)?.code, "recorded");
  assert.equal(told({ state: "on", by: "operator", text: "" }, true), null);
  assert.equal(told({ state: "on", by: "caller", text: "" }, false), null);
  assert.equal(told({ state: "on", by: "config", text: "" }, false), null, "it was said before Start");
});

test("a recording that begins again after a crash is still one", () => {
  assert.ok(records("starting") && records("on"));
  for (const state of ["off", "over", "refused", "failed", ""]) assert.ok(!records(state), state);
});

test("before Start it is said what is kept and what is not", () => {
  assert.match(CONSENT, /recorded/);
  assert.match(CONSENT, /your own voice and picture are not/);
});

test("a persona's card says whether calls are recorded; nonsense is no", () => {
  const rules = personaList([{ id: "a", recording: "every" }, { id: "b", recording: "button" }, { id: "c", recording: 3 }]);
  assert.deepEqual(rules.map(({ recording }) => recording), ["every", "button", "no"]);
});

test("a row says when, how long and how large, and what is not finished", () => {
  const recorded = { name: "r", persona: "vera", begun: "2026-03-01T12:00:00Z", bytes: 3_467_966, files: {} };
  assert.match(aboutText({ ...recorded, complete: true, duration_ms: 65_400 }), / · 1:05 · 3\.5 MB$/);
  assert.match(aboutText({ ...recorded, complete: false }), / · not finished · /);
  assert.equal(lengthText(0), "0:00");
  assert.equal(sizeText(1), "1 kB");
});

test("pictures come first, parts in their order, and what is only for us is left out", () => {
  const names = ["timeline.jsonl", "recording.json", "programme.vtt", "programme-10.mp4", "programme-2.mp4", "programme.webm"];
  const files = Object.fromEntries(names.map((name) => [name, 1]));
  assert.deepEqual(shownFiles({ files }), ["programme-2.mp4", "programme-10.mp4", "programme.webm", "programme.vtt", "timeline.jsonl"]);
});
