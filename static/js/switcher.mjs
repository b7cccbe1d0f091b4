// @ts-check
/** In the call: who one goes on with, in which language, and whether the head keeps still. */
import { Chooser } from "./chooser.mjs";
import { byId, make } from "./dom.mjs";
import { languageName } from "./personas.mjs";

/** @typedef {import("./personas.mjs").Persona} Persona */

export class Switcher {
  /** Who is here. @type {Persona | null} */
  persona = null;
  /** @type {Persona[]} */
  #personas = [];
  #spoken = "";
  #menu = byId("people-menu", HTMLElement);
  #list = byId("people-list", HTMLElement);
  #language = byId("call-language", HTMLSelectElement);
  #still = byId("still", HTMLInputElement);
  #background = byId("background", HTMLSelectElement);
  #chooser;

  /**
   * @param {{wish: (wish: {persona?: string, language?: string}) => void,
   *   still: (still: boolean, usual: number) => void, background: (value: string) => void}} events
   *   usual: how much the persona moves otherwise; value: as in an act
   */
  constructor({ wish, still, background }) {
    this.#chooser = new Chooser(
      this.#list,
      (persona) => {
        this.#menu.setAttribute("aria-busy", "true");
        wish({ persona });
      },
      "people",
    );
    this.#language.addEventListener("change", () => wish({ language: this.#language.value }));
    this.#still.addEventListener("change", () => still(this.#still.checked, this.persona?.motion ?? 1));
    this.#background.addEventListener("change", () => background(this.#background.value));
  }

  /** @param {Persona[]} personas whom one can change to */
  show(personas) {
    this.#personas = personas;
    byId("people-control", HTMLElement).hidden = !personas.length;
    this.#draw();
  }

  /** @param {string[]} names of pictures that a face can stand before */
  backgrounds(names) {
    for (const name of names) this.#offer(name, name[0].toUpperCase() + name.slice(1).replaceAll("-", " "));
  }

  /** What the face stands before now. @param {string} value as in an act */
  background(value) {
    const shown = value || "none";
    if (![...this.#background.options].some((option) => option.value === shown)) this.#offer(shown, shown);
    this.#background.value = shown;
  }

  /** @param {string} value @param {string} text */
  #offer(value, text) {
    if ([...this.#background.options].some((option) => option.value === value)) return;
    this.#background.append(Object.assign(make("option", {}, text), { value }));
  }

  /** @param {Persona} persona @param {string} language */
  current(persona, language) {
    const another = this.#menu.hasAttribute("aria-busy") && this.persona?.id !== persona.id;
    this.persona = persona;
    this.#spoken = language;
    this.#draw();
    if (another) this.#menu.hidePopover?.();
  }

  /** The edge did not change anything. */
  refused() {
    this.#draw();
  }

  #draw() {
    this.#menu.removeAttribute("aria-busy");
    // Kept where nothing changes: a card that is drawn anew loses the keyboard's place.
    if (this.#list.childElementCount !== this.#personas.length) this.#chooser.show(this.#personas, this.persona?.id ?? "");
    for (const input of this.#list.querySelectorAll("input")) input.checked = input.value === this.persona?.id;
    const languages = this.persona?.languages ?? [];
    this.#language.replaceChildren(
      ...languages.map((tag) => Object.assign(make("option", {}, languageName(tag)), { value: tag })),
    );
    this.#language.value = languages.includes(this.#spoken) ? this.#spoken : (languages[0] ?? "");
    byId("call-language-choice", HTMLElement).hidden = languages.length < 2;
  }
}
