// @ts-check
/**
 * Where the face is: the picture that comes with the call, with the portrait below it until the first frame is there.
 * A page that draws the face itself uses the canvas instead; the video element then only plays the voice.
 */
import { initials } from "./personas.mjs";

export class Face {
  #figure;
  #video;
  #poster;
  #letters;

  /**
   * @param {{figure: HTMLElement, video: HTMLVideoElement, poster: HTMLImageElement, letters: HTMLElement}} elements
   *   letters: for a face without a picture
   */
  constructor({ figure, video, poster, letters }) {
    this.#figure = figure;
    this.#video = video;
    this.#poster = poster;
    this.#letters = letters;
    video.addEventListener("resize", () => this.#moving());
    poster.addEventListener("error", () => (poster.hidden = true));
  }

  /** Whether the voice can be heard, as far as the page has a say. */
  get audible() {
    return this.#playing && !this.#video.paused && !this.#video.muted;
  }

  /** Whether a picture of this call has been shown; until then the browser plays no sound either. */
  get moving() {
    return this.#figure.dataset.picture === "moving";
  }

  /** The next picture is on the page, or none comes within `withinMs`. @param {number} withinMs */
  nextPicture(withinMs) {
    return new Promise((shown) => {
      setTimeout(shown, withinMs);
      this.#video.requestVideoFrameCallback?.(shown);
    });
  }

  /** @param {import("./personas.mjs").Persona} persona */
  introduce({ name, poster }) {
    this.#letters.textContent = initials(name);
    this.#poster.hidden = !poster;
    if (poster && this.#poster.getAttribute("src") !== poster) this.#poster.src = poster;
  }

  /**
   * @param {MediaStream | null} stream voice and picture; null when the element has its source already
   * @returns {Promise<boolean>} false when the browser wants a click before it plays sound
   */
  async show(stream) {
    this.#figure.dataset.picture = "still";
    if (stream && this.#video.srcObject !== stream) this.#video.srcObject = stream;
    else if (stream) this.#moving(); // it was begun before, and may have its first picture
    return this.play();
  }

  async play() {
    try {
      await this.#video.play();
      return true;
    } catch (error) {
      // AbortError: a newer call has taken the element; that one reports for itself.
      return !(error instanceof Error && error.name === "NotAllowedError");
    }
  }

  clear() {
    this.#figure.dataset.picture = "still";
    this.#video.srcObject = null;
  }

  #moving() {
    if (this.#video.videoWidth && this.#playing) this.#figure.dataset.picture = "moving";
  }

  get #playing() {
    return !!(this.#video.srcObject || this.#video.currentSrc);
  }
}
