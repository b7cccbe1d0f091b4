import assert from "node:assert/strict";
import { test } from "node:test";

import { backdrop } from "../../static/js/backdrop.mjs";
import { Background } from "../../static/js/background.mjs";
import { Front } from "../../static/js/front.mjs";
import { looksOf } from "../../static/js/link.mjs";
import { CLOSED } from "../../static/js/mouth.mjs";

const PERSONA = { model: "/avatars/vera/vera.glb", front: "portrait" };

function element() {
  const made = { dataset: {}, hidden: true, attributes: {}, listeners: {}, styles: {} };
  made.setAttribute = (name, value) => (made.attributes[name] = value);
  made.addEventListener = (name, listener) => (made.listeners[name] = listener);
  made.cloneNode = () => element();
  made.replaceWith = () => {};
  made.style = {
    setProperty: (name, value) => (made.styles[name] = value),
    removeProperty: (name) => delete made.styles[name],
  };
  return made;
}

/** A page with a front whose heads and pictures come when the test says so. */
function page({ front = "", open = null } = {}) {
  const here = { told: [], failures: [], heads: [], pictures: [], face: { moving: true } };
  here.face.nextPicture = () => new Promise((shown) => here.pictures.push(shown));
  here.figure = element();
  here.button = element();
  here.control = element();
  const head = async () => {
    const made = { shows: 0, disposed: false, report: { report: "", source: "arkit", quality: "low" } };
    made.show = () => made.shows++;
    made.dispose = () => (made.disposed = true);
    made.load = () => new Promise((done, failed) => Object.assign(made, { done, failed }));
    here.heads.push(made);
    return made;
  };
  here.front = new Front({
    ...{ figure: here.figure, canvas: element, button: here.button, control: here.control, face: here.face },
    looks: { front, quality: "" },
    tell: (message) => here.told.push(message.front),
    failed: (text) => here.failures.push(text),
    open: open ?? head,
    fetch: async () => new ArrayBuffer(0),
  });
  return here;
}

const settle = () => new Promise((done) => setImmediate(done));

async function inThreeD(here) {
  here.front.introduce(PERSONA);
  here.front.begin();
  here.front.toggle();
  await settle();
  here.heads.at(-1).done();
  await settle();
  here.front.draw(CLOSED, 0);
}

test("the call page has the light file in low quality, too", async () => {
  const here = page();
  const asked = [];
  const head = { load: async (file) => asked.push(file), show() {}, dispose() {}, report: {} };
  const front = new Front({
    ...{ figure: element(), canvas: element, button: element(), control: element(), face: here.face },
    ...{ looks: { front: "avatar3d", quality: "low" }, tell() {}, failed() {}, open: async () => head },
    fetch: async (file) => void asked.push(file),
  });
  front.introduce({ ...PERSONA, light: "/avatars/vera/vera.light.glb" });
  await settle();
  assert.deepEqual(asked, ["/avatars/vera/vera.light.glb", "/avatars/vera/vera.light.glb"]);
});

test("a persona without a model has no button, one with a model begins as its file says", async () => {
  const here = page();
  here.front.introduce({ model: "", front: "portrait" });
  assert.equal(here.control.hidden, true);
  here.front.toggle();
  assert.equal(here.heads.length, 0);
  here.front.introduce(PERSONA);
  assert.equal(here.control.hidden, false);
  await settle();
  assert.equal(here.heads.length, 0);
  here.front.introduce({ ...PERSONA, front: "avatar3d" });
  await settle();
  assert.equal(here.heads.length, 1);
});

test("the address decides over the persona", async () => {
  const two = page({ front: "portrait" });
  two.front.introduce({ ...PERSONA, front: "avatar3d" });
  const three = page({ front: "avatar3d" });
  three.front.introduce(PERSONA);
  await settle();
  assert.equal(two.heads.length, 0);
  assert.equal(three.heads.length, 1);
});

test("the picture stays until the head is drawn, and only then the edge is told", async () => {
  const here = page();
  here.front.introduce(PERSONA);
  here.front.toggle();
  await settle();
  here.front.draw(CLOSED, 0);
  assert.equal(here.front.shown, "portrait");
  assert.equal(here.button.attributes["aria-busy"], "true");
  here.heads[0].done();
  await settle();
  assert.deepEqual(here.told, []);
  here.front.draw(CLOSED, 16);
  assert.equal(here.figure.dataset.front, "avatar3d");
  assert.deepEqual(here.told, ["avatar3d"]);
  here.front.draw(CLOSED, 32);
  assert.deepEqual(here.told, ["avatar3d"], "told once");
  assert.equal(here.button.attributes["aria-pressed"], "true");
});

test("a call that has shown no picture yet asks for pictures still", async () => {
  const here = page();
  here.face.moving = false;
  await inThreeD(here);
  assert.equal(here.front.shown, "avatar3d");
  assert.deepEqual(here.told, []);
  here.face.moving = true;
  here.front.draw(CLOSED, 32);
  assert.deepEqual(here.told, ["avatar3d"]);
  here.front.begin();
  here.front.draw(CLOSED, 48);
  assert.deepEqual(here.told, ["avatar3d", "avatar3d"], "a new session is told anew");
});

test("the head stays until the next picture is there", async () => {
  const here = page();
  await inThreeD(here);
  here.front.toggle();
  assert.deepEqual(here.told, ["avatar3d", "portrait"]);
  assert.equal(here.front.shown, "avatar3d");
  here.front.draw(CLOSED, 32);
  assert.deepEqual(here.told, ["avatar3d", "portrait"], "drawing on the way out asks for nothing");
  here.pictures[0]();
  await settle();
  assert.equal(here.front.shown, "portrait");
  await new Promise((done) => setTimeout(done, 500));
  assert.equal(here.heads[0].disposed, true);
});

test("a change of mind on the way drops what was begun", async () => {
  const here = page();
  here.front.introduce(PERSONA);
  here.front.toggle();
  await settle();
  here.front.toggle();
  here.heads[0].done();
  await settle();
  here.front.draw(CLOSED, 0);
  assert.equal(here.front.shown, "portrait");
  assert.equal(here.heads[0].disposed, true);
  assert.deepEqual(here.told, []);
});

test("going back to 3D before the picture has come keeps the head that is there", async () => {
  const here = page();
  await inThreeD(here);
  here.front.toggle();
  here.front.toggle();
  here.front.draw(CLOSED, 64);
  here.pictures[0]();
  await settle();
  assert.equal(here.front.shown, "avatar3d");
  assert.equal(here.heads.length, 1);
  assert.equal(here.heads[0].disposed, false);
  assert.equal(here.told.at(-1), "avatar3d");
});

test("a model that fails is a sentence, the picture stays, and the button tries again", async () => {
  const here = page();
  here.front.introduce(PERSONA);
  here.front.toggle();
  await settle();
  here.heads[0].failed(Object.assign(new Error("This file is no 3D model."), { code: "format" }));
  await settle();
  assert.deepEqual(here.failures, ["This file is no 3D model."]);
  assert.equal(here.figure.dataset.front, "portrait");
  assert.equal(here.button.attributes["aria-pressed"], "false");
  here.front.introduce(PERSONA);
  await settle();
  assert.equal(here.heads.length, 1);
  here.front.toggle();
  await settle();
  assert.equal(here.heads.length, 2);
});

test("an error that is not meant for people is not shown to them", async () => {
  const here = page({ open: async () => { throw new TypeError("x is undefined"); } });
  here.front.introduce(PERSONA);
  here.front.toggle();
  await settle();
  assert.deepEqual(here.failures, [""]);
});

test("the end of a call gives the head back", async () => {
  const here = page();
  await inThreeD(here);
  here.front.end();
  assert.equal(here.heads[0].disposed, true);
  assert.equal(here.front.shown, "portrait");
});

test("another persona brings another head", async () => {
  const here = page({ front: "avatar3d" });
  await inThreeDByAddress(here);
  here.front.introduce({ model: "/avatars/sam/sam.vrm", front: "portrait" });
  await settle();
  assert.equal(here.heads[0].disposed, true);
  assert.equal(here.heads.length, 2);
});

async function inThreeDByAddress(here) {
  here.front.introduce(PERSONA);
  await settle();
  here.heads[0].done();
  await settle();
  here.front.draw(CLOSED, 0);
}

test("a backdrop is a colour, a picture of this server or nothing; all else is the default", () => {
  assert.deepEqual(backdrop("#203040"), { style: "#203040", transparent: false });
  assert.deepEqual(backdrop("/avatars/rooms/office.jpg"), { style: 'url("/avatars/rooms/office.jpg")', transparent: false });
  assert.deepEqual(backdrop("transparent"), { style: "", transparent: true });
  assert.deepEqual(backdrop("studio"), { style: 'url("/backdrops/studio")', transparent: false });
  for (const odd of ["", "none", "Red room", "url(x)", "//evil.example/x.png", "/a/../../x.png", '/x.png") , url("http://e/x.png', "#12"]) {
    assert.deepEqual(backdrop(odd), { style: "", transparent: false }, odd);
  }
});

test("the address says how the face is shown", () => {
  assert.deepEqual(looksOf("?front=3d&quality=low&background=%23ffffff"), { front: "avatar3d", quality: "low", background: "#ffffff" });
  assert.equal(looksOf("?front=2D").front, "portrait");
  assert.equal(looksOf("?front=4d").front, "");
});

test("the background changes live, and pictures are asked for as the figure alone only while it is transparent", () => {
  const figure = element();
  const cut = [];
  const background = new Background(figure, (cutOut) => cut.push(cutOut));
  background.begin("");
  background.show("#203040");
  assert.equal(figure.styles["--backdrop"], "#203040");
  background.show("transparent");
  assert.equal(figure.dataset.backdrop, "transparent");
  assert.equal(figure.styles["--backdrop"], undefined);
  background.show("transparent");
  assert.deepEqual(cut, [true], "told once");
  background.begin("transparent");
  assert.deepEqual(cut, [true, true], "the edge of a new session knows nothing");
  background.show("studio");
  assert.deepEqual(cut, [true, true, false]);
  background.show("transparent");
  background.begin("");
  assert.deepEqual(cut, [true, true, false, true, false], "a new session without it shows whole pictures again");
  assert.equal(figure.dataset.backdrop, "");
});
