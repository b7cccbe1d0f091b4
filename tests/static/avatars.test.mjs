import assert from "node:assert/strict";
import { test } from "node:test";
import { arranged, choices, forPage, shortName, titleOf } from "../../static/js/avatars/report.mjs";

const finding = (level, code, text = "A sentence.") => ({ level, code, text });

test("an error is shown as a refusal", () => {
  const { shown } = arranged({ usable: false, error: "The server did not answer.", code: "x" });
  assert.deepEqual(shown, [finding("refusal", "x", "The server did not answer.")]);
});

test("a report without faults says that it will work", () => {
  assert.equal(arranged({ usable: true, findings: [finding("note", "unseen")] }).shown[0].level, "good");
  assert.equal(arranged({ usable: true, findings: [finding("warning", "dark")] }).shown.length, 1);
  assert.equal(arranged({ usable: true, findings: [finding("good", "good")] }).shown.length, 1);
});

test("the long list of visemes is kept apart", () => {
  const { shown, details } = arranged({ usable: true, findings: [finding("good", "mouth"), finding("note", "viseme", "aa ← jawOpen")] });
  assert.equal(shown.length, 1);
  assert.deepEqual(details, ["aa ← jawOpen"]);
});

test("options of the command line are not shown to somebody at a page", () => {
  const told = "5 faces were found. Say which one: --face 1 is the leftmost, --face 5 the rightmost; or cut the picture to one person.";
  assert.equal(forPage(told), "5 faces were found. Choose one below, or cut the picture to one person.");
});

test("there is a choice only where several faces were found", () => {
  const faces = [[0, 0, 1, 1], [0, 0, 1, 1]];
  assert.equal(choices({ usable: false, faces, findings: [finding("refusal", "several_faces")] }), 2);
  assert.equal(choices({ usable: true, faces, findings: [] }), 0);
});

test("a title becomes a short name that files and addresses can have", () => {
  assert.equal(shortName("Zoë O'Hara-Müller "), "zoe-o-hara-muller");
  assert.match(shortName("x".repeat(90)), /^x{40}$/);
  assert.equal(shortName("名前"), "");
});

test("a file's name is a title unless a camera gave it", () => {
  assert.equal(titleOf("alice_meyer.jpg"), "Alice Meyer");
  assert.equal(titleOf("IMG_20240101.jpg"), "");
  assert.equal(titleOf("DSC 0042.JPG"), "");
});
