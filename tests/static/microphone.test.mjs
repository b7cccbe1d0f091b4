import assert from "node:assert/strict";
import { test } from "node:test";

import { Microphone } from "../../static/js/microphone.mjs";

function stream(name) {
  const track = {
    name,
    enabled: true,
    stopped: false,
    onended: null,
    stop() {
      this.stopped = true;
    },
  };
  return { track, getAudioTracks: () => [track], getTracks: () => [track] };
}

/** Devices that answer getUserMedia by `answer`. */
function devices(answer) {
  const all = new EventTarget();
  return Object.assign(all, {
    asked: [],
    getUserMedia(wanted) {
      all.asked.push(wanted.audio);
      return answer(wanted.audio);
    },
    enumerateDevices: async () => [
      { kind: "audioinput", deviceId: "a", label: "Headset" },
      { kind: "audioinput", deviceId: "b", label: "" },
      { kind: "audioinput", deviceId: "", label: "" },
      { kind: "videoinput", deviceId: "c", label: "Camera" },
    ],
  });
}

const refusing = (name) => async () => {
  throw Object.assign(new Error("no"), { name });
};
const code = (wanted) => (error) => error.code === wanted;

test("echo is cancelled in the browser, noise is left to the edge", async () => {
  const all = devices(async () => stream("default"));
  await new Microphone(all).open();
  assert.equal(all.asked[0].echoCancellation, true);
  assert.equal(all.asked[0].noiseSuppression, false);
});

test("each refusal has its code", async () => {
  await assert.rejects(new Microphone(undefined).open(), code("mic_insecure"));
  await assert.rejects(new Microphone(devices(refusing("NotAllowedError"))).open(), code("mic_denied"));
  await assert.rejects(new Microphone(devices(refusing("NotFoundError"))).open(), code("mic_missing"));
  await assert.rejects(new Microphone(devices(refusing("NotReadableError"))).open(), code("mic_busy"));
});

test("a chosen microphone that is gone gives way to the system's", async () => {
  const all = devices((audio) =>
    audio.deviceId ? refusing("OverconstrainedError")() : Promise.resolve(stream("default")),
  );
  const microphone = new Microphone(all);
  microphone.deviceId = "gone";
  assert.equal((await microphone.open()).name, "default");
  assert.equal(microphone.deviceId, "");
});

test("a slow permission does not undo a later choice, and its track is let go", async () => {
  const slow = stream("slow");
  let allow = () => {};
  const answers = [new Promise((resolve) => (allow = () => resolve(slow))), Promise.resolve(stream("quick"))];
  const microphone = new Microphone(devices(() => answers.shift()));
  const first = microphone.open();
  await microphone.open();
  allow();
  assert.equal(await first, null);
  assert.equal(slow.track.stopped, true);
  assert.equal(microphone.track.name, "quick");
});

test("mute holds for a microphone that is opened later", async () => {
  const microphone = new Microphone(devices(async () => stream("default")));
  microphone.mute(true);
  const track = await microphone.open();
  assert.equal(track.enabled, false);
  microphone.mute(false);
  assert.equal(track.enabled, true);
});

test("an unplugged microphone is reported, a closed one is not", async () => {
  const lost = [];
  const microphone = new Microphone(devices(async () => stream("default")));
  microphone.addEventListener("lost", () => lost.push(1));
  (await microphone.open()).onended();
  assert.equal(lost.length, 1);
  const track = await microphone.open();
  microphone.close();
  assert.equal(track.onended, null);
  assert.equal(track.stopped, true);
});

test("the list has microphones only, and names those that have none", async () => {
  assert.deepEqual(await new Microphone(devices()).list(), [
    { id: "a", name: "Headset" },
    { id: "b", name: "Microphone 2" },
  ]);
  assert.deepEqual(await new Microphone(undefined).list(), []);
});

test("a microphone that is open stays so, unless another one is chosen or it has ended", async () => {
  const all = devices(async () => stream("some"));
  const microphone = new Microphone(all);
  const track = await microphone.open();
  track.readyState = "live";
  microphone.muted = true;
  assert.equal(await microphone.open(), track);
  assert.equal(track.enabled, false);
  assert.equal(all.asked.length, 1);
  microphone.deviceId = "b";
  const other = await microphone.open();
  assert.notEqual(other, track);
  assert.ok(track.stopped);
  other.readyState = "ended";
  await microphone.open();
  assert.equal(all.asked.length, 3);
});
