// @ts-check
/**
 * What the page shows of the words of both: feeds the captions and the written conversation from the edge's messages
 * and from the time that is heard.
 */
import { CaptionView } from "./caption_view.mjs";
import { Captions } from "./captions.mjs";
import { Dialogue } from "./dialogue.mjs";
import { DialogueView } from "./dialogue_view.mjs";
import { make } from "./dom.mjs";
import { splitSteady } from "./hearing.mjs";
import { Questions } from "./questions.mjs";

export class Transcript {
  #captions = new Captions();
  #dialogue = new Dialogue();
  #captionView;
  #dialogueView;
  #heardLine;
  #guess = { utterance: -1, text: "" };
  /** Where each sentence to come is taken from. @type {Map<number, string>} */
  #passages = new Map();
  #questions = new Questions();
  /**
   * What was heard of turns that are finished, while their last words are still on their way to the ear.
   * @type {Map<number, string>}
   */
  #finishing = new Map();

  /** @param {{captions: HTMLElement, dialogue: HTMLElement, panel: HTMLElement, heard: HTMLElement}} elements */
  constructor({ captions, dialogue, panel, heard }) {
    this.#captionView = new CaptionView(captions);
    this.#dialogueView = new DialogueView(dialogue, panel);
    this.#heardLine = heard;
  }

  /** Nothing was said yet. */
  clear() {
    this.#dialogue.clear();
    this.begin([]);
  }

  /**
   * The edge's dialogue is the truth.
   * @param {any[]} lines @param {boolean} lost it knows nothing of what was said before, which only the page still shows
   */
  begin(lines, lost = false) {
    this.#captions.reset();
    this.#captionView.clear();
    this.#finishing.clear();
    this.#passages.clear();
    this.#questions.clear();
    this.#heardLine.replaceChildren();
    if (lost) this.#dialogue.close("The earlier conversation could not be kept. A new one begins here.");
    this.#dialogue.replace(lines);
    this.#draw();
  }

  /** What a turn answers, as far as this page knows. @param {number} turn */
  question(turn) {
    return this.#questions.of(turn);
  }

  /** @param {any} message from the edge; others are left alone */
  take(message) {
    switch (message.type) {
      case "sentence":
        if (message.passage) this.#passages.set(message.turn, message.passage);
        return this.#captions.sentence(message.turn, message.n, message.text);
      case "words":
        return this.#captions.words(message.words);
      case "heard":
        return this.#hearing(message);
      case "user":
        return this.#user(message.text);
      case "turn":
        return this.#turn(message);
    }
  }

  /** Something happened that belongs between the lines. @param {string} text */
  note(text) {
    this.#dialogue.note(text);
    this.#draw();
  }

  /** @param {number} rtp what is at the speaker now */
  advance(rtp) {
    const pieces = this.#captions.advance(rtp);
    for (const piece of pieces) {
      this.#captionView.add(piece);
      this.#dialogue.spoken(piece.turn, piece.text, this.#passages.get(piece.turn));
    }
    this.#captionView.mark(this.#captions.sounding(rtp));
    const settled = this.#settleFinished();
    if (pieces.length || settled) this.#draw();
  }

  /** @param {{utterance: number, text: string, final: boolean}} heard */
  #hearing({ utterance, text, final }) {
    const before = this.#guess.utterance === utterance ? this.#guess.text : "";
    const { steady, loose } = final ? { steady: text, loose: "" } : splitSteady(before, text);
    this.#guess = { utterance, text };
    const unsure = make("span", {}, loose);
    unsure.className = "loose";
    this.#heardLine.replaceChildren(...(text ? [steady, steady && loose ? " " : "", unsure] : []));
    this.#heardLine.dataset.final = String(final);
    this.#dialogue.hearing(text);
    this.#draw();
  }

  /** @param {string} text */
  #user(text) {
    this.#heardLine.replaceChildren();
    this.#dialogue.user(text);
    this.#draw();
  }

  /** @param {{turn: number, what: string, text?: string, heard?: string}} event */
  #turn({ turn, what, text = "", heard = "" }) {
    if (text) this.#questions.ask(turn, text);
    if (what === "finished") this.#finishing.set(turn, heard);
    if (what === "finished" && this.#settleFinished()) this.#draw();
    if (what !== "interrupted" && what !== "cancelled") return;
    this.#captions.drop(turn);
    this.#finishing.delete(turn);
    this.#settle(turn, heard, true);
    this.#draw();
  }

  #settleFinished() {
    let any = false;
    for (const [turn, heard] of this.#finishing) {
      if (this.#captions.expects(turn)) continue;
      this.#finishing.delete(turn);
      this.#settle(turn, heard, false);
      any = true;
    }
    return any;
  }

  /** @param {number} turn @param {string} heard @param {boolean} interrupted */
  #settle(turn, heard, interrupted) {
    this.#captionView.settle(turn, heard, interrupted);
    this.#dialogue.settle(turn, heard, interrupted);
    this.#passages.delete(turn);
    this.#questions.over(turn);
  }

  #draw() {
    this.#dialogueView.show(this.#dialogue.lines);
  }
}
