// @ts-check
/** The call page's recording: the notice before Start, the sign while it lasts, and the button. */
import { CONSENT, NOTICE, records, told } from "./recording_words.mjs";

/** @typedef {{code: string, text: string}} News */

export class Recording {
  #elements;
  #ask;
  #notice;
  #state = "off";
  #rule = "no";
  /** The button was pressed and nothing was heard yet. */
  #asking = false;

  /**
   * @param {{sign: HTMLElement, consent: HTMLElement, button: HTMLButtonElement, control: HTMLElement}} elements
   * @param {(on: boolean) => Promise<{state: string, by: string, text: string}>} ask the server; throws its sentence
   * @param {(news: News | null) => void} notice null: what was said is over
   */
  constructor(elements, ask, notice) {
    this.#elements = elements;
    this.#ask = ask;
    this.#notice = notice;
    elements.button.addEventListener("click", () => this.#press());
  }

  /** Whoever is talked to, or is to be. @param {string} rule every, button or no */
  of(rule) {
    this.#rule = rule;
    this.#show();
  }

  /** Another conversation, or none. */
  begin() {
    this.#state = "off";
    this.#asking = false;
    this.#show();
  }

  /** What the edge says. @param {any} message */
  take({ state, by, text }) {
    const before = records(this.#state);
    this.#state = String(state);
    this.#asking = false;
    const news = told({ state: this.#state, by: String(by), text: String(text) }, before);
    if (news) this.#notice(news);
    else if (before && !records(this.#state)) this.#notice(null);
    this.#show();
  }

  async #press() {
    this.#asking = true;
    this.#show();
    try {
      this.take(await this.#ask(!records(this.#state)));
    } catch (error) {
      this.#asking = false;
      this.#notice({ code: "recording", text: error instanceof Error ? error.message : String(error) });
      this.#show();
    }
  }

  #show() {
    const { sign, consent, button, control } = this.#elements;
    const on = records(this.#state);
    sign.hidden = !on;
    /** @type {HTMLElement} */ (sign.querySelector("span")).textContent = NOTICE;
    sign.title = NOTICE;
    consent.textContent = CONSENT;
    consent.hidden = this.#rule !== "every";
    control.hidden = this.#rule !== "button" && !on;
    button.disabled = this.#asking || (this.#rule !== "button" && on);
    button.setAttribute("aria-pressed", String(on));
    button.setAttribute("aria-label", on ? "Stop recording" : "Record this conversation");
  }
}

/**
 * Begin or end a recording by the control API.
 * @param {{session: string, token: string}} session @param {boolean} on
 */
export async function askToRecord({ session, token }, on) {
  const response = await fetch(`/api/v1/sessions/${encodeURIComponent(session)}/recording`, {
    method: on ? "POST" : "DELETE",
    headers: { Authorization: `Bearer ${token}`, ...(on ? { "Content-Type": "application/json" } : {}) },
    body: on ? "{}" : undefined,
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.text ?? "The server did not answer as expected. Please try again.");
  return answer;
}
