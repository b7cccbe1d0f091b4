// @ts-check
/** Where a viewer page's 3D heads are drawn, one after the other: the one before stays until the next has been. */
import { another, fetchHead, fileOf, openHead } from "./head.mjs";
import { CLOSED } from "./mouth.mjs";

/** @typedef {import("./head.mjs").Head} Head */

export class Seat {
  #figure;
  #quality;
  #failed;
  #open;
  #fetch;
  /** The canvas of the head that is there, or of the next one while it comes. @type {HTMLCanvasElement} */
  #canvas;
  /** @type {Head | null} */
  #head = null;
  /** Opened before it is known which head it will be. @type {ReturnType<Seat["open"]> | null} */
  #opening = null;
  /** Address of the head that is there, or on its way. */
  #wanted = "";
  #shown = false;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.figure tells the style sheet what is shown
   * @param {HTMLCanvasElement} parts.canvas @param {string} parts.quality what the address asks for
   * @param {() => void} parts.failed there is no 3D head
   * @param {typeof openHead} [parts.open] how one is made @param {typeof fetchHead} [parts.fetch] its file, meanwhile
   */
  constructor({ figure, canvas, quality, failed, open = openHead, fetch = fetchHead }) {
    this.#figure = figure;
    this.#canvas = canvas;
    this.#quality = quality;
    this.#failed = failed;
    this.#open = open;
    this.#fetch = fetch;
    this.#opening = this.open();
  }

  /** A canvas for a head, and what will draw on it. */
  open() {
    const before = this.#canvas;
    const canvas = another(before);
    before.after(canvas);
    const opened = this.#open(canvas, { quality: this.#quality, failed: this.#failed });
    opened.catch(() => {}); // told where it is waited for
    return { before, canvas, opened };
  }

  /** The page is there, with what lies behind a head: show it. @param {{model: string, light?: string}} persona */
  sit(persona) {
    const first = !this.#shown;
    this.#shown = true;
    if (this.#head && first) this.#show(this.#head);
    return this.prepare(persona);
  }

  /** Have it there, to be shown without a wait. @param {{model: string, light?: string}} persona */
  async prepare(persona) {
    const file = fileOf(persona, this.#quality);
    if (file === this.#wanted) return;
    this.#wanted = file;
    const coming = this.#fetch(file);
    const { before, canvas, opened } = this.#opening ?? this.open();
    this.#opening = null;
    try {
      const head = await opened;
      await head.load(file, coming);
      await new Promise((turn) => setTimeout(turn)); // drawing takes a while: the connection's turn first
      if (this.#wanted !== file) {
        head.dispose();
        return canvas.remove();
      }
      this.#take(head, before, canvas);
    } catch (error) {
      console.info("no 3D head:", error);
      this.#failed();
    }
  }

  /** @param {import("./mouth.mjs").Mouth} mouth @param {number} nowMs */
  show(mouth, nowMs) {
    this.#head?.show(mouth, nowMs);
  }

  /** @param {Head} head @param {HTMLCanvasElement} before @param {HTMLCanvasElement} canvas */
  #take(head, before, canvas) {
    this.#head?.dispose();
    before.remove();
    this.#head = head;
    this.#canvas = canvas;
    this.#show(head);
  }

  /** There before the voice, and still until then. @param {Head} head */
  #show(head) {
    if (this.#shown) this.#figure.dataset.front = "avatar3d";
    // Its first drawing takes longest: it is made even where it is not seen yet.
    head.show(CLOSED, performance.now());
  }
}
