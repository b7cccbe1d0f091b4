// What a viewer's page does before it is whole: the offer goes out, and what happens meanwhile is told to the page later.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadStart } from "../../static/js/head_start.mjs";
import { Viewing } from "../../static/js/viewing.mjs";
import { WhepRefusal } from "../../static/js/whep.mjs";

const SESSION = { type: "session", session: "s", persona: {}, state: "speaking", viewers: 2, audio_offset: 7, ice: [], edge: "a" };

function scene(refusal = null) {
  const did = [];
  const page = { did, media: null };
  let tell = null;
  const start = new HeadStart({
    line: (events) => ((tell = events), { open: () => did.push("line"), close: () => did.push("line closed"), nudge() {} }),
    source: (session, events) => {
      did.push("source");
      page.media = events;
      let begun = null;
      return { events, connection: {}, start: () => (begun ??= offer(events)), close: () => did.push("source closed") };
    },
  });
  async function offer(events) {
    did.push("offer");
    events.stream("media");
    events.sent();
    if (refusal) throw refusal;
  }
  return Object.assign(page, { start, tell: () => tell });
}

function takeOver({ start, did }) {
  const viewing = new Viewing({
    line: (events) => start.line(events),
    source: (_session, events) => start.source(events) ?? (did.push("another"), { events, start: async () => {}, close() {} }),
    listener: {
      changed() {},
      session: ({ session }) => did.push(`session ${session}`),
      media: (stream) => did.push(`plays ${stream}`),
      pathless: () => false,
      message: ({ type }) => did.push(type),
    },
  });
  viewing.start();
  return viewing;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test("the offer is out before anybody listens, and who listens then hears all of it in order", async () => {
  const page = scene();
  assert.deepEqual(page.did, ["line"]);
  page.tell().message(SESSION);
  assert.equal(await page.start.offered, SESSION);
  page.tell().message({ type: "words" });
  page.tell().message({ type: "turn" });
  assert.deepEqual(page.did, ["line", "source", "offer"]);
  const viewing = takeOver(page);
  await settled();
  assert.deepEqual(page.did.filter((what) => what !== "plays media"), ["line", "source", "offer", "line", "session s", "words", "turn"]);
  assert.equal(page.did.filter((what) => what === "plays media").length, 1, "what was begun is what is played");
  page.tell().message({ type: "mouth" });
  assert.equal(page.did.at(-1), "mouth", "from then on it is told at once");
  viewing.leave();
  assert.deepEqual(page.did.slice(-2), ["line closed", "source closed"]);
});

test("a connection that was made before the page is whole is known to it", async () => {
  const page = scene();
  page.tell().message(SESSION);
  page.media.state("connected");
  const viewing = takeOver(page);
  await settled();
  assert.equal(viewing.state, "speaking");
  assert.ok(viewing.again);
  viewing.leave();
});

test("a refusal before the page is there is a refusal", async () => {
  const page = scene(new WhepRefusal(503, "full"));
  page.tell().message(SESSION);
  await page.start.offered;
  await settled();
  const viewing = takeOver(page);
  await settled();
  assert.equal(viewing.state, "full");
  viewing.leave();
});

test("what a media server plays is offered by it, and a line that is refused or lost holds nothing up", async () => {
  const behind = scene();
  behind.tell().message({ ...SESSION, janus: { url: "", id: 1, pin: "", origin_ms: 0 } });
  assert.ok((await behind.start.offered).janus);
  assert.deepEqual(behind.did, ["line"]);
  for (const tell of [(events) => events.refused(404, ""), (events) => events.down(1)]) {
    const page = scene();
    tell(page.tell());
    assert.equal(await page.start.offered, null);
  }
  const absent = scene();
  absent.tell().refused(404, "");
  const viewing = takeOver(absent);
  await settled();
  assert.equal(viewing.state, "absent");
});

test("a page that is closed before it is whole leaves", () => {
  const page = scene();
  page.tell().message(SESSION);
  page.start.leave();
  assert.deepEqual(page.did.slice(-2), ["line closed", "source closed"]);
});
