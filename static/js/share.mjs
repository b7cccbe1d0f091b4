// @ts-check
/** The button that hands on the link by which others look on; and how many do. */
import { viewersText } from "./view_words.mjs";

const TOLD_MS = 2500;

export class Share {
  #button;
  #label;
  #audience;
  #session = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #told;

  /** @param {{button: HTMLButtonElement, audience: HTMLElement}} elements */
  constructor({ button, audience }) {
    this.#button = button;
    this.#label = /** @type {HTMLElement} */ (button.querySelector("span"));
    this.#audience = audience;
    button.addEventListener("click", () => this.#hand());
  }

  /** @param {string} session empty: there is nothing to share */
  of(session) {
    if (session === this.#session) return;
    this.#session = session;
    this.#button.hidden = !session;
    this.viewers(0);
  }

  /** @param {number} viewers */
  viewers(viewers) {
    this.#audience.textContent = viewers > 0 ? viewersText(viewers) : "";
  }

  /** The address that viewers open. */
  get link() {
    return `${location.origin}/view/${encodeURIComponent(this.#session)}`;
  }

  async #hand() {
    // A phone has a sheet for it; elsewhere the clipboard is what people expect.
    if (navigator.share && matchMedia("(pointer: coarse)").matches) {
      await navigator.share({ title: "Visavis", url: this.link }).catch(() => {});
      return;
    }
    try {
      await navigator.clipboard.writeText(this.link);
      this.#tell("Link copied");
    } catch {
      // No clipboard on this address: the person copies by hand.
      prompt("The link for viewers:", this.link);
    }
  }

  /** @param {string} text */
  #tell(text) {
    this.#label.textContent = text;
    clearTimeout(this.#told);
    this.#told = setTimeout(() => (this.#label.textContent = "Share"), TOLD_MS);
  }
}
