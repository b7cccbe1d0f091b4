// @ts-check
/** The cards one chooses a conversation partner from. */
import { icon, make } from "./dom.mjs";
import { initials } from "./personas.mjs";

export class Chooser {
  #group;
  #chosen;
  #name;

  /**
   * @param {HTMLElement} group @param {(id: string) => void} onChosen
   * @param {string} name of the radio buttons, another one for each chooser of a page
   */
  constructor(group, onChosen, name = "persona") {
    this.#group = group;
    this.#chosen = onChosen;
    this.#name = name;
  }

  /** @param {import("./personas.mjs").Persona[]} personas @param {string} selected id of the one that is checked */
  show(personas, selected) {
    this.#group.replaceChildren(...personas.map((persona) => this.#card(persona, persona.id === selected)));
  }

  /** @param {import("./personas.mjs").Persona} persona @param {boolean} checked */
  #card({ id, name, description, poster }, checked) {
    const input = make("input");
    Object.assign(input, { type: "radio", name: this.#name, value: id, checked });
    input.addEventListener("change", () => this.#chosen(id));
    const tick = make("span", {}, icon("check"));
    tick.className = "tick";
    const portrait = make("div", {}, initials(name), ...picture(poster), tick);
    portrait.className = "portrait";
    const about = make("div", {}, make("strong", {}, name), make("span", {}, description));
    about.className = "about";
    const card = make("div", {}, portrait, about);
    card.className = "card";
    const label = make("label", { persona: id }, input, card);
    label.className = "persona";
    return label;
  }
}

/** The face, which gives way to the initials below it when its file is missing. @param {string} poster address */
function picture(poster) {
  if (!poster) return [];
  const image = make("img");
  image.alt = "";
  image.decoding = "async";
  image.addEventListener("error", () => image.remove());
  image.src = poster;
  return [image];
}
