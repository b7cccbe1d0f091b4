import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { MicrophoneMemory } from "../../static/js/microphone_memory.mjs";

let taps;
let context;
const stream = () => ({ getAudioTracks: () => [{}] });
const settle = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  taps = [];
  globalThis.AudioWorkletNode = class {
    port = {};
    constructor() {
      taps.push(this);
    }
  };
  context = {
    loads: 0,
    audioWorklet: { addModule: async () => void context.loads++ },
    createMediaStreamSource: () => ({ connect() {}, disconnect() {} }),
  };
});
afterEach(() => delete globalThis.AudioWorkletNode);

test("what the microphone brings is kept, and told on; the module is loaded once", async () => {
  const memory = new MicrophoneMemory({ context });
  const mine = stream();
  memory.follow(mine);
  memory.follow(mine);
  await settle();
  await memory.follow(stream());
  assert.equal(context.loads, 1);
  assert.equal(taps.length, 2);
  let heard = 0;
  memory.heard = () => heard++;
  taps[1].port.onmessage({ data: new Int16Array(320) });
  assert.deepEqual([memory.ring.keptMs, heard], [20, 1]);
  assert.equal(taps[0].port.onmessage, null, "the old microphone is not listened to");
});

test("a closed microphone leaves nothing behind", async () => {
  const memory = new MicrophoneMemory({ context });
  await memory.follow(stream());
  taps[0].port.onmessage({ data: new Int16Array(320) });
  await memory.follow(null);
  assert.equal(memory.ring.keptMs, 0);
});

test("without sound, or where the browser refuses, there is no memory and no error", async () => {
  await new MicrophoneMemory({ context: null }).follow(stream());
  context.createMediaStreamSource = () => {
    throw new Error("another sample rate");
  };
  await new MicrophoneMemory({ context }).follow(stream());
  assert.equal(taps.length, 0);
});
