// @ts-check
/**
 * Which face the page shows: the pictures that come with the call, or a 3D head that it draws itself. Switches at any
 * moment; the connection stays as it is, the edge only learns what is looked at.
 *
 * The pictures go on until the head has been drawn, and the head until the next picture is there: no gap either way.
 * A call always begins with a picture: a browser plays no sound of a video before its first one.
 */
import { another, fetchHead, fileOf, openHead } from "./head.mjs";

/** A picture comes some 150 ms after it was asked for; after this long the head goes without it. */
const PICTURE_WITHIN_MS = 3000;
/** The head fades out before it is taken away. */
const FADE_MS = 450;

/**
 * @typedef {"portrait" | "avatar3d"} Shown
 * @typedef {import("./head.mjs").Head} Head
 *
 * @typedef {object} Parts
 * @property {HTMLElement} figure tells the style sheet what is shown
 * @property {() => HTMLCanvasElement} canvas the page's canvas now: each head gets a fresh one
 * @property {HTMLButtonElement} button @property {HTMLElement} control the button with its label
 * @property {{front: Shown | "", quality: string}} looks what the address asks for
 * @property {{moving: boolean, nextPicture: (withinMs: number) => Promise<unknown>}} face
 * @property {(message: object) => void} tell to the edge
 * @property {(text: string) => void} failed there is no 3D face; the sentence may be empty
 * @property {typeof openHead} [open] how a head is made @property {typeof fetchHead} [fetch] its file, meanwhile
 */

export class Front {
  /** What is on the page. @type {Shown} */
  shown = "portrait";

  #parts;
  /** What the person or the address wants; empty: what the persona brings. @type {Shown | ""} */
  #wish;
  /** Addresses of the head, whole and light. */
  #files = { model: "", light: "" };
  /** @type {Head | null} */
  #head = null;
  /** Address of the head that is wanted: there, or on its way. */
  #loading = "";
  /** Address of `#head`. */
  #seated = "";
  #ready = false;
  /** What the edge was told in this session. @type {Shown} */
  #told = "portrait";
  /** Counts changes of mind, so that what was begun before one is dropped. */
  #turn = 0;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#wish = parts.looks.front;
    parts.button.addEventListener("click", () => this.toggle());
  }

  /** @param {import("./personas.mjs").Persona} persona */
  introduce({ model, light, front }) {
    this.#parts.control.hidden = !model;
    this.#files = { model, light };
    this.#go((this.#wish || front) === "avatar3d" && model ? "avatar3d" : "portrait");
  }

  /** A session begins, or goes on over a new connection: the edge sends pictures until it is told otherwise. */
  begin() {
    this.#told = "portrait";
  }

  /** The call is over. */
  end() {
    this.#drop();
    this.#show("portrait");
    this.#told = "portrait";
  }

  toggle() {
    if (!this.#files.model) return;
    this.#wish = this.#loading ? "portrait" : "avatar3d";
    this.#go(this.#wish);
  }

  /** How much later than its beginning a drawing is seen. */
  get leadMs() {
    return this.#head?.leadMs ?? 0;
  }

  /** Draw the head, if there is one. @param {import("./mouth.mjs").Mouth} mouth @param {number} nowMs */
  draw(mouth, nowMs) {
    if (!this.#head || !this.#ready) return;
    this.#head.show(mouth, nowMs);
    if (this.shown !== "avatar3d" && this.#loading) this.#show("avatar3d");
    if (this.#loading && this.#told !== "avatar3d" && this.#parts.face.moving) this.#tell("avatar3d");
  }

  /** @param {Shown} front */
  #go(front) {
    if (front === "portrait") this.#leave();
    else if (this.#loading !== this.#files.model) this.#enter();
    this.#mark();
  }

  async #enter() {
    if (this.#ready && this.#seated === this.#files.model) {
      // It is still there, on its way out.
      this.#turn++;
      this.#loading = this.#files.model;
      return;
    }
    this.#drop();
    const turn = ++this.#turn;
    this.#loading = this.#files.model;
    this.#mark();
    const before = this.#parts.canvas();
    const canvas = another(before);
    before.replaceWith(canvas);
    const file = fileOf(this.#files, this.#parts.looks.quality);
    const coming = (this.#parts.fetch ?? fetchHead)(file);
    try {
      const failed = (/** @type {Error} */ error) => turn === this.#turn && this.#failed(error);
      const head = await (this.#parts.open ?? openHead)(canvas, { quality: this.#parts.looks.quality, failed });
      if (turn !== this.#turn) return head.dispose();
      this.#head = head;
      this.#seated = this.#files.model;
      await head.load(file, coming);
      if (turn !== this.#turn) return;
      const { report, quality, source } = head.report;
      Object.assign(canvas.dataset, { report, quality, source });
      this.#ready = true;
    } catch (error) {
      if (turn === this.#turn) this.#failed(error);
    }
    this.#mark();
  }

  async #leave() {
    const turn = ++this.#turn;
    this.#loading = "";
    if (this.shown === "portrait") return this.#drop();
    this.#tell("portrait");
    this.#mark();
    await this.#parts.face.nextPicture(PICTURE_WITHIN_MS);
    if (turn !== this.#turn) return;
    this.#show("portrait");
    setTimeout(() => turn === this.#turn && this.#drop(), FADE_MS);
  }

  /** @param {unknown} error */
  #failed(error) {
    this.#wish = "portrait";
    this.#leave();
    this.#drop();
    this.#show("portrait");
    // Only our own errors are sentences for a person.
    this.#parts.failed(error instanceof Error && typeof (/** @type {any} */ (error).code) === "string" ? error.message : "");
  }

  #drop() {
    this.#turn++;
    this.#head?.dispose();
    this.#head = null;
    this.#ready = false;
    this.#loading = "";
  }

  /** @param {Shown} front */
  #show(front) {
    this.shown = front;
    this.#parts.figure.dataset.front = front;
    this.#mark();
  }

  /** @param {Shown} front */
  #tell(front) {
    if (this.#told === front) return;
    this.#told = front;
    this.#parts.tell({ type: "front", front });
  }

  #mark() {
    const { button } = this.#parts;
    button.setAttribute("aria-pressed", String(this.shown === "avatar3d" || !!this.#loading));
    button.setAttribute("aria-busy", String(!!this.#loading && !this.#ready));
  }
}
