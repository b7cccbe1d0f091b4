// What a viewer's page makes of events and refusals, and how it writes candidates and reads the event line.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parsed } from "../../static/js/event_line.mjs";
import { fromTheEdge, wishOfView } from "../../static/js/view_link.mjs";
import { WITHOUT_WORDS, ageText, chipOf, pauseOf, viewersText } from "../../static/js/view_words.mjs";
import { Viewing } from "../../static/js/viewing.mjs";
import { WhepRefusal, fragment } from "../../static/js/whep.mjs";

const SESSION = { type: "session", session: "s", persona: {}, state: "speaking", viewers: 2, audio_offset: 7, ice: [], edge: "a" };

function scene(refuse = () => null, pathless = () => false) {
  const said = { messages: [], sessions: 0, wheps: [], closed: 0 };
  let line = null;
  const viewing = new Viewing({
    line: (events) => ((line = events), { open() {}, close: () => said.closed++, nudge() {} }),
    source: (session, events) => {
      const mine = { events, voice: {}, connection: {}, open: true, close: () => (mine.open = false) };
      mine.start = async () => {
        const error = refuse(said.wheps.length);
        if (error) throw error;
      };
      said.wheps.push(mine);
      return mine;
    },
    listener: { changed() {}, session: () => said.sessions++, media() {}, pathless, message: (m) => said.messages.push(m.type) },
  });
  viewing.start();
  return { viewing, said, line: () => line };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test("it joins, lives, and shows that the host is away", () => {
  const { viewing, said, line } = scene();
  assert.equal(viewing.state, "connecting");
  line().message(SESSION);
  assert.equal(viewing.state, "connecting");
  said.wheps[0].events.state("connected");
  assert.equal(viewing.state, "speaking");
  assert.equal(viewing.viewers, 2);
  line().message({ type: "state", state: "away" });
  assert.equal(viewing.state, "away");
  line().message({ type: "state", state: "listening" });
  line().message({ type: "audience", viewers: 9 });
  assert.equal(viewing.state, "listening");
  assert.equal(viewing.viewers, 9);
  viewing.leave();
});

test("a lost line leaves the media alone; an edge that began anew does not", () => {
  const { viewing, said, line } = scene();
  line().message(SESSION);
  said.wheps[0].events.state("connected");
  line().down(1);
  assert.equal(viewing.state, "speaking");
  line().message(SESSION);
  assert.equal(said.wheps.length, 1);
  line().message({ type: "ended", reason: "restart" });
  assert.equal(viewing.state, "speaking", "it comes back by itself");
  line().message({ ...SESSION, edge: "b" });
  assert.equal(said.wheps.length, 2);
  assert.equal(said.wheps[0].open, false);
  viewing.leave();
});

test("the end is the end, and an unknown session never began", async () => {
  const { viewing, said, line } = scene();
  line().message(SESSION);
  said.wheps[0].events.state("connected");
  line().message({ type: "ended", reason: "bye" });
  assert.equal(viewing.state, "ended");
  assert.equal(said.wheps[0].open, false);
  viewing.nudge();
  assert.equal(said.wheps.length, 1);
  const other = scene();
  other.line().refused(404, "There is no such conversation.");
  assert.equal(other.viewing.state, "absent");
  const closed = scene();
  closed.line().refused(401, "");
  assert.equal(closed.viewing.state, "closed");
});

test("a full house is tried again, and comes right", async () => {
  const { viewing, said, line } = scene((n) => (n === 1 ? new WhepRefusal(503, "full") : null));
  line().message(SESSION);
  await settled();
  assert.equal(viewing.state, "full");
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(said.wheps.length, 2);
  said.wheps[1].events.state("connected");
  assert.equal(viewing.state, "speaking");
  viewing.leave();
});

test("every state that covers the picture has words, the others a chip", () => {
  for (const state of ["away", "ended", "absent", "closed", "full", "blocked"]) assert.ok(pauseOf(state)?.title, state);
  for (const state of ["connecting", "listening", "thinking", "speaking", "held"]) assert.ok(chipOf(state, false), state);
  assert.equal(pauseOf("speaking"), null);
  assert.equal(viewersText(1), "1 watching");
  assert.deepEqual([5, 61, 3700].map(ageText), ["just begun", "for 1 min", "for 1 h 1 min"]);
});

test("the address says what to show", () => {
  const wish = wishOfView({ pathname: "/view/abc%20d", search: "?front=3d", hash: "#key=s%26t" });
  assert.deepEqual(wish, { session: "abc d", front: "3d", key: "s&t", via: "" });
  assert.equal(wishOfView({ pathname: "/view/x/", search: "?front=4d&via=x", hash: "" }).front, "2d");
  for (const via of ["hls", "janus", "edge"]) {
    assert.equal(wishOfView({ pathname: "/view/x/", search: `?via=${via}`, hash: "" }).via, via);
  }
});

test("events are read whole, whatever they are cut into", () => {
  const wire = ': \n\ndata: {"type":"a","n":1}\n\nevent: x\ndata: {"type":"b"}\n\ndata: nonsense\n\ndata: 5\n\ndata: {"type":"c"}\n\n';
  for (let size = 1; size < wire.length; size += 3) {
    let rest = "";
    const found = [];
    for (let at = 0; at < wire.length; at += size) {
      const step = parsed(rest + wire.slice(at, at + size));
      rest = step.rest;
      found.push(...step.messages.map(({ type }) => type));
    }
    assert.deepEqual(found, ["a", "b", "c"]);
    assert.equal(rest, "");
  }
});

test("candidates are written under their own media line", () => {
  const sdp = "v=0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\nm=audio 9 X 111\r\na=mid:0\r\nm=video 9 X 96\r\na=mid:1\r\n";
  const text = fragment(sdp, [{ candidate: "candidate:1 …", sdpMid: "1" }, { candidate: "candidate:2 …", sdpMid: "0" }]);
  assert.equal(
    text,
    "a=ice-ufrag:u\r\na=ice-pwd:p\r\nm=video 9 X 96\r\na=mid:1\r\na=candidate:1 …\r\nm=audio 9 X 111\r\na=mid:0\r\na=candidate:2 …\r\n",
  );
});

test("where no path is found twice another way is taken, and this one is left alone", () => {
  let asked = 0;
  const { viewing, said, line } = scene(undefined, () => (asked++, true));
  line().message(SESSION);
  said.wheps[0].events.state("failed");
  assert.equal(asked, 0);
  viewing.nudge();
  said.wheps[1].events.state("failed");
  assert.equal(asked, 1);
  assert.equal(said.wheps.length, 2);
  viewing.leave();
});

test("a browser that cannot take the answer takes another way at once", async () => {
  let asked = 0;
  const { viewing, line } = scene(() => new WhepRefusal(422, "no codec"), () => (asked++, true));
  line().message(SESSION);
  await settled();
  assert.equal(asked, 1);
  viewing.leave();
});

test("where there is no other way it is said that there is none", async () => {
  const { viewing, line } = scene(() => new WhepRefusal(406, "no codec"));
  line().message(SESSION);
  await settled();
  assert.equal(viewing.state, "blocked");
  viewing.leave();
});

test("a page without captions says so and names the way that has them, for the same viewer", () => {
  assert.match(WITHOUT_WORDS.text, /captions/);
  const onward = fromTheEdge({ pathname: "/view/x", search: "?via=janus&front=2d", hash: "#key=s%26t" });
  const { search, hash, pathname } = new URL(onward, "http://host");
  const wish = wishOfView({ pathname, search, hash });
  assert.deepEqual(wish, { session: "x", front: "2d", key: "s&t", via: "edge" });
  assert.equal(fromTheEdge({ pathname: "/view/x", search: "", hash: "" }), "/view/x?via=edge");
});
