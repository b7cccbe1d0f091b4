// @ts-check
/**
 * A call from Start to Stop: says hello, makes the peer connection, takes the session up again after a loss, and turns
 * what goes wrong into failures. It shows nothing: what happens is told to its listener.
 */
import { wellFormed } from "./edge_messages.mjs";
import { failure, hitch } from "./failures.mjs";
import { MicrophoneError } from "./microphone.mjs";
import { pageState } from "./states.mjs";

/** A server that starts is asked again this often. */
const NOT_READY_AGAIN_MS = 1000;
/** Paths that break for a moment heal by themselves; after this long a new one is made. */
const UNSTEADY_MS = 2500;
/** Attempts to get sound through before the page gives up. */
const MEDIA_ATTEMPTS = 2;
/** Attempts to reach the server before the page says that it does not answer. */
const QUIET_ATTEMPTS = 2;
/** Messages that tell of something said. */
const BEGINS = ["user", "turn", "words"];
/** Typed lines kept while the line is down. */
const MOST_UNCONFIRMED = 8;

/**
 * @typedef {"voice" | "text"} Mode
 * @typedef {import("./failures.mjs").Failure} Failure
 * @typedef {import("./session_store.mjs").Saved} Saved
 * @typedef {{type: "session", session: string, token: string, ice: RTCIceServer[], persona: any,
 *   audio_offset: number, video_offset: number, resumed: boolean, dialogue: any[],
 *   share?: boolean, away_s: number, again?: {utterance: number} | null}} SessionMessage
 *
 * @typedef {object} Listener
 * @property {() => void} changed state, mode or mute is another
 * @property {(session: SessionMessage, lost: boolean) => void} session the edge has us (again): the dialogue starts from
 *   here; lost: it knows nothing of what was said before
 * @property {(text: string) => void} unanswered what the person typed and nobody will answer
 * @property {(stream: MediaStream, call: import("./call.mjs").Call) => void} media a new call with its voice and picture
 * @property {(message: any) => void} message everything else the edge says
 * @property {(failure: Failure | null) => void} notice something to tell the person; null: it is over
 *
 * @typedef {object} Parts
 * @property {(events: import("./socket.mjs").SocketEvents) => import("./socket.mjs").Socket} socket
 * @property {(ice: RTCIceServer[], events: import("./call.mjs").CallEvents) => import("./call.mjs").Call} call
 * @property {import("./microphone.mjs").Microphone} microphone
 * @property {import("./recall.mjs").Recall} recall
 * @property {import("./session_store.mjs").SessionStore} store
 * @property {Listener} listener
 */

export class Conversation {
  /** @type {Mode} */
  mode = "voice";
  /** Whether the avatar was reached in this call before. */
  again = false;
  /** Why the call ended, if it did not end by Stop. @type {Failure | null} */
  failed = null;
  /** @type {SessionMessage | null} */
  session = null;

  #parts;
  #socket;
  #calling = false;
  /** Something was said in this conversation, so that it can be missed. */
  #begun = false;
  #media = false;
  #edgeState = "";
  #mediaAttempts = 0;
  /** The person was told that the server is awaited, and wants to know when that is over. */
  #awaiting = false;
  #awayMs = 0;
  /** Why there is no microphone though the person wanted one: it is said again after what hid it. @type {Failure | null} */
  #deaf = null;
  /** @type {import("./call.mjs").Call | null} */
  #call = null;
  /** What to resume by, once there is something. @type {{session: string, token: string} | null} */
  #ticket = null;
  #wish = { persona: "", language: "" };
  /** What the edge was greeted with. @type {Mode} */
  #saidMode = "voice";
  /** Typed lines the edge has not confirmed, by id; sent again after a loss. @type {Map<string, string>} */
  #unconfirmed = new Map();
  #typed = 0;
  /** When the edge that was lost was last heard of. */
  #aliveMs = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #unsteady;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#socket = parts.socket({
      up: () => this.#hello(),
      message: (message) => this.#heard(message),
      down: (attempts) => this.#down(attempts),
    });
    parts.microphone.addEventListener("lost", () => this.#microphoneLost());
  }

  get state() {
    const { session, failed } = this;
    const known = { calling: this.#calling, failed: !!failed, session: !!session };
    return pageState({ ...known, media: this.#media, edge: this.#edgeState });
  }

  /** The connection sound comes over, for the verdict on its path. */
  get connection() {
    return this.#call?.connection ?? null;
  }

  get roundTripMs() {
    return this.#socket.roundTripMs;
  }

  /**
   * @param {{persona: string, mode: Mode, language: string}} wish
   * @param {Saved | null} saved a conversation to take up again
   */
  start({ persona, mode, language }, saved = null) {
    this.#hangUp();
    this.#calling = true;
    this.#begun &&= !!saved;
    this.failed = null;
    this.mode = mode;
    this.again = !!saved;
    this.#wish = { persona, language };
    this.#ticket = saved && { session: saved.session, token: saved.token };
    this.#parts.listener.notice(null);
    this.#socket.open();
    if (mode === "voice") this.#listen();
    else this.#parts.microphone.close();
    this.#changed();
  }

  stop() {
    this.#socket.send({ type: "bye" });
    this.#parts.store.forget();
    this.failed = null;
    this.#end();
    this.#parts.listener.notice(null);
    this.#changed();
  }

  /** @param {string} text */
  say(text) {
    const line = text.trim();
    if (!line || !this.#calling) return;
    const id = `${Date.now().toString(36)}-${++this.#typed}`;
    this.#unconfirmed.set(id, line);
    for (const oldest of this.#unconfirmed.keys()) {
      if (this.#unconfirmed.size <= MOST_UNCONFIRMED) break;
      this.#unconfirmed.delete(oldest);
    }
    if (this.session) this.#socket.send({ type: "text", text: line, id });
  }

  /**
   * Go on with somebody else, or in another language; the edge answers with `switched` or an error.
   * @param {{persona?: string, portrait?: string, language?: string}} wish
   */
  switchTo(wish) {
    this.tell({ type: "switch", ...wish });
  }

  /** How the face is to behave. @param {{emotion?: string, gesture?: string, gaze?: string, motion?: number, background?: string}} act */
  act(act) {
    this.tell({ type: "act", ...act });
  }

  interrupt() {
    this.tell({ type: "interrupt" });
  }

  /**
   * What the page says or measures, once the edge has opened its session: before, an edge takes nothing but a hello,
   * answers "not ready", and the page would begin anew a second later.
   * @param {object} message
   */
  tell(message) {
    if (this.session) this.#socket.send(message);
  }

  /** @param {Mode} mode */
  async setMode(mode) {
    if (mode === this.mode) return;
    this.#deaf = null;
    this.#become(mode);
    if (!this.#calling) return;
    if (mode === "voice") await this.#listen();
    else await this.#deafen();
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#parts.microphone.mute(muted);
    this.#parts.recall.stop();
    this.tell({ type: "mute", muted });
    this.#keep();
    this.#changed();
  }

  /** Speak through another microphone. @param {string} deviceId */
  async useMicrophone(deviceId) {
    this.#parts.microphone.deviceId = deviceId;
    if (this.#calling && this.mode === "voice") await this.#listen();
  }

  /** The network or the person is back. */
  nudge() {
    this.#socket.nudge();
  }

  /** The call has moved to another tab, which has our ticket: go quietly. */
  yield() {
    this.#fail(failure("elsewhere"));
  }

  // --- the line to the edge ----------------------------------------------------------------------------------------

  #hello() {
    const { session = "", token = "" } = this.#ticket ?? {};
    const { recall, microphone } = this.#parts;
    const remembers = !!this.#ticket && this.mode === "voice" && !microphone.muted && recall.ready;
    this.#saidMode = this.mode;
    this.#socket.send({ type: "hello", ...this.#wish, mode: this.mode, session, token, mouth: false, remembers });
  }

  /** @param {number} attempts */
  #down(attempts) {
    if (this.session) this.#aliveMs = this.#socket.aliveMs;
    this.session = null;
    this.#parts.recall.stop();
    if (attempts > QUIET_ATTEMPTS) this.#await("unreachable");
    else if (this.again) this.#await("lost");
    this.#changed();
  }

  /** @param {any} message from outside */
  #heard(message) {
    if (!wellFormed(message)) return;
    this.#begun ||= BEGINS.includes(message.type);
    switch (message.type) {
      case "session":
        return this.#opened(message);
      case "answer":
        return this.#call?.answer(String(message.sdp)).catch(() => this.#fail(failure("sdp")));
      case "candidate":
        return this.#call?.candidate(message.candidate);
      case "state":
        this.#edgeState = message.state;
        return this.#changed();
      case "error":
        return this.#error(String(message.code), String(message.text ?? ""), !!message.fatal);
      case "speech":
        return this.#parts.recall.speech(message, performance.now());
      case "microphone":
        return this.#parts.recall.stop();
      case "switched":
        this.#wish = { persona: String(message.persona.id), language: message.language };
        this.#keep();
        break;
      case "user":
        this.#confirm(String(message.text));
    }
    this.#parts.listener.message(message);
  }

  /** @param {SessionMessage} session */
  #opened(session) {
    this.session = session;
    this.#ticket = { session: session.session, token: session.token };
    this.#awayMs = session.away_s * 1000;
    this.#edgeState = "";
    this.#mediaAttempts = 0;
    this.again = true;
    const lost = this.#begun && !session.resumed;
    this.#begun = session.resumed;
    if (lost) this.#giveBack();
    this.#keep();
    if (this.#awaiting) this.#parts.listener.notice(this.#deaf);
    this.#awaiting = false;
    this.#parts.listener.session(session, lost);
    this.#connect();
    if (session.again) this.#sayAgain(session.again.utterance);
    if (this.mode !== this.#saidMode) this.tell({ type: "mode", mode: this.mode });
    if (this.#parts.microphone.muted) this.#socket.send({ type: "mute", muted: true });
    for (const [id, text] of this.#unconfirmed) this.#socket.send({ type: "text", text, id });
    this.#changed();
  }

  /** The edge has just begun and knows nothing of what the person was saying. @param {number} utterance */
  #sayAgain(utterance) {
    const { recall, microphone } = this.#parts;
    const line = {
      send: (/** @type {object} */ message) => this.#socket.send(message),
      sendBytes: (/** @type {Int16Array} */ samples) => this.#socket.sendBytes(samples),
    };
    if (microphone.muted) line.send({ type: "again", what: "none" });
    else recall.begin(utterance, this.#aliveMs, performance.now(), line);
  }

  /** @param {string} code @param {string} text @param {boolean} fatal */
  #error(code, text, fatal) {
    const reason = failure(code, text);
    if (code === "not_ready") {
      this.session = null;
      this.#await("not_ready", text);
      this.#socket.comeBackIn(NOT_READY_AGAIN_MS);
      this.#changed();
    } else if (code === "forbidden" && this.#ticket) {
      this.#ticket = null;
      this.#parts.store.forget();
      this.#socket.comeBackIn(0);
    } else if (code === "ice" && !fatal) this.#mediaLost();
    else if (fatal || ["capacity", "persona", "forbidden", "insecure", "ice", "sdp"].includes(code)) this.#fail(reason);
    else this.#parts.listener.notice(hitch(code, text));
  }

  /** @param {string} code @param {string} said what the server says of it */
  #await(code, said = "") {
    this.#awaiting = true;
    this.#parts.listener.notice(failure(code, said));
  }

  /** Typed for a conversation that is gone: out of it, nobody but the person knows whether it is still worth asking. */
  #giveBack() {
    if (this.#unconfirmed.size) this.#parts.listener.unanswered([...this.#unconfirmed.values()].join(" "));
    this.#unconfirmed.clear();
  }

  /** @param {string} text */
  #confirm(text) {
    for (const [id, line] of this.#unconfirmed) if (line === text) return this.#unconfirmed.delete(id);
  }

  // --- sound and picture -------------------------------------------------------------------------------------------

  #connect() {
    this.#call?.close();
    clearTimeout(this.#unsteady);
    this.#media = false;
    const { call, listener, microphone } = this.#parts;
    /** @type {import("./call.mjs").Call} */
    const mine = call(this.session?.ice ?? [], {
      send: (message) => this.#socket.send(message),
      stream: (stream) => listener.media(stream, mine),
      state: (state) => mine === this.#call && this.#mediaIs(state),
    });
    this.#call = mine;
    if (this.mode === "voice") mine.speakThrough(microphone.track);
    mine.offer().catch(() => this.#fail(failure("sdp")));
  }

  /** @param {"connected" | "unsteady" | "failed"} state */
  #mediaIs(state) {
    clearTimeout(this.#unsteady);
    if (state === "connected") {
      this.#media = true;
      this.#mediaAttempts = 0;
      this.#changed();
    } else if (state === "unsteady") this.#unsteady = setTimeout(() => this.#mediaLost(), UNSTEADY_MS);
    else this.#mediaLost();
  }

  #mediaLost() {
    // Without a line to the edge there is nobody to make a new path with; its return brings one.
    if (!this.session) return;
    if (++this.#mediaAttempts >= MEDIA_ATTEMPTS) {
      const known = failure("ice");
      return this.#fail({ ...known, text: this.#call?.blocked || known.text });
    }
    this.#connect();
    this.#changed();
  }

  // --- the microphone ----------------------------------------------------------------------------------------------

  async #listen() {
    try {
      const track = await this.#parts.microphone.open();
      if (!track || this.mode !== "voice") return;
      await this.#call?.speakThrough(track);
      this.#changed();
    } catch (error) {
      await this.#withoutMicrophone(error instanceof MicrophoneError ? error.code : "mic_failed");
    }
  }

  async #deafen() {
    this.#parts.microphone.close();
    await this.#call?.speakThrough(null);
  }

  async #microphoneLost() {
    if (!this.#calling || this.mode !== "voice") return;
    this.#parts.microphone.deviceId = "";
    await this.#listen();
    if (this.#parts.microphone.track) return;
    this.#deaf = failure("mic_lost");
    this.#parts.listener.notice(this.#deaf);
  }

  /** The conversation goes on by typing. @param {string} code */
  async #withoutMicrophone(code) {
    if (!this.#calling) return;
    this.#deaf = failure(code);
    this.#become("text");
    await this.#deafen();
    this.#parts.listener.notice(this.#deaf);
  }

  /** @param {Mode} mode */
  #become(mode) {
    this.mode = mode;
    this.#parts.recall.stop();
    this.tell({ type: "mode", mode });
    this.#keep();
    this.#changed();
  }

  // --- the end -----------------------------------------------------------------------------------------------------

  /** @param {Failure} reason */
  #fail(reason) {
    if (!this.#calling) return;
    this.failed = reason;
    if (reason.code !== "ice" && reason.code !== "server") this.#parts.store.forget();
    this.#end();
    this.#parts.listener.notice(reason);
    this.#changed();
  }

  #end() {
    this.#hangUp();
    this.#parts.microphone.close();
  }

  /** The microphone stays: the next call may begin with it. */
  #hangUp() {
    this.#calling = false;
    this.#deaf = null;
    this.session = null;
    this.#ticket = null;
    this.#edgeState = "";
    this.#media = false;
    this.#unconfirmed.clear();
    this.#parts.recall.forget();
    clearTimeout(this.#unsteady);
    this.#call?.close();
    this.#call = null;
    this.#socket.close();
  }

  #keep() {
    if (!this.#ticket || !this.#calling) return;
    const { persona, language } = this.#wish;
    const { muted } = this.#parts.microphone;
    this.#parts.store.keep({ ...this.#ticket, persona, language, mode: this.mode, muted, awayMs: this.#awayMs });
  }

  #changed() {
    this.#parts.listener.changed();
  }
}
