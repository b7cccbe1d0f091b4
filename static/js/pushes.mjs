// @ts-check
/** The console's list of where a conversation is pushed to: what there is, one more, one less. */
import { make } from "./dom.mjs";

/** @typedef {{id: string, url: string, state: string, reason: string}} Push */

/** How a push goes, in words. Pure. @param {Push} push */
export function wordsOf({ state, reason }) {
  const words = { connecting: "connecting …", live: "live", waiting: "tried again", ended: "ended" };
  const known = /** @type {Record<string, string>} */ (words)[state] ?? state;
  return reason ? `${known}: ${reason}` : known;
}

export class Pushes {
  #list;
  #ask;
  #session = "";

  /**
   * @param {{list: HTMLElement, form: HTMLFormElement, address: HTMLInputElement}} elements
   * @param {(method: string, path: string, body?: object) => Promise<any>} ask the control API
   * @param {(deed: () => Promise<unknown>) => Promise<void>} attempt does it, and shows what is wrong
   */
  constructor({ list, form, address }, ask, attempt) {
    this.#list = list;
    this.#ask = ask;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(async () => {
        await ask("POST", this.#path, { url: address.value.trim() });
        address.value = "";
        await this.look();
      });
    });
    list.addEventListener("click", ({ target }) => {
      const push = target instanceof HTMLElement ? target.dataset.push : "";
      if (push) attempt(() => ask("DELETE", `${this.#path}/${push}`).then(() => this.look()));
    });
  }

  /** @param {string} session */
  of(session) {
    if (session !== this.#session) this.#list.replaceChildren();
    this.#session = session;
  }

  /** See how they do now. */
  async look() {
    const session = this.#session;
    if (!session) return;
    const { pushes } = await this.#ask("GET", this.#path);
    if (session === this.#session) this.#list.replaceChildren(...pushes.map(row));
  }

  get #path() {
    return `/sessions/${this.#session}/push`;
  }
}

/** @param {Push} push */
function row(push) {
  const end = make("button", { push: push.id }, "Stop");
  end.type = "button";
  end.className = "plain";
  const how = make("em", { state: push.state }, wordsOf(push));
  return make("li", {}, make("b", {}, push.url), how, end);
}
