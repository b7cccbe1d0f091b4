import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Conversation } from "../../static/js/conversation.mjs";
import { MicrophoneError } from "../../static/js/microphone.mjs";
import { SessionStore } from "../../static/js/session_store.mjs";

const WISH = { persona: "host", mode: "voice", language: "" };
const SESSION = {
  type: "session",
  session: "s1",
  token: "secret",
  ice: [],
  persona: { id: "host", name: "Vera" },
  audio_offset: 0,
  video_offset: 0,
  resumed: false,
  away_s: 60,
  dialogue: [],
};

/** @type {any} */
let world;

class ScriptedMicrophone extends EventTarget {
  muted = false;
  deviceId = "";
  track = null;
  refuses = "";
  async open() {
    if (this.refuses) throw new MicrophoneError(this.refuses);
    return (this.track = { name: `track of ${this.deviceId || "default"}` });
  }
  mute(muted) {
    this.muted = muted;
  }
  close() {
    this.track = null;
  }
}

/** A page whose socket and calls do what the test says. */
function build() {
  const sent = [];
  const calls = [];
  const notices = [];
  const told = [];
  const messages = [];
  const log = [];
  const given = [];
  const kept = new Map();
  const storage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
  const socket = {
    roundTripMs: null,
    aliveMs: 0,
    open: () => log.push("open"),
    send: (message) => sent.push(message) > 0,
    close: () => log.push("close"),
    comeBackIn: (ms) => log.push(`back in ${ms}`),
    nudge: () => log.push("nudge"),
  };
  const microphone = new ScriptedMicrophone();
  const recall = {
    ready: false,
    asked: [],
    begin: (utterance, aliveMs) => recall.asked.push([utterance, aliveMs]),
    speech: ({ what }) => log.push(`speech ${what}`),
    stop: () => log.push("recall stops"),
    forget() {},
  };
  const world = { sent, calls, notices, told, messages, log, given, microphone, recall };
  world.store = new SessionStore(storage, () => 0);
  world.socket = socket;
  world.conversation = new Conversation({
    socket: (events) => ((world.line = events), socket),
    call: (ice, events) => {
      const call = { ice, events, tracks: [], closed: false, voice: "receiver", answers: [] };
      call.speakThrough = async (track) => void call.tracks.push(track);
      call.offer = async () => events.send({ type: "offer", sdp: "v=0" });
      call.answer = async (sdp) => void call.answers.push(sdp);
      call.candidate = async () => {};
      call.close = () => (call.closed = true);
      calls.push(call);
      return call;
    },
    microphone,
    recall: world.recall,
    store: world.store,
    listener: {
      changed() {},
      session: (session, lost) => log.push(`session ${session.session}${lost ? " of a new conversation" : ""}`),
      unanswered: (text) => given.push(text),
      media() {},
      message: (message) => messages.push(message),
      notice: (failure) => {
        notices.push(failure?.code ?? null);
        told.push(failure?.text ?? null);
        world.failure = failure;
      },
    },
  });
  return world;
}

const types = () => world.sent.map(({ type }) => type);
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** In a call, connected. */
async function inCall(wish = WISH) {
  world.conversation.start(wish);
  world.line.up();
  world.line.message(SESSION);
  await settle();
  world.calls.at(-1).events.state("connected");
  world.line.message({ type: "state", state: "listening" });
}

beforeEach(() => (world = build()));

test("a call begins with hello, then an offer once the edge has answered", async () => {
  world.conversation.start(WISH);
  assert.equal(world.conversation.state, "connecting");
  world.line.up();
  assert.deepEqual(world.sent, [{ type: "hello", ...WISH, session: "", token: "", mouth: false, remembers: false }]);
  world.line.message(SESSION);
  assert.deepEqual(types(), ["hello", "offer"]);
  world.line.message({ type: "answer", sdp: "v=0 answer" });
  await settle();
  assert.deepEqual(world.calls[0].answers, ["v=0 answer"]);
  assert.equal(world.conversation.state, "connecting");
  world.calls[0].events.state("connected");
  assert.equal(world.conversation.state, "listening");
});

test("text mode asks for no microphone until it is switched", async () => {
  world.microphone.open = () => assert.fail("the microphone was asked for");
  await inCall({ ...WISH, mode: "text" });
  assert.deepEqual(world.calls[0].tracks, []);
  delete world.microphone.open;
  await world.conversation.setMode("voice");
  assert.deepEqual(world.sent.at(-1), { type: "mode", mode: "voice" });
  assert.equal(world.calls[0].tracks.at(-1)?.name, "track of default");
  assert.equal(world.calls.length, 1, "switching must not negotiate again");
  await world.conversation.setMode("text");
  assert.equal(world.calls[0].tracks.at(-1), null);
  assert.equal(world.microphone.track, null);
});

test("without a microphone the call goes on in writing, and says why", async () => {
  world.microphone.refuses = "mic_denied";
  await inCall();
  assert.equal(world.conversation.mode, "text");
  assert.deepEqual(world.notices.at(-1), "mic_denied");
  assert.equal(world.conversation.state, "listening");
  assert.ok(world.sent.some((message) => message.type === "mode" && message.mode === "text"));
});

test("a microphone refused before the server answers is still explained after it has", async () => {
  world.microphone.refuses = "mic_denied";
  world.conversation.start(WISH);
  await settle();
  world.line.up();
  world.line.message(SESSION);
  assert.equal(world.notices.at(-1), "mic_denied");
});

test("what is said before the edge has opened the session waits for it: an edge that has not is not ready", async () => {
  world.microphone.refuses = "mic_denied";
  world.conversation.start(WISH);
  world.line.up();
  await settle();
  world.conversation.mute(true);
  world.conversation.interrupt();
  assert.deepEqual(types(), ["hello"]);
  world.line.message(SESSION);
  await settle();
  assert.equal(world.sent.find(({ type }) => type === "mode").mode, "text");
  assert.ok(types().includes("mute"));
  assert.ok(!types().includes("interrupt"));
});

test("a microphone refused before a server that was not ready is explained again once it is", async () => {
  world.microphone.refuses = "mic_denied";
  world.conversation.start(WISH);
  await settle();
  world.line.up();
  world.line.message({ type: "error", code: "not_ready", text: "A moment.", fatal: false });
  world.line.message(SESSION);
  await settle();
  assert.deepEqual(world.notices.slice(-3), ["mic_denied", "not_ready", "mic_denied"]);
});

test("after a loss the page comes back with its session and a new offer, and the dialogue of the edge", async () => {
  await inCall();
  world.line.message({ type: "state", state: "speaking" });
  world.line.down(1);
  assert.equal(world.conversation.state, "connecting");
  assert.equal(world.notices.at(-1), "lost");
  world.line.up();
  assert.deepEqual(world.sent.at(-1), { type: "hello", ...WISH, session: "s1", token: "secret", mouth: false, remembers: false });
  world.line.message({ ...SESSION, resumed: true, dialogue: [{ role: "user", text: "Hi" }] });
  await settle();
  assert.equal(world.calls[0].closed, true);
  assert.equal(world.calls.length, 2);
  assert.equal(world.calls[1].tracks[0].name, "track of default", "the microphone stays open");
  assert.equal(world.notices.at(-1), null);
});

test("a server that stays away is called unreachable", async () => {
  world.conversation.start(WISH);
  for (const attempt of [1, 2, 3]) world.line.down(attempt);
  assert.equal(world.notices.at(-1), "unreachable");
  assert.equal(world.conversation.state, "connecting");
});

test("a server that is not ready is asked again until it is", async () => {
  world.conversation.start(WISH);
  world.line.up();
  world.line.message({ type: "error", code: "not_ready", text: "tts is missing", fatal: true });
  assert.equal(world.notices.at(-1), "not_ready");
  assert.equal(world.told.at(-1), "tts is missing");
  assert.equal(world.log.at(-1), "back in 1000");
  assert.equal(world.conversation.state, "connecting");
  world.line.up();
  world.line.message(SESSION);
  assert.equal(world.notices.at(-1), null);
});

test("a full house, an unknown persona and a foreign address end the call with their reason", async () => {
  for (const code of ["capacity", "persona", "insecure"]) {
    world = build();
    world.conversation.start(WISH);
    world.line.up();
    world.line.message({ type: "error", code, text: "No.", fatal: true });
    assert.equal(world.conversation.state, "error");
    assert.equal(world.conversation.failed?.code, code);
    assert.equal(world.log.at(-1), "close");
  }
});

test("a session that is not ours any more is given up once, then a new one is begun", async () => {
  world.conversation.start(WISH, { ...WISH, session: "old", token: "stale", muted: false });
  world.line.up();
  assert.equal(world.sent.at(-1).session, "old");
  world.line.message({ type: "error", code: "forbidden", text: "No.", fatal: true });
  world.line.up();
  assert.equal(world.sent.at(-1).session, "");
  world.line.message({ type: "error", code: "forbidden", text: "No.", fatal: true });
  assert.equal(world.conversation.state, "error");
});

test("small errors are told and the call goes on", async () => {
  await inCall();
  world.line.message({ type: "error", code: "rate", text: "Slow down.", fatal: false });
  assert.equal(world.notices.at(-1), "rate");
  assert.equal(world.conversation.state, "listening");
});

test("a path that breaks is made anew once, then there is no way through", async () => {
  await inCall();
  world.calls[0].events.state("failed");
  assert.equal(world.calls.length, 2);
  assert.equal(world.conversation.state, "connecting");
  world.calls[1].blocked = "Blocked: by a wall.";
  world.calls[1].events.state("failed");
  assert.equal(world.conversation.failed?.code, "ice");
  assert.equal(world.conversation.failed?.text, "Blocked: by a wall.");
});

test("what an old peer connection reports is not news", async () => {
  await inCall();
  const [old] = world.calls;
  old.events.state("failed");
  old.events.state("failed");
  world.calls[1].events.state("connected");
  assert.equal(world.conversation.state, "listening");
});

test("a typed line that the edge has not confirmed is sent again after a loss, under the same id", async () => {
  await inCall();
  world.conversation.say("  first  ");
  world.conversation.say("second");
  world.line.message({ type: "user", text: "first" });
  world.line.down(1);
  world.conversation.say("third");
  const before = world.sent.filter(({ type }) => type === "text");
  assert.deepEqual(
    before.map(({ text }) => text),
    ["first", "second"],
  );
  world.line.up();
  world.line.message({ ...SESSION, resumed: true });
  const again = world.sent.filter(({ type }) => type === "text").slice(2);
  assert.deepEqual(
    again.map(({ text }) => text),
    ["second", "third"],
  );
  assert.equal(again[0].id, before[1].id);
  assert.notEqual(again[1].id, again[0].id);
});

test("an empty line is not sent", async () => {
  await inCall();
  world.conversation.say("   ");
  assert.ok(!types().includes("text"));
});

test("mute is told to the edge and told again after a loss", async () => {
  await inCall();
  world.conversation.mute(true);
  assert.deepEqual(world.sent.at(-1), { type: "mute", muted: true });
  world.line.down(1);
  world.line.up();
  world.line.message(SESSION);
  assert.ok(world.sent.slice(-2).some(({ type, muted }) => type === "mute" && muted));
  assert.equal(world.store.recall()?.muted, true);
});

test("stop says goodbye, forgets the session and lets the microphone go", async () => {
  await inCall();
  world.conversation.stop();
  assert.equal(world.sent.at(-1).type, "bye");
  assert.equal(world.conversation.state, "idle");
  assert.equal(world.store.recall(), null);
  assert.equal(world.microphone.track, null);
  assert.equal(world.calls[0].closed, true);
});

test("an unplugged microphone is replaced by the system's; with none, by the keyboard", async () => {
  await inCall();
  const before = world.calls[0].tracks.length;
  world.microphone.dispatchEvent(new Event("lost"));
  await settle();
  assert.equal(world.conversation.mode, "voice");
  assert.equal(world.calls[0].tracks.length, before + 1);
  world.microphone.track = null;
  world.microphone.refuses = "mic_missing";
  world.microphone.dispatchEvent(new Event("lost"));
  await settle();
  assert.equal(world.conversation.mode, "text");
  assert.equal(world.notices.at(-1), "mic_lost");
});

test("a message of a newer edge is passed on and breaks nothing", async () => {
  await inCall();
  world.line.message({ type: "confetti", colour: "red" });
  assert.equal(world.messages.at(-1).type, "confetti");
});

test("an edge that knows nothing yet is told again what was said since the one before it was alive", async () => {
  await inCall();
  world.recall.ready = true;
  world.socket.aliveMs = 1234;
  world.line.down(1);
  world.socket.aliveMs = 5678;
  world.line.up();
  assert.equal(world.sent.at(-1).remembers, true);
  world.line.message({ ...SESSION, resumed: true, again: { utterance: 4 } });
  assert.deepEqual(world.recall.asked, [[4, 1234]]);
  world.line.message({ type: "speech", what: "started", utterance: 4, ago_ms: 10 });
  world.line.message({ type: "microphone", live: true });
  assert.deepEqual(world.log.slice(-2), ["speech started", "recall stops"]);
});

test("a muted microphone is not sent again", async () => {
  await inCall();
  world.recall.ready = true;
  world.conversation.mute(true);
  world.line.down(1);
  world.line.up();
  assert.equal(world.sent.at(-1).remembers, false);
  world.line.message({ ...SESSION, resumed: true, again: { utterance: 0 } });
  assert.deepEqual(world.recall.asked, []);
  assert.ok(world.sent.some(({ type, what }) => type === "again" && what === "none"));
});

test("in text mode there is nothing to send again", async () => {
  await inCall({ ...WISH, mode: "text" });
  world.recall.ready = true;
  world.line.down(1);
  world.line.up();
  assert.equal(world.sent.at(-1).remembers, false);
});

test("a switch is asked of the edge, and what it becomes is what a lost line asks for again", async () => {
  await inCall();
  world.conversation.switchTo({ persona: "campus" });
  assert.deepEqual(world.sent.at(-1), { type: "switch", persona: "campus" });
  world.line.message({ type: "switched", persona: { id: "campus", name: "Robin" }, language: "es" });
  assert.equal(world.messages.at(-1).type, "switched");
  assert.equal(world.conversation.state, "listening");
  assert.equal(world.calls.length, 1, "the call goes on");
  world.line.up();
  const again = world.sent.findLast(({ type }) => type === "hello");
  assert.deepEqual([again.persona, again.language, again.session], ["campus", "es", "s1"]);
  assert.equal(world.store.recall().persona, "campus");
});

test("a switch that is refused is a notice, and the call goes on", async () => {
  await inCall();
  world.conversation.switchTo({ persona: "nobody" });
  world.line.message({ type: "error", code: "switch", text: "There is no persona 'nobody'.", fatal: false });
  assert.equal(world.notices.at(-1), "switch");
  assert.equal(world.conversation.state, "listening");
});

test("how the face is to behave is told only to an edge that has us", async () => {
  world.conversation.act({ motion: 0 });
  assert.deepEqual(types(), []);
  await inCall();
  world.conversation.act({ motion: 0 });
  assert.deepEqual(world.sent.at(-1), { type: "act", motion: 0 });
});

test("a broken word of a switch is left alone", async () => {
  await inCall();
  world.line.message({ type: "switched", persona: null, language: "en" });
  assert.equal(world.store.recall().persona, "host");
});

test("a tab that has lost its call to another window gives the call up, as one that an operator ended", async () => {
  for (const code of ["elsewhere", "ended"]) {
    world = build();
    await inCall();
    world.line.message({ type: "error", code, text: "Somebody did so.", fatal: true });
    assert.equal(world.conversation.failed?.code, code);
    assert.equal(world.conversation.failed?.remedy, "new");
    assert.equal(world.store.recall(), null, "nothing to wrest it back with");
  }
});

test("a conversation that the server could not keep is told, and what was typed for it is given back, not asked", async () => {
  await inCall();
  world.conversation.say("Are you there?");
  world.line.message({ type: "user", text: "Are you there?" });
  world.line.message({ type: "turn", turn: 1, what: "committed", text: "Are you there?" });
  world.line.down(1);
  world.conversation.say("Still");
  world.conversation.say("there?");
  world.line.up();
  world.line.message(SESSION);
  assert.equal(world.log.at(-1), "session s1 of a new conversation");
  assert.deepEqual(world.given, ["Still there?"]);
  assert.equal(world.sent.filter(({ type }) => type === "text").length, 1);
  world.line.down(1);
  world.line.up();
  world.line.message(SESSION);
  assert.equal(world.log.at(-1), "session s1", "nothing was said in this one");
});

test("what was typed before anything was said is sent however the server comes back", async () => {
  await inCall();
  world.line.down(1);
  world.conversation.say("Hello?");
  world.line.up();
  world.line.message(SESSION);
  assert.equal(world.sent.at(-1).text, "Hello?");
  assert.deepEqual(world.given, []);
});

test("a conversation taken up again after its path was blocked is missed if the server has not kept it", async () => {
  await inCall();
  world.line.message({ type: "turn", turn: 1, what: "committed", text: "Hi" });
  for (const attempt of [0, 1]) world.calls[attempt].events.state("failed");
  assert.equal(world.conversation.failed?.code, "ice");
  const saved = world.store.recall();
  world.conversation.start(WISH, saved);
  world.line.up();
  assert.equal(world.sent.at(-1).session, "s1", "no second seat is taken");
  world.line.message(SESSION);
  assert.equal(world.log.at(-1), "session s1 of a new conversation");
});

test("an answer that fails is told in its words, with nothing to press", async () => {
  await inCall({ ...WISH, mode: "text" });
  world.line.message({ type: "error", code: "answer_timeout", text: "I cannot answer that right now.", fatal: false });
  assert.equal(world.failure.text, "I cannot answer that right now.");
  assert.deepEqual([world.failure.remedy, world.failure.passing], ["none", true]);
  assert.equal(world.conversation.state, "listening");
});

test("a microphone that was tried in the lobby is the one the call begins with; in text mode it is let go", async () => {
  await world.microphone.open();
  world.microphone.close = () => assert.fail("it was closed");
  world.conversation.start(WISH);
  await settle();
  assert.ok(world.microphone.track);
  delete world.microphone.close;
  world.conversation.stop();
  await world.microphone.open();
  world.conversation.start({ ...WISH, mode: "text" });
  assert.equal(world.microphone.track, null);
});
