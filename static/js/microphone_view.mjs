// @ts-check
/** A list of microphones with a level meter, in the lobby and in the call: two views of one microphone. */
import { make } from "./dom.mjs";

export class MicrophoneView {
  #select;
  #meter;
  #microphone;

  /**
   * @param {HTMLElement} box holds a select and a .meter
   * @param {import("./microphone.mjs").Microphone} microphone @param {(deviceId: string) => void} onChosen
   */
  constructor(box, microphone, onChosen) {
    this.#select = /** @type {HTMLSelectElement} */ (box.querySelector("select"));
    this.#meter = /** @type {HTMLElement} */ (box.querySelector(".meter"));
    this.#microphone = microphone;
    this.#select.addEventListener("change", () => onChosen(this.#select.value));
    microphone.addEventListener("change", () => this.refresh());
  }

  async refresh() {
    const devices = await this.#microphone.list();
    const options = devices.map(({ id, name }) => Object.assign(make("option", {}, name), { value: id }));
    if (!options.length) options.push(Object.assign(make("option", {}, "No microphone"), { value: "" }));
    this.#select.replaceChildren(...options);
    const used = this.#microphone.track?.getSettings().deviceId ?? this.#microphone.deviceId;
    if (used) this.#select.value = used;
    if (this.#select.selectedIndex < 0) this.#select.selectedIndex = 0;
  }

  /** @param {number} level 0..1 */
  level(level) {
    this.#meter.style.setProperty("--level", level.toFixed(2));
    this.#meter.setAttribute("aria-valuenow", String(Math.round(level * 100)));
  }
}
