import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Socket } from "../../static/js/socket.mjs";

class ScriptedWebSocket {
  static OPEN = 1;
  /** @type {ScriptedWebSocket[]} */
  static made = [];
  readyState = 0;
  sent = [];
  constructor(url) {
    this.url = url;
    ScriptedWebSocket.made.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  opens() {
    this.readyState = 1;
    this.onopen();
  }
  says(text) {
    this.onmessage({ data: text });
  }
  breaks() {
    this.readyState = 3;
    this.onclose();
  }
}

let events;
let socket;
let nowMs;
const made = ScriptedWebSocket.made;

/** Timers and the page's clock, together. */
function pass(ms) {
  for (let each = 0; each < ms; each += 10) {
    nowMs += 10;
    mock.timers.tick(10);
  }
}

beforeEach(() => {
  made.length = 0;
  nowMs = 0;
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(performance, "now", () => nowMs);
  events = [];
  const log = { up: () => events.push("up"), message: (m) => events.push(m), down: (n) => events.push(`down ${n}`) };
  socket = new Socket("ws://edge/ws", log, ScriptedWebSocket);
  socket.open();
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

test("five pings come close together, then one every two seconds", () => {
  made[0].opens();
  pass(1000);
  assert.equal(made[0].sent.length, 5);
  made[0].says('{"type":"pong","t":400}');
  pass(1500);
  assert.equal(made[0].sent.length, 6);
});

test("a pong is kept as the round trip and not passed on", () => {
  made[0].opens();
  pass(30);
  made[0].says('{"type":"pong","t":0}');
  assert.equal(socket.roundTripMs, 30);
  assert.deepEqual(events, ["up"]);
});

test("what is not a message is ignored", () => {
  made[0].opens();
  for (const text of ["", "{", "7", "null", "[]", '{"type":3}']) made[0].says(text);
  assert.deepEqual(events, ["up"]);
});

test("a broken line comes back by itself, soon at first", () => {
  made[0].opens();
  made[0].breaks();
  assert.deepEqual(events, ["up", "down 1"]);
  pass(200);
  assert.equal(made.length, 2);
  made[1].breaks();
  assert.equal(events.at(-1), "down 2");
  pass(400);
  made[2].opens();
  made[2].breaks();
  assert.equal(events.at(-1), "down 1", "after a success the count begins anew");
});

test("a line that answers no ping is dead", () => {
  made[0].opens();
  pass(9000);
  assert.ok(events.includes("down 1"));
  assert.equal(made.length, 2);
});

test("a line that answers is never called dead", () => {
  made[0].opens();
  for (let second = 0; second < 30; second++) {
    pass(1000);
    made[0].says(`{"type":"pong","t":${nowMs}}`);
  }
  assert.deepEqual(events, ["up"]);
});

test("a timer that the browser slowed down is no dead line", () => {
  made[0].opens();
  made[0].says('{"type":"pong","t":0}');
  nowMs += 60_000;
  mock.timers.tick(100);
  assert.deepEqual(events, ["up"]);
});

test("close is for good", () => {
  made[0].opens();
  socket.close();
  pass(10_000);
  assert.equal(made.length, 1);
  assert.deepEqual(events, ["up"]);
  assert.equal(socket.send({ type: "text" }), false);
});

test("nothing is sent while the line is down", () => {
  assert.equal(socket.send({ type: "text" }), false);
  made[0].opens();
  assert.equal(socket.send({ type: "text" }), true);
});

test("a nudge does not wait, and does nothing where a line is", () => {
  socket.nudge();
  assert.equal(made.length, 1);
  made[0].breaks();
  socket.nudge();
  assert.equal(made.length, 2);
});
