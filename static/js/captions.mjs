// @ts-check
/**
 * What the avatar has audibly said: words wait here with the RTP time at which they sound, and leave when it is heard.
 * The text of a coming sentence only lends its spelling and punctuation; nothing shows before it was heard. Pure.
 */
import { rtpAfter } from "./rtp.mjs";

/**
 * @typedef {object} Piece a word as shown, with the space before it and the punctuation around it
 * @property {number} turn
 * @property {number} sentence
 * @property {number} index the word's place in its sentence
 * @property {string} text
 * @property {number} rtp when it begins to sound
 * @property {number} samples how long it sounds, at 48 kHz
 */

/** Sentences and words kept for turns that never come; a page that is open all day must not grow. */
const MOST_WAITING = 4000;

export class Captions {
  /**
   * Text of the sentences to come, and how far into it words were found.
   * @type {Map<string, {text: string, cursor: number}>}
   */
  #sentences = new Map();
  /** @type {Piece[]} in the order in which they will sound */
  #waiting = [];
  /** Words of the turn on show, so that a repeated one is not shown twice. @type {Map<string, Piece>} */
  #shown = new Map();
  /** @type {number} */
  #turn = -1;

  /** @param {number} turn @param {number} n @param {string} text */
  sentence(turn, n, text) {
    if (turn < this.#turn || this.#sentences.size >= MOST_WAITING) return;
    this.#sentences.set(`${turn} ${n}`, { text, cursor: 0 });
  }

  /**
   * Words that enter the programme now. After a hold the cut word comes again with a new time.
   * @param {Array<[turn: number, sentence: number, index: number, text: string, rtp: number, samples: number]>} words
   */
  words(words) {
    for (const [turn, sentence, index, text, rtp, samples] of words) {
      if (typeof text !== "string" || ![turn, sentence, index, rtp, samples].every(Number.isFinite)) continue;
      const shown = this.#shown.get(key(turn, sentence, index));
      const again = shown ?? this.#waiting.find((w) => w.turn === turn && w.sentence === sentence && w.index === index);
      if (again) {
        again.rtp = rtp;
        again.samples = samples;
      } else if (turn >= this.#turn && this.#waiting.length < MOST_WAITING) {
        this.#waiting.push({ turn, sentence, index, text: this.#spelt(turn, sentence, text), rtp, samples });
      }
    }
  }

  /**
   * Time has reached `heardRtp`: the words that began since the last call, in order.
   * @param {number} heardRtp @returns {Piece[]}
   */
  advance(heardRtp) {
    let due = 0;
    while (due < this.#waiting.length && rtpAfter(heardRtp, this.#waiting[due].rtp) >= 0) due++;
    const heard = this.#waiting.splice(0, due);
    for (const piece of heard) {
      if (piece.turn !== this.#turn) this.#begin(piece.turn);
      this.#shown.set(key(piece.turn, piece.sentence, piece.index), piece);
    }
    return heard;
  }

  /**
   * The word sounding at `heardRtp`, or null between words.
   * @param {number} heardRtp @returns {Piece | null}
   */
  sounding(heardRtp) {
    let newest = null;
    for (const piece of this.#shown.values()) {
      const into = rtpAfter(heardRtp, piece.rtp);
      if (into >= 0 && into < piece.samples) newest = piece;
    }
    return newest;
  }

  /** Whether words of this turn are still to sound. @param {number} turn */
  expects(turn) {
    return this.#waiting.some((piece) => piece.turn === turn);
  }

  /** Everything up to `turn` is over: what has not sounded never will. @param {number} turn */
  drop(turn) {
    this.#waiting = this.#waiting.filter((piece) => piece.turn > turn);
    for (const name of this.#sentences.keys()) if (Number(name.split(" ")[0]) <= turn) this.#sentences.delete(name);
  }

  /** A new call: its words come anew, with new times. */
  reset() {
    this.#sentences.clear();
    this.#waiting = [];
    this.#shown.clear();
    this.#turn = -1;
  }

  /** @param {number} turn */
  #begin(turn) {
    this.#turn = turn;
    this.#shown.clear();
    for (const name of this.#sentences.keys()) if (Number(name.split(" ")[0]) < turn) this.#sentences.delete(name);
  }

  /**
   * The word as its sentence writes it: with what stands between it and the word before, and the punctuation after it.
   * Looking the word up works for any script; counting spaces would not.
   * @param {number} turn @param {number} n @param {string} word
   */
  #spelt(turn, n, word) {
    const sentence = this.#sentences.get(`${turn} ${n}`);
    const at = sentence ? sentence.text.indexOf(word, sentence.cursor) : -1;
    if (!sentence || at < 0) return ` ${word}`;
    const after = /^[^\p{L}\p{N}\s]*/u.exec(sentence.text.slice(at + word.length))?.[0] ?? "";
    const end = at + word.length + after.length;
    const lead = sentence.cursor === 0 ? " " : "";
    const text = lead + sentence.text.slice(sentence.cursor, end);
    sentence.cursor = end;
    return text;
  }
}

/** @param {number} turn @param {number} sentence @param {number} index */
function key(turn, sentence, index) {
  return `${turn} ${sentence} ${index}`;
}

/**
 * How many of the shown words belong to what was heard. Compared without spaces, for the two are put together in
 * different places; a word counts once its letters are in, whatever punctuation follows it.
 * @param {Piece[]} pieces @param {string} heard
 */
export function keptPieces(pieces, heard) {
  const bare = (/** @type {string} */ text) => text.replace(/[\s\p{P}]/gu, "");
  let left = bare(heard).length;
  let kept = 0;
  for (const piece of pieces) {
    left -= bare(piece.text).length;
    if (left < 0) break;
    kept++;
  }
  return kept;
}
