// @ts-check
/** The captions: the sentence being spoken and the one before it, word by word as they are heard. */
import { keptPieces } from "./captions.mjs";
import { make } from "./dom.mjs";

const SENTENCES_SHOWN = 2;

export class CaptionView {
  #box;
  /**
   * Every word of the turn on show, also of sentences that have scrolled away.
   * @type {Array<import("./captions.mjs").Piece>}
   */
  #pieces = [];
  /** @type {HTMLElement | null} */
  #now = null;

  /** @param {HTMLElement} box */
  constructor(box) {
    this.#box = box;
  }

  /** @param {import("./captions.mjs").Piece} piece a word that has just begun to sound */
  add(piece) {
    if (this.#box.dataset.turn !== String(piece.turn)) this.clear();
    this.#box.classList.remove("over");
    this.#box.dataset.turn = String(piece.turn);
    this.#pieces.push(piece);
    const { turn, sentence, index, rtp, text } = piece;
    const word = make("span", { turn, sentence, index, rtp }, text.trimStart());
    word.className = "word";
    this.#sentence(sentence).append(text.slice(0, text.length - text.trimStart().length), word);
  }

  /** @param {import("./captions.mjs").Piece | null} piece the word that sounds now */
  mark(piece) {
    const word = piece && this.#word(piece);
    if (word === this.#now) return;
    this.#now?.classList.remove("now");
    word?.classList.add("now");
    this.#now = word;
  }

  /**
   * The turn is over. What was shown but not heard to its end is struck out.
   * @param {number} turn @param {string} heard @param {boolean} interrupted
   */
  settle(turn, heard, interrupted) {
    if (this.#box.dataset.turn !== String(turn)) return;
    this.mark(null);
    if (interrupted) {
      const kept = keptPieces(this.#pieces, heard);
      for (const piece of this.#pieces.slice(kept)) this.#word(piece)?.classList.add("unheard");
      (this.#pieces[kept - 1] ? this.#word(this.#pieces[kept - 1]) : null)?.append("\u200a—");
    }
    this.#box.classList.add("over");
  }

  clear() {
    this.#now = null;
    this.#pieces = [];
    delete this.#box.dataset.turn;
    this.#box.classList.remove("over");
    this.#box.replaceChildren();
  }

  /** @param {number} sentence */
  #sentence(sentence) {
    const last = this.#box.lastElementChild;
    if (last instanceof HTMLElement && last.dataset.sentence === String(sentence)) return last;
    const line = make("p", { sentence });
    this.#box.append(line);
    while (this.#box.children.length > SENTENCES_SHOWN) this.#box.firstElementChild?.remove();
    return line;
  }

  /** @param {import("./captions.mjs").Piece} piece @returns {HTMLElement | null} null once it has scrolled away */
  #word({ sentence, index }) {
    return this.#box.querySelector(`.word[data-sentence="${sentence}"][data-index="${index}"]`);
  }
}
