import assert from "node:assert/strict";
import { test } from "node:test";

import { engineLines } from "../../static/js/engine_list.mjs";
import { splitter } from "../../static/js/operator_api.mjs";
import { wordsOf } from "../../static/js/pushes.mjs";
import { label, ordered, updated, verdicts } from "../../static/js/question_list.mjs";

test("events come whole, however the stream is cut", () => {
  const text = ': listening\n\nid: 1\nevent: state\ndata: {"seq":1}\n\nid: 2\ndata: {"seq":2}\n\n';
  for (let cut = 1; cut < text.length; cut += 1) {
    const split = splitter();
    const events = [...split(text.slice(0, cut)), ...split(text.slice(cut))];
    assert.deepEqual(events, [{ seq: 1 }, { seq: 2 }]);
  }
});

test("what waits for the host comes before what is done", () => {
  const question = (n, state) => ({ n, name: "Ana", text: "When?", state });
  const list = [question(1, "answered"), question(2, "approved"), question(3, "waiting"), question(4, "read_out")];
  assert.deepEqual(ordered(list).map((each) => each.n), [4, 3, 2, 1]);
  assert.equal(updated(list, question(3, "dismissed"))[2].state, "dismissed");
  assert.equal(updated(list, question(5, "waiting")).length, 5);
});

test("the host may decide until a question is asked", () => {
  assert.deepEqual(verdicts("waiting"), ["approve", "dismiss"]);
  assert.deepEqual(verdicts("approved"), ["dismiss"]);
  assert.deepEqual(verdicts("asked"), []);
  assert.equal(label("asked"), "is being answered");
});

test("how a push goes is said in words", () => {
  assert.equal(wordsOf({ id: "1", url: "", state: "live", reason: "" }), "live");
  assert.equal(wordsOf({ id: "1", url: "", state: "waiting", reason: "It is away." }), "tried again: It is away.");
});

test("processes that run the same engine for the same reason share a line", () => {
  const process = (name, kind, state, engine, detail) => ({ name, kind, state, engine, detail });
  const lines = engineLines([
    process("asr-0", "asr", "ready", "pocketsphinx", "whisper is not there"),
    process("asr-1", "asr", "ready", "pocketsphinx", "whisper is not there"),
    process("llm-0", "llm", "ready", "knowledge", "no url"),
    process("llm-1", "llm", "starting", "", "starting"),
    process("programme-0", "programme", "ready", "", ""),
  ]);
  assert.deepEqual(lines, [
    { what: "asr-0, asr-1", engine: "pocketsphinx", why: "whisper is not there" },
    { what: "llm-0", engine: "knowledge", why: "no url" },
    { what: "llm-1", engine: "starting", why: "starting" },
  ]);
});
