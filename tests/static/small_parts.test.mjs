import assert from "node:assert/strict";
import { test } from "node:test";

import { waitMs } from "../../static/js/backoff.mjs";
import { offered } from "../../static/js/codecs.mjs";
import { wellFormed } from "../../static/js/edge_messages.mjs";
import { splitSteady } from "../../static/js/hearing.mjs";
import { loudness, settled } from "../../static/js/level.mjs";
import { socketAddress, wishOf } from "../../static/js/link.mjs";
import { untilAnswered } from "../../static/js/patience.mjs";
import { chosen, initials, languageName, personaList } from "../../static/js/personas.mjs";
import { Questions } from "../../static/js/questions.mjs";
import { pageState, stateLabel } from "../../static/js/states.mjs";
import { bars, computing, label, speculation } from "../../static/js/waterfall.mjs";

// --- reconnecting

test("the first attempts come within a second, later ones spare the server", () => {
  let total = 0;
  for (let attempt = 0; attempt < 3; attempt++) total += waitMs(attempt, 0.5);
  assert.ok(total < 1000);
  assert.equal(waitMs(99, 0.5), 5000);
  assert.equal(waitMs(-1, 0.5), waitMs(0, 0.5));
  assert.ok(waitMs(5, 0) < waitMs(5, 1));
});

test("what is not answered is asked again and again, with growing waits, and told once", async () => {
  const waits = [];
  let told = 0;
  const answers = [null, null, null, "people"];
  const ask = async () => answers.shift() ?? Promise.reject(new Error("no"));
  const wait = async (ms) => waits.push(ms);
  assert.equal(await untilAnswered(ask, () => told++, wait), "people");
  assert.equal(told, 1);
  assert.equal(waits.length, 3);
  assert.ok(waits[2] > waits[0]);
});

// --- questions

test("what a turn answers is known until a later one is over", () => {
  const questions = new Questions();
  for (const turn of [1, 2, 3, 4]) questions.ask(turn, `question ${turn}`);
  questions.over(3);
  assert.deepEqual([1, 2, 3, 4, 5].map((turn) => questions.of(turn)), ["", "", "question 3", "question 4", ""]);
  questions.clear();
  assert.equal(questions.of(4), "");
});

// --- codecs

test("constrained baseline H.264 is offered first, then VP8, and their repair packets", () => {
  const codec = (mimeType, sdpFmtpLine) => ({ mimeType, sdpFmtpLine, clockRate: 90000 });
  const all = [
    codec("video/VP8"),
    codec("video/rtx"),
    codec("video/VP9", "profile-id=0"),
    codec("video/H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"),
    codec("video/H264", "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f"),
    codec("video/H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
    codec("video/AV1"),
  ];
  assert.deepEqual(offered(all), [all[5], all[3], all[0], all[1]]);
});

test("a browser with none of our codecs keeps its own order", () => {
  assert.deepEqual(
    offered([
      { mimeType: "video/AV1", clockRate: 90000 },
      { mimeType: "video/rtx", clockRate: 90000 },
    ]),
    [],
  );
});

// --- the edge's messages

test("a message that lacks what it needs is not acted on, one of a later edge passes", () => {
  assert.equal(wellFormed({ type: "words", words: [] }), true);
  for (const broken of [
    { type: "words" },
    { type: "words", words: {} },
    { type: "session", session: "s" },
    { type: "user", text: null },
  ])
    assert.equal(wellFormed(broken), false, JSON.stringify(broken));
  assert.equal(wellFormed({ type: "confetti" }), true);
  assert.equal(wellFormed({ type: "constructor" }), true);
});

// --- hearing

test("words that two guesses agree on are steady, from the first to the first that differs", () => {
  assert.deepEqual(splitSteady("how far is", "how fast is it"), { steady: "how", loose: "fast is it" });
  assert.deepEqual(splitSteady("", "how"), { steady: "", loose: "how" });
  assert.deepEqual(splitSteady("how fast", "how fast"), { steady: "how fast", loose: "" });
});

// --- levels

test("silence is 0, full scale is 1, and the meter falls slowly", () => {
  assert.equal(loudness(new Float32Array(64)), 0);
  assert.equal(loudness(new Float32Array(64).fill(1)), 1);
  assert.equal(loudness(new Float32Array(0)), 0);
  assert.equal(settled(0.2, 0.9, 16), 0.9);
  assert.ok(settled(0.9, 0, 16) > 0.8);
  assert.equal(settled(0.1, 0, 10_000), 0);
});

// --- links

test("a link chooses persona, mode and language; anything else is voice", () => {
  assert.deepEqual(wishOf("?persona=campus&mode=text&language=es"), {
    persona: "campus",
    mode: "text",
    language: "es",
  });
  assert.deepEqual(wishOf("?mode=dance"), { persona: "", mode: "voice", language: "" });
});

test("a page by https talks by wss, on the same host and port", () => {
  assert.equal(socketAddress({ protocol: "https:", host: "a.example:8443" }), "wss://a.example:8443/ws");
  assert.equal(socketAddress({ protocol: "http:", host: "127.0.0.1:8080" }), "ws://127.0.0.1:8080/ws");
});

// --- personas

test("a list of personas survives missing fields and drops entries without an id", () => {
  const [host, ...others] = personaList({ personas: [{ id: "host", suggestions: ["Hi", 3] }, { name: "x" }, null] });
  assert.equal(others.length, 0);
  const nothing = { description: "", languages: [], poster: "", motion: 1, model: "", light: "", front: "portrait", recording: "no" };
  assert.deepEqual(host, { id: "host", name: "host", suggestions: ["Hi"], ...nothing });
  const [flat, deep] = personaList([{ id: "a", front: "avatar3d" }, { id: "b", front: "avatar3d", model: "/avatars/b/b.glb" }]);
  assert.equal(flat.front, "portrait", "there is no model to show");
  assert.equal(deep.front, "avatar3d");
  assert.throws(() => personaList({ error: "no" }), TypeError);
});

test("a link to an unknown persona chooses nobody; no link chooses the first", () => {
  const list = personaList([{ id: "a" }, { id: "b" }]);
  assert.equal(chosen(list, "b")?.id, "b");
  assert.equal(chosen(list, "")?.id, "a");
  assert.equal(chosen(list, "z"), null);
  assert.equal(chosen([], ""), null);
});

test("initials are two letters of any script; a broken language tag stays itself", () => {
  assert.equal(initials("Noor van Haddad"), "NV");
  assert.equal(initials("李 雷"), "李雷");
  assert.equal(initials(""), "");
  assert.equal(languageName("not a tag!"), "not a tag!");
});

// --- states

test("the page is in exactly one state", () => {
  const known = { calling: true, failed: false, session: true, media: true, edge: "listening" };
  assert.equal(pageState(known), "listening");
  assert.equal(pageState({ ...known, calling: false }), "idle");
  assert.equal(pageState({ ...known, session: false }), "connecting");
  assert.equal(pageState({ ...known, media: false, edge: "speaking" }), "connecting");
  assert.equal(pageState({ ...known, failed: true, calling: false }), "error");
  for (const edge of ["thinking", "speaking", "held"]) assert.equal(pageState({ ...known, edge }), edge);
  assert.equal(pageState({ ...known, edge: "away" }), "held");
  assert.equal(pageState({ ...known, edge: "a state of tomorrow" }), "listening");
});

test("only an open microphone is called listening", () => {
  const about = { mode: "voice", muted: false, again: false, microphone: true };
  assert.equal(stateLabel("listening", about), "Listening");
  assert.equal(stateLabel("listening", { ...about, muted: true }), "Your microphone is muted");
  assert.equal(stateLabel("listening", { ...about, microphone: false }), "Waiting for your microphone");
  assert.doesNotMatch(stateLabel("held", { ...about, microphone: false }), /listening/i);
  assert.equal(stateLabel("listening", { ...about, mode: "text", microphone: false }), "Ready when you are");
});

test("a call that was ended on purpose did not go wrong", () => {
  const about = { mode: "voice", muted: false, again: false, microphone: false };
  assert.equal(stateLabel("error", { ...about, fault: true }), "Something went wrong");
  assert.equal(stateLabel("error", { ...about, fault: false }), "The call is over");
});

// --- waterfall

test("bars share one axis that holds every step", () => {
  const steps = [
    { name: "end_of_turn", from_ms: 0, ms: 200 },
    { name: "llm", from_ms: 150, ms: 50 },
    { name: "playout", from_ms: 300, ms: 100 },
  ];
  const drawn = bars({ turn: 1, total_ms: 400, steps });
  assert.deepEqual(
    drawn.map(({ left }) => left),
    [0, 37.5, 75],
  );
  assert.deepEqual(
    drawn.map(({ width }) => width),
    [50, 12.5, 25],
  );
});

test("a step that began before the end of speech moves the axis, broken ones are left out", () => {
  const steps = [
    { name: "llm", from_ms: -100, ms: 100 },
    { name: "broken", from_ms: NaN, ms: 3 },
    { name: "backwards", from_ms: 0, ms: -3 },
  ];
  const drawn = bars({ turn: 1, total_ms: 100, steps });
  assert.equal(drawn.length, 1);
  assert.deepEqual([drawn[0].left, drawn[0].width], [0, 50]);
  assert.deepEqual(bars({ turn: 1, total_ms: 0, steps: [] }), []);
});

test("a step this page does not know keeps its own name", () => {
  assert.equal(label("tool_call"), "tool call");
  assert.notEqual(label("end_of_turn"), "end of turn");
});

test("the computing within the waiting is told where it is known", () => {
  const record = { turn: 1, total_ms: 1, steps: [] };
  assert.equal(computing(record), "");
  assert.equal(computing({ ...record, work: [{ name: "final_words", ms: 8.7 }] }), "computing: final words 9 ms");
});

test("thinking ahead is told with what it saved and what it cost", () => {
  const record = { turn: 1, total_ms: 1, steps: [] };
  assert.equal(speculation(record), "");
  assert.match(speculation({ ...record, speculated: true, saved_ms: 74.2 }), /74 ms saved$/);
  assert.match(speculation({ ...record, speculated: true, saved_ms: 74, wasted: 2 }), /2 attempts/);
  assert.match(speculation({ ...record, wasted: 1 }), /^1 attempt /);
});
