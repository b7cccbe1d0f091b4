// @ts-check
/**
 * Looking on, from opening the page to the end: the events first, then sound and pictures; takes both up again after a
 * loss. It shows nothing: what happens is told to its listener.
 */
import { waitMs } from "./backoff.mjs";
import { WhepRefusal } from "./whep.mjs";

/** Paths that break for a moment heal by themselves; after this long a new one is made. */
const UNSTEADY_MS = 2500;
/** Attempts to get sound through before the page says that there is no way. They go on afterwards, more slowly. */
const MEDIA_ATTEMPTS = 3;
/** Attempts that find no path before another way than WebRTC is taken, where there is one. */
const PATHLESS_ATTEMPTS = 2;

/**
 * @typedef {"connecting" | "listening" | "thinking" | "speaking" | "held" | "away" | "ended" | "absent" | "closed" |
 *   "full" | "blocked"} ViewState
 *   absent: no such conversation; closed: not shown to this viewer; blocked: no way through for sound
 * @typedef {{type: "session", session: string, persona: any, state: string, viewers: number, audio_offset: number,
 *   video_offset: number, ice: RTCIceServer[], edge: string,
 *   janus?: import("./janus.mjs").JanusPlace & {origin_ms: number}}} ShownSession janus: play it from there
 *
 * @typedef {object} Listener
 * @property {() => void} changed the state or the number of viewers is another
 * @property {(session: ShownSession) => void} session what there is to see; again after a loss
 * @property {(stream: MediaStream | null, source: Source) => void} media without a stream the source plays it itself
 * @property {() => boolean} pathless there is no way through: true when another one is taken, and this is left
 * @property {(message: any) => void} message everything else the edge says
 *
 * @typedef {import("./whep.mjs").Whep | import("./janus.mjs").JanusPlayer | import("./hls_source.mjs").HlsSource} Source
 *
 * @typedef {object} Parts
 * @property {(events: import("./event_line.mjs").EventLineEvents) => import("./event_line.mjs").EventLine} line
 * @property {(session: ShownSession, events: import("./whep.mjs").WhepEvents) => Source} source
 * @property {Listener} listener
 */

export class Viewing {
  viewers = 0;
  /** Sound and pictures have come before: what is missing now is missed. */
  again = false;
  #parts;
  #line;
  /** @type {ShownSession | null} */
  #session = null;
  #edgeState = "";
  /** Why it is over, or cannot begin; "" while it goes on. @type {"" | ViewState} */
  #over = "";
  #connected = false;
  #lineUp = false;
  #attempts = 0;
  #pathless = 0;
  /** @type {Source | null} */
  #source = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#line = parts.line({
      message: (message) => this.#heard(message),
      down: () => this.#down(),
      refused: (status) => this.#end(this.again && status === 404 ? "ended" : status === 404 ? "absent" : "closed"),
    });
  }

  /** @returns {ViewState} */
  get state() {
    if (this.#over && this.#over !== "full" && this.#over !== "blocked") return this.#over;
    if (!this.#session) return "connecting";
    if (this.#edgeState === "away") return "away";
    if (!this.#connected) return this.#over || "connecting";
    const known = ["listening", "thinking", "speaking", "held"];
    return /** @type {ViewState} */ (known.includes(this.#edgeState) ? this.#edgeState : "listening");
  }

  /** The connection sound comes over, for the curious. */
  get connection() {
    return this.#source?.connection ?? null;
  }

  start() {
    this.#line.open();
    this.#parts.listener.changed();
  }

  /** The page is being closed. */
  leave() {
    clearTimeout(this.#retry);
    this.#line.close();
    this.#source?.close();
    this.#source = null;
  }

  /** The network or the person is back. */
  nudge() {
    if (this.#over === "ended" || this.#over === "absent" || this.#over === "closed") return;
    this.#line.nudge();
    if (this.#lineUp && !this.#connected && !this.#source) this.#connect();
  }

  /** @param {any} message */
  #heard(message) {
    switch (message.type) {
      case "session":
        return this.#opened(message);
      case "state":
        this.#edgeState = String(message.state);
        break;
      case "audience":
        this.viewers = Number(message.viewers) || 0;
        break;
      case "ended":
        // An edge that is restarted comes back, and the line to it by itself.
        if (message.reason === "restart") return;
        return this.#end("ended");
    }
    this.#parts.listener.message(message);
    this.#parts.listener.changed();
  }

  /** @param {ShownSession} session */
  #opened(session) {
    const before = this.#session;
    this.#session = session;
    this.#lineUp = true;
    this.#edgeState = session.state;
    this.viewers = session.viewers;
    this.#parts.listener.session(session);
    // An edge that began anew has forgotten our connection: a browser would notice only after some seconds.
    const anew = before !== null && before.edge !== session.edge;
    if (!this.#source || anew || before?.audio_offset !== session.audio_offset) this.#connect();
    this.#parts.listener.changed();
  }

  #down() {
    this.#lineUp = false;
    this.#parts.listener.changed();
  }

  async #connect() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#connected = false;
    const { source, listener } = this.#parts;
    /** @type {Source} */
    const mine = source(/** @type {ShownSession} */ (this.#session), {
      stream: (stream) => listener.media(stream, mine),
      state: (state) => mine === this.#source && this.#mediaIs(state),
    });
    this.#source = mine;
    try {
      await mine.start();
    } catch (error) {
      if (mine === this.#source) this.#refused(error instanceof WhepRefusal ? error.status : 0);
    }
  }

  /** @param {"connected" | "unsteady" | "failed"} state */
  #mediaIs(state) {
    clearTimeout(this.#retry);
    if (state === "connected") {
      this.#connected = this.again = true;
      this.#attempts = this.#pathless = 0;
      this.#over = "";
    } else if (state === "unsteady") this.#retry = setTimeout(() => this.#mediaLost(), UNSTEADY_MS);
    else this.#mediaLost();
    this.#parts.listener.changed();
  }

  #mediaLost() {
    if (++this.#pathless >= PATHLESS_ATTEMPTS && this.#parts.listener.pathless()) return;
    if (++this.#attempts >= MEDIA_ATTEMPTS && !this.again) this.#over = "blocked";
    this.#parts.listener.changed(); // while the failed connection can still be asked why
    this.#later();
  }

  /** @param {number} status of the edge's refusal; 0: it could not be reached */
  #refused(status) {
    if (status === 404) return this.#end(this.again ? "ended" : "absent");
    if (status === 401 || status === 403) return this.#end("closed");
    if (status === 503) this.#over = "full";
    if (status === 406 || status === 422) {
      if (this.#parts.listener.pathless()) return;
      this.#over = "blocked";
    }
    this.#attempts++;
    this.#later();
  }

  #later() {
    this.#source?.close();
    this.#source = null;
    this.#connected = false;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#lineUp && this.#connect(), waitMs(this.#attempts, Math.random()));
    this.#parts.listener.changed();
  }

  /** @param {ViewState} why */
  #end(why) {
    this.#over = why;
    this.#source?.close(why !== "ended");
    this.leave();
    this.#connected = false;
    this.#parts.listener.changed();
  }
}
