// @ts-check
/**
 * A duplicated tab takes the call's ticket along, and two tabs would wrest it from each other for ever: the newer one
 * has it, the older one is told.
 */

const CHANNEL = "visavis.call";

export class OneTab {
  #channel = globalThis.BroadcastChannel ? new BroadcastChannel(CHANNEL) : null;
  #session = "";

  /** @param {() => void} onTaken another tab has taken the session claimed last */
  constructor(onTaken) {
    if (!this.#channel) return;
    this.#channel.onmessage = ({ data }) => {
      if (!this.#session || data !== this.#session) return;
      this.#session = "";
      onTaken();
    };
  }

  /** @param {string} session */
  claim(session) {
    if (session === this.#session) return;
    this.#session = session;
    this.#channel?.postMessage(session);
  }
}
