// Where a viewer's heads are drawn: the one before stays until the next is there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Seat } from "../../static/js/seat.mjs";

function canvas(page) {
  const own = { hidden: true, cloneNode: () => canvas(page), after: (next) => page.push(next), remove: () => page.splice(page.indexOf(own), 1) };
  return own;
}

function scene(quality = "") {
  const page = [];
  page.push(canvas(page));
  const heads = [];
  const did = { failed: 0, fetched: [] };
  const figure = { dataset: {} };
  const open = async (on) => {
    const head = { on, shown: 0, disposed: false, show: () => head.shown++, dispose: () => (head.disposed = true) };
    head.load = (file) => new Promise((there, broken) => Object.assign(head, { file, there, broken }));
    heads.push(head);
    return head;
  };
  const seat = new Seat({ figure, canvas: page[0], quality, failed: () => did.failed++, open, fetch: (address) => did.fetched.push(address) });
  return { seat, page, heads, did, figure };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test("a head is opened before it is known which one, and drawn as soon as it is there", async () => {
  const { seat, page, heads, figure, did } = scene();
  assert.equal(heads.length, 1);
  seat.show({}, 1);
  seat.sit({ model: "vera" });
  seat.sit({ model: "vera" });
  assert.deepEqual(did.fetched, ["vera"], "its file is on its way before what draws it is there");
  await settled();
  assert.equal(heads.length, 1, "wanted twice, it is made once");
  assert.equal(figure.dataset.front, undefined, "nothing is shown before it can be drawn");
  heads[0].there();
  await settled();
  assert.equal(heads[0].shown, 1, "still, before the voice");
  assert.equal(figure.dataset.front, "avatar3d");
  assert.deepEqual(page, [heads[0].on]);
});

test("a head that is there before the page is shown with the page, not before", async () => {
  const { seat, heads, figure } = scene();
  seat.prepare({ model: "vera" });
  await settled();
  heads[0].there();
  await settled();
  assert.equal(heads[0].shown, 1, "it is drawn");
  assert.equal(figure.dataset.front, undefined, "and not seen before what lies behind it");
  seat.sit({ model: "vera" });
  assert.equal(figure.dataset.front, "avatar3d");
  assert.equal(heads[0].shown, 2);
  assert.equal(heads.length, 1);
});

test("low quality has the light file, where there is one", async () => {
  const vera = { model: "vera", light: "vera.light" };
  for (const [quality, persona, file] of [["low", vera, "vera.light"], ["high", vera, "vera"], ["low", { model: "vera", light: "" }, "vera"]]) {
    const { seat, heads, did } = scene(quality);
    seat.sit(persona);
    await settled();
    assert.deepEqual(did.fetched, [file]);
    assert.equal(heads[0].file, file);
  }
});

test("the connection has its turn between the reading of a head and its first drawing", async () => {
  const { seat, heads } = scene();
  seat.sit({ model: "vera" });
  await settled();
  const order = [];
  heads[0].show = () => order.push("drawn");
  setTimeout(() => order.push("connection"));
  heads[0].there();
  await settled();
  assert.deepEqual(order, ["connection", "drawn"]);
});

test("the head before stays until the next is there", async () => {
  const { seat, page, heads } = scene();
  seat.sit({ model: "vera" });
  await settled();
  heads[0].there();
  await settled();
  seat.sit({ model: "robin" });
  await settled();
  assert.equal(page.length, 2);
  seat.show({}, 1);
  assert.equal(heads[0].shown, 2, "it goes on meanwhile");
  heads[1].there();
  await settled();
  assert.ok(heads[0].disposed);
  assert.deepEqual(page, [heads[1].on]);
});

test("one that is no longer wanted when it comes is not shown", async () => {
  const { seat, page, heads } = scene();
  seat.sit({ model: "vera" });
  await settled();
  seat.sit({ model: "robin" });
  await settled();
  heads[1].there();
  await settled();
  heads[0].there();
  await settled();
  assert.ok(heads[0].disposed && !heads[1].disposed);
  assert.deepEqual(page, [heads[1].on]);
});

test("a head that cannot be had is told", async () => {
  const { seat, heads, did } = scene();
  seat.sit({ model: "broken" });
  await settled();
  heads[0].broken(new Error("broken"));
  await settled();
  assert.equal(did.failed, 1);
});
