// @ts-check
/**
 * What is behind the face, from one moment to the next: a style behind a head that is drawn here, and for pictures,
 * which bring theirs along, the figure alone laid over the page.
 */
import { backdrop } from "./backdrop.mjs";

export class Background {
  #figure;
  #cutOut;
  #transparent = false;

  /**
   * @param {HTMLElement} figure tells the style sheet
   * @param {(cutOut: boolean) => void} [cutOut] pictures are to be the figure alone, or whole again
   */
  constructor(figure, cutOut = () => {}) {
    this.#figure = figure;
    this.#cutOut = cutOut;
  }

  /** A session begins or goes on: its edge sends whole pictures until it is told otherwise. @param {string} value */
  begin(value) {
    const before = this.#transparent;
    this.#transparent = false;
    this.show(value);
    if (before && !this.#transparent) this.#cutOut(false);
  }

  /** @param {string} value as `backdrop` takes it */
  show(value) {
    const { style, transparent } = backdrop(value);
    this.#figure.dataset.backdrop = transparent ? "transparent" : "";
    if (style) this.#figure.style.setProperty("--backdrop", style);
    else this.#figure.style.removeProperty("--backdrop");
    if (transparent === this.#transparent) return;
    this.#transparent = transparent;
    this.#cutOut(transparent);
  }
}
