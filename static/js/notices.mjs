// @ts-check
/** The one message to the person at the top of the page. */

/** How long a message that asks nothing of the person stays. */
const PASSING_MS = 8000;
/** These pass by themselves, as what says so itself; every other stays until it is over or closed. */
const PASSING = new Set(["degraded", "narrow", "avatar3d"]);
/** @type {Record<import("./failures.mjs").Remedy, string>} */
const BUTTONS = { again: "Try again", text: "Try again", new: "Start a new one", none: "" };

export class Notices {
  #box;
  #title;
  #text;
  #again;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #passing;
  /** @type {import("./failures.mjs").Failure | null} */
  #shown = null;

  /**
   * @param {{box: HTMLElement, again: HTMLButtonElement, dismiss: HTMLButtonElement}} elements
   * @param {() => void} onAgain
   */
  constructor({ box, again, dismiss }, onAgain) {
    this.#box = box;
    this.#title = /** @type {HTMLElement} */ (box.querySelector("strong"));
    this.#text = /** @type {HTMLElement} */ (box.querySelector("span"));
    this.#again = again;
    again.addEventListener("click", onAgain);
    dismiss.addEventListener("click", () => this.show(null));
  }

  /** @param {string} code what is shown under this code, if it is, has passed */
  over(code) {
    if (document.documentElement.dataset.failure === code) this.show(null);
  }

  /** An answer comes: what went wrong with the one before is over. */
  answered() {
    if (this.#shown?.passing) this.show(null);
  }

  /** @param {import("./failures.mjs").Failure | null} failure null: nothing (any more) */
  show(failure) {
    const passing = failure !== null && (failure.passing || PASSING.has(failure.code));
    // What passes by itself does not hide what the person has to deal with.
    if (passing && !this.#box.hidden && this.#passing === undefined) return;
    clearTimeout(this.#passing);
    this.#passing = undefined;
    this.#shown = failure;
    // Said again, it is seen and read out again.
    this.#box.hidden = true;
    void this.#box.offsetHeight;
    this.#box.hidden = !failure;
    document.documentElement.dataset.failure = failure?.code ?? "";
    if (!failure) return;
    this.#title.textContent = failure.title;
    this.#text.textContent = failure.text;
    this.#again.hidden = failure.remedy === "none";
    this.#again.textContent = BUTTONS[failure.remedy];
    if (passing) this.#passing = setTimeout(() => this.show(null), PASSING_MS);
  }
}
