// A page that plays some seconds behind: the programme's time in a playlist, and events told when they are heard.
import assert from "node:assert/strict";
import { test } from "node:test";
import { programmeZero } from "../../static/js/hls_clock.mjs";
import { LateEvents } from "../../static/js/late_events.mjs";

const PLAYLIST = `#EXTM3U
#EXT-X-TARGETDURATION:2
#EXT-X-MAP:URI="init-1920.mp4"
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.163Z
#EXTINF:1.680000,
1920.m4s
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:21.843Z
#EXTINF:1.520000,
82560.m4s
`;

test("a playlist says when the programme began", () => {
  assert.equal(programmeZero(PLAYLIST), Date.parse("2023-11-14T22:13:20.123Z"));
  assert.equal(programmeZero("#EXTM3U\n"), null);
});

function scene() {
  const told = [];
  const late = new LateEvents({
    message: (message) => told.push(message.type),
    down: () => told.push("down"),
    refused: (status) => told.push(status),
  });
  return { late, told };
}

test("what happens is told when it is at the speaker, words at once", () => {
  const { late, told } = scene();
  late.line.message({ type: "session" });
  late.line.message({ type: "state", rtp: 4_294_967_000 });
  late.line.message({ type: "turn", rtp: 100 });
  late.line.message({ type: "words", rtp: 100 });
  assert.deepEqual(told, ["session", "words"]);
  late.advance(4_294_966_999);
  assert.deepEqual(told, ["session", "words"]);
  late.advance(4_294_967_100);
  assert.deepEqual(told, ["session", "words", "state"]);
  late.advance(101);
  assert.deepEqual(told, ["session", "words", "state", "turn"]);
});

test("the end waits for the last sound; a restart does not", () => {
  const { late, told } = scene();
  late.advance(0);
  late.line.message({ type: "ended", reason: "restart", rtp: 50 });
  late.line.message({ type: "ended", reason: "bye", rtp: 50 });
  late.line.refused(404, "");
  assert.deepEqual(told, ["ended"]);
  late.flush();
  assert.deepEqual(told, ["ended", "ended", 404]);
});

test("who never saw anything is told at once why", () => {
  const { late, told } = scene();
  late.line.refused(401, "");
  assert.deepEqual(told, [401]);
});
