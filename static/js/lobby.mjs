// @ts-check
/** Before the call: whom to talk to, by voice or in writing, in which language, and whether the microphone works. */
import { Chooser } from "./chooser.mjs";
import { byId, make } from "./dom.mjs";
import { failure } from "./failures.mjs";
import { MicrophoneError } from "./microphone.mjs";
import { chosen, languageName } from "./personas.mjs";

/** @typedef {{persona: string, mode: "voice" | "text", language: string}} Wish */

export class Lobby {
  /** What Start begins. @type {Wish} */
  wish;
  /** @type {import("./personas.mjs").Persona[]} */
  #personas = [];
  #parts;
  #chooser = new Chooser(byId("personas", HTMLElement), (id) => this.#choose(id));
  #language = byId("language", HTMLSelectElement);

  /**
   * @param {Wish} wish what the address asks for
   * @param {{microphone: import("./microphone.mjs").Microphone, sound: import("./sound.mjs").Sound,
   *   changed: () => void, notice: (failure: import("./failures.mjs").Failure | null) => void}} parts
   */
  constructor(wish, parts) {
    this.wish = wish;
    this.#parts = parts;
    this.#language.addEventListener("change", () => (wish.language = this.#language.value));
    byId("microphone-test", HTMLButtonElement).addEventListener("click", () => this.testMicrophone());
    for (const news of ["change", "lost"]) parts.microphone.addEventListener(news, () => this.#showMicrophone());
    for (const mode of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("#lobby [name=mode]"))) {
      mode.checked = mode.value === wish.mode;
      mode.addEventListener("change", () => {
        wish.mode = mode.value === "text" ? "text" : "voice";
        parts.changed();
      });
    }
  }

  /** Who is chosen; null before the list is there, or when the address names nobody on it. */
  get persona() {
    return chosen(this.#personas, this.wish.persona);
  }

  /** @param {import("./personas.mjs").Persona[]} personas */
  show(personas) {
    this.#personas = personas;
    this.#chooser.show(personas, this.persona?.id ?? "");
    if (this.persona) this.#choose(this.persona.id);
  }

  /** The call went on with somebody else; the next one begins with them. @param {string} id @param {string} language */
  goOnWith(id, language) {
    Object.assign(this.wish, { persona: id, language });
    if (this.#personas.length) this.show(this.#personas);
  }

  async testMicrophone() {
    this.#parts.sound.unlock();
    try {
      await this.#parts.microphone.open();
      this.#parts.notice(null);
    } catch (error) {
      this.#parts.notice(failure(error instanceof MicrophoneError ? error.code : "mic_failed"));
    }
  }

  /** The meter of an open microphone, or the button that opens one. */
  #showMicrophone() {
    const { stream } = this.#parts.microphone;
    byId("lobby-microphone", HTMLElement).hidden = !stream;
    byId("microphone-test", HTMLElement).hidden = !!stream;
  }

  /** @param {string} id */
  #choose(id) {
    this.wish.persona = id;
    const languages = this.persona?.languages ?? [];
    this.#language.replaceChildren(
      ...languages.map((tag) => Object.assign(make("option", {}, languageName(tag)), { value: tag })),
    );
    byId("language-choice", HTMLElement).hidden = languages.length < 2;
    if (languages.includes(this.wish.language)) this.#language.value = this.wish.language;
    else this.wish.language = "";
    this.#parts.changed();
  }
}
