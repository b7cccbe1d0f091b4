import assert from "node:assert/strict";
import { test } from "node:test";

import { Dialogue } from "../../static/js/dialogue.mjs";

const told = (dialogue) => dialogue.lines.map(({ role, text }) => `${role}: ${text}`);

test("an answer grows as it is heard and ends as the edge says", () => {
  const dialogue = new Dialogue();
  dialogue.user("Where is it?");
  dialogue.spoken(1, " On", "plan.md#2");
  dialogue.spoken(1, " the left.");
  assert.deepEqual(told(dialogue), ["user: Where is it?", "avatar: On the left."]);
  assert.equal(dialogue.lines[1].passage, "plan.md#2");
  dialogue.settle(1, "On the", true);
  assert.deepEqual(told(dialogue), ["user: Where is it?", "avatar: On the"]);
  assert.equal(dialogue.lines[1].interrupted, true);
});

test("an answer of which nothing was heard leaves the dialogue", () => {
  const dialogue = new Dialogue();
  dialogue.spoken(1, " Well");
  dialogue.settle(1, "", true);
  assert.deepEqual(dialogue.lines, []);
});

test("guesses change one line, which the accepted words replace", () => {
  const dialogue = new Dialogue();
  dialogue.hearing("where");
  dialogue.hearing("where is");
  assert.deepEqual(told(dialogue), ["user: where is"]);
  assert.equal(dialogue.lines[0].provisional, true);
  dialogue.user("Where is it");
  assert.deepEqual(told(dialogue), ["user: Where is it"]);
  assert.equal(dialogue.lines[0].provisional, false);
});

test("a guess that comes to nothing leaves no line", () => {
  const dialogue = new Dialogue();
  dialogue.hearing("uh");
  dialogue.hearing("");
  assert.deepEqual(dialogue.lines, []);
});

test("an utterance that goes on after a false cut is one line", () => {
  const dialogue = new Dialogue();
  dialogue.user("I would like");
  dialogue.spoken(1, " Yes");
  dialogue.settle(1, "", true);
  dialogue.user("I would like to know");
  assert.deepEqual(told(dialogue), ["user: I would like to know"]);
});

test("the same question asked twice is two lines", () => {
  const dialogue = new Dialogue();
  dialogue.user("Hello");
  dialogue.user("Hello");
  assert.equal(dialogue.lines.length, 2);
});

test("what the person is saying stays below what the avatar says meanwhile", () => {
  const dialogue = new Dialogue();
  dialogue.hearing("mhm");
  dialogue.spoken(1, " Furthermore");
  assert.deepEqual(told(dialogue), ["avatar: Furthermore", "user: mhm"]);
});

test("after a reconnection the edge's dialogue takes the place of the page's", () => {
  const dialogue = new Dialogue();
  dialogue.spoken(1, " Old");
  dialogue.replace([
    { role: "user", text: "Hi" },
    { role: "avatar", text: "Good", interrupted: true },
  ]);
  assert.deepEqual(told(dialogue), ["user: Hi", "avatar: Good"]);
  assert.equal(dialogue.lines[1].interrupted, true);
  dialogue.spoken(1, " New");
  assert.equal(dialogue.lines.length, 3);
});

test("a note stands between the lines, before what is being said", () => {
  const dialogue = new Dialogue();
  dialogue.user("Hello");
  dialogue.hearing("and now");
  dialogue.note("Sam goes on with you");
  assert.deepEqual(dialogue.lines.map(({ role, text }) => [role, text]), [
    ["user", "Hello"],
    ["note", "Sam goes on with you"],
    ["user", "and now"],
  ]);
});

test("the lines of a conversation that is lost stay, and the next one's turns are not taken for theirs", () => {
  const dialogue = new Dialogue();
  dialogue.user("Hello");
  dialogue.spoken(1, " Good day");
  dialogue.hearing("and");
  dialogue.close("It is lost.");
  dialogue.replace([]);
  dialogue.spoken(1, " Welcome");
  assert.deepEqual(told(dialogue), ["user: Hello", "avatar: Good day", "note: It is lost.", "avatar: Welcome"]);
  dialogue.replace([{ role: "avatar", text: "Welcome" }]);
  assert.deepEqual(told(dialogue), ["user: Hello", "avatar: Good day", "note: It is lost.", "avatar: Welcome"]);
  dialogue.clear();
  dialogue.replace([]);
  assert.deepEqual(told(dialogue), []);
});
