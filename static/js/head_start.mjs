// @ts-check
/**
 * Looking on, begun before most of the page is there: the events are read, and the offer is out as soon as they say what
 * it is for. Whoever takes the line and the source over hears all that has happened.
 */
import { Kept } from "./kept.mjs";

/**
 * @typedef {import("./viewing.mjs").ShownSession} ShownSession
 * @typedef {import("./event_line.mjs").EventLine} EventLine
 * @typedef {import("./event_line.mjs").EventLineEvents} EventLineEvents
 * @typedef {import("./whep.mjs").Whep} Whep
 * @typedef {import("./whep.mjs").WhepEvents} WhepEvents
 */

export class HeadStart {
  /** The offer is out, or none is made here: what takes long may begin. The session, where it is known.
   * @type {Promise<ShownSession | null>} */
  offered;
  #over = (/** @type {ShownSession | null} */ _session) => {};
  #line;
  #makeSource;
  /** @type {Kept<any>} */
  #heard = new Kept(["message", "down", "refused"]);
  /** @type {Kept<any>} */
  #media = new Kept(["stream", "state"]);
  /** @type {Whep | null} */
  #source = null;
  #told = false;

  /**
   * @param {object} parts
   * @param {(events: EventLineEvents) => EventLine} parts.line
   * @param {(session: ShownSession, events: WhepEvents) => Whep} parts.source
   */
  constructor({ line, source }) {
    this.offered = new Promise((over) => (this.#over = over));
    this.#makeSource = source;
    const { events } = this.#heard;
    this.#line = line({
      message: (message) => {
        events.message(message);
        if (message.type === "session") this.#offer(message);
      },
      down: (attempts) => {
        events.down(attempts);
        this.#over(null);
      },
      refused: (status, text) => {
        events.refused(status, text);
        this.#over(null);
      },
    });
    this.#line.open();
  }

  /** Take the line over, once. @param {EventLineEvents} events */
  line(events) {
    this.#heard.to(events);
    return this.#line;
  }

  /** Take over what was begun, once; null: nothing was. @param {WhepEvents} events */
  source(events) {
    const source = this.#source;
    this.#source = null;
    this.#told = true;
    if (source) this.#media.to(events);
    return source;
  }

  /** The page is being closed. */
  leave() {
    this.#line.close();
    this.#source?.close();
  }

  /** @param {ShownSession} session */
  #offer(session) {
    if (!this.#told && !session.janus) {
      this.#source = this.#makeSource(session, { ...this.#media.events, sent: () => this.#over(session) });
      this.#source.start().catch(() => this.#over(session)); // told to whoever takes it over and starts it
    } else this.#over(session);
    this.#told = true;
  }
}
