import assert from "node:assert/strict";
import { test } from "node:test";

import { FAILURE_CODES, failure, hitch, isFault, microphoneCode } from "../../static/js/failures.mjs";

const OF_THE_EDGE = "not_ready capacity persona forbidden insecure bad_message too_large rate ice sdp server switch elsewhere ended".split(
  " ",
);

test("every code of the edge has words of its own", () => {
  for (const code of OF_THE_EDGE) assert.ok(FAILURE_CODES.includes(code), code);
});

test("every failure is a title and whole sentences", () => {
  const titles = FAILURE_CODES.map((code) => failure(code).title);
  assert.equal(new Set(titles).size, titles.length);
  for (const code of FAILURE_CODES) assert.match(failure(code).text, /^[A-Z].*\.$/, code);
});

test("an unknown code is told in the server's words, and never as a property of Object", () => {
  assert.equal(failure("brand_new", "The moon is in the way.").text, "The moon is in the way.");
  assert.match(failure("constructor").text, /\.$/);
  assert.equal(failure("toString").title, failure("brand_new").title);
});

test("why nothing could be switched is told in the server's words", () => {
  assert.equal(failure("switch", "There is no persona 'x'.").text, "There is no persona 'x'.");
  assert.match(failure("switch").text, /goes on/);
});

test("what a server waits for is told in its words", () => {
  assert.equal(failure("not_ready", "Waiting for tts.").text, "Waiting for tts.");
  assert.match(failure("not_ready").text, /getting ready/);
});

test("what getUserMedia throws becomes a code with words", () => {
  const thrown = (name) => Object.assign(new Error("x"), { name });
  assert.equal(microphoneCode(thrown("NotAllowedError")), "mic_denied");
  assert.equal(microphoneCode(thrown("NotFoundError")), "mic_missing");
  assert.equal(microphoneCode(thrown("NotReadableError")), "mic_busy");
  assert.equal(microphoneCode("what?"), "mic_failed");
});

test("what goes wrong with one answer offers nothing to press and passes", () => {
  for (const code of ["answer_timeout", "llm_unreachable", "no_voice", "tts_failed", "server"]) {
    const { remedy, passing, text } = hitch(code, "I am sorry, I cannot answer that right now.");
    assert.deepEqual([remedy, passing], ["none", true], code);
    assert.match(text, /\.$/);
  }
});

test("only a missing microphone is offered to be opened again", () => {
  for (const code of FAILURE_CODES) assert.equal(failure(code).remedy === "text", code.startsWith("mic_"), code);
});

test("a call that somebody ended, or took elsewhere, has not failed, and another one can be begun", () => {
  assert.equal(failure("ended", "An operator of this server has closed it.").text, "An operator of this server has closed it.");
  for (const code of ["ended", "elsewhere"]) assert.deepEqual([failure(code).remedy, isFault(code)], ["new", false]);
  assert.equal(isFault("server"), true);
});
