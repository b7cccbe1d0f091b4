import assert from "node:assert/strict";
import { test } from "node:test";

import { Captions, keptPieces } from "../../static/js/captions.mjs";

const WORD = 12_000;

/** Words of sentence 0 of `turn`, each a quarter of a second, from `rtp` on. */
function words(turn, texts, rtp = 0, sentence = 0) {
  return texts.map((text, index) => [turn, sentence, index, text, (rtp + index * WORD) >>> 0, WORD]);
}

const texts = (pieces) => pieces.map((piece) => piece.text);

test("a word shows when its time is heard, not before", () => {
  const captions = new Captions();
  captions.words(words(1, ["Good", "morning"], 5000));
  assert.deepEqual(captions.advance(4999), []);
  assert.deepEqual(texts(captions.advance(5000)), [" Good"]);
  assert.deepEqual(captions.advance(5000 + WORD - 1), []);
  assert.deepEqual(texts(captions.advance(5000 + WORD)), [" morning"]);
});

test("words across the end of the RTP circle come in order", () => {
  const captions = new Captions();
  captions.words(words(1, ["a", "b", "c"], 0xffffffff - WORD));
  assert.deepEqual(texts(captions.advance(0xffffffff)), [" a", " b"]);
  assert.deepEqual(texts(captions.advance(WORD)), [" c"]);
});

test("words are spelt as their sentence writes them", () => {
  const captions = new Captions();
  captions.sentence(1, 0, "“Well,” she said: 3 o’clock?");
  captions.words(words(1, ["Well", "she", "said", "3", "o’clock"]));
  assert.equal(texts(captions.advance(5 * WORD)).join(""), " “Well,” she said: 3 o’clock?");
});

test("a script without spaces gets none", () => {
  const captions = new Captions();
  captions.sentence(1, 0, "你好，世界。");
  captions.words(words(1, ["你好", "世界"]));
  assert.equal(texts(captions.advance(WORD)).join(""), " 你好，世界。");
});

test("a word the sentence does not have is shown as it came", () => {
  const captions = new Captions();
  captions.sentence(1, 0, "Room 12.");
  captions.words(words(1, ["Room", "twelve"]));
  assert.equal(texts(captions.advance(WORD)).join(""), " Room twelve");
});

test("what is not a word is left out", () => {
  const captions = new Captions();
  captions.words([
    [1, 0, 0, "x"],
    [1, 0, 1, 7, 0, 1],
    [1, 0, 2, "y", "0", 1],
    [1, 0, 3, "z", 0, 1],
  ]);
  assert.deepEqual(texts(captions.advance(10)), [" z"]);
});

test("a sentence alone shows nothing", () => {
  const captions = new Captions();
  captions.sentence(1, 0, "Not yet said.");
  assert.deepEqual(captions.advance(0x7000_0000), []);
});

test("a word that comes again after a hold is shown once, at its new time", () => {
  const captions = new Captions();
  captions.words(words(1, ["one", "two"], 0));
  captions.advance(0);
  captions.words([
    [1, 0, 0, "one", 100_000, WORD],
    [1, 0, 1, "two", 100_000 + WORD, WORD],
  ]);
  assert.deepEqual(captions.advance(2 * WORD), []);
  assert.deepEqual(captions.advance(100_000), []);
  assert.equal(captions.sounding(100_000)?.text, " one");
  assert.deepEqual(texts(captions.advance(100_000 + WORD)), [" two"]);
});

test("dropped words never show, those of a newer turn do", () => {
  const captions = new Captions();
  captions.words(words(1, ["old"], 0));
  captions.words(words(2, ["new"], 0));
  captions.drop(1);
  assert.deepEqual(texts(captions.advance(10)), [" new"]);
});

test("words of an older turn than the one on show are stale", () => {
  const captions = new Captions();
  captions.words(words(5, ["now"], 0));
  captions.advance(0);
  captions.words(words(4, ["late"], 10));
  assert.deepEqual(captions.advance(100), []);
});

test("the sounding word ends with its samples", () => {
  const captions = new Captions();
  captions.words([[1, 0, 0, "one", 0, 100]]);
  captions.advance(0);
  assert.equal(captions.sounding(99)?.text, " one");
  assert.equal(captions.sounding(100), null);
});

test("a turn is expected until its last word is heard", () => {
  const captions = new Captions();
  captions.words(words(3, ["a", "b"]));
  captions.advance(0);
  assert.equal(captions.expects(3), true);
  captions.advance(WORD);
  assert.equal(captions.expects(3), false);
});

test("what was heard keeps whole words, whatever the spaces and the punctuation", () => {
  const pieces = [" It", " is", " late,", " really."].map((text, index) => ({
    turn: 1,
    sentence: 0,
    index,
    text,
    rtp: 0,
    samples: 0,
  }));
  assert.equal(keptPieces(pieces, "It is late"), 3);
  assert.equal(keptPieces(pieces, "It  is late, really."), 4);
  assert.equal(keptPieces(pieces, ""), 0);
});
