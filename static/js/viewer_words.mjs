// @ts-check
/** What a viewer reads: captions as they are heard, and the question they answer. */
import { CaptionView } from "./caption_view.mjs";
import { Captions } from "./captions.mjs";

export class ViewerWords {
  #captions = new Captions();
  #view;
  #asked;
  /** What was heard of turns that are finished while their last words are on their way. @type {Map<number, string>} */
  #finishing = new Map();

  /** @param {{captions: HTMLElement, asked: HTMLElement}} elements */
  constructor({ captions, asked }) {
    this.#view = new CaptionView(captions);
    this.#asked = asked;
  }

  /** The events begin anew; what is on the air is told again. */
  begin() {
    this.#captions.reset();
    this.#view.clear();
    this.#finishing.clear();
  }

  /** @param {any} message from the edge; others are left alone */
  take(message) {
    if (message.type === "sentence") this.#captions.sentence(message.turn, message.n, String(message.text ?? ""));
    else if (message.type === "words" && Array.isArray(message.words)) this.#captions.words(message.words);
    else if (message.type === "turn") this.#turn(message);
  }

  /** @param {number} rtp what is at the speaker now */
  advance(rtp) {
    for (const piece of this.#captions.advance(rtp)) this.#view.add(piece);
    this.#view.mark(this.#captions.sounding(rtp));
    for (const [turn, heard] of this.#finishing) {
      if (this.#captions.expects(turn)) continue;
      this.#finishing.delete(turn);
      this.#view.settle(turn, heard, false);
    }
  }

  /** @param {{turn: number, what: string, text?: string, heard?: string}} event */
  #turn({ turn, what, text = "", heard = "" }) {
    if (what === "committed") this.#asked.textContent = text;
    else if (what === "finished") this.#finishing.set(turn, heard);
    else if (what === "interrupted" || what === "cancelled") {
      this.#captions.drop(turn);
      this.#finishing.delete(turn);
      this.#view.settle(turn, heard, true);
    }
  }
}
