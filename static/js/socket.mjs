// @ts-check
/**
 * The WebSocket to the edge, which comes back by itself: JSON messages both ways, a ping that shows a dead line, waits
 * that grow between attempts. It knows nothing of what the messages mean.
 */
import { waitMs } from "./backoff.mjs";

/** The first pings come close together, so that the edge knows the offset between the two clocks early. */
const EARLY_PINGS = 5;
const EARLY_PING_MS = 100;
const PING_MS = 2000;
/** Every ping is answered; one that is not for this long shows a dead line, whatever the browser thinks of it. */
const DEAD_AFTER_MS = 6000;

/**
 * @typedef {object} SocketEvents
 * @property {() => void} up the line is open: say hello
 * @property {(message: any) => void} message
 * @property {(attempts: number) => void} down the line was lost (1), or could not be had again (2 and more)
 */

export class Socket {
  #events;
  #url;
  /** @type {WebSocket | null} */
  #socket = null;
  #attempts = 0;
  #wanted = false;
  /**
   * When the oldest ping was sent that nothing has followed; null when the line has shown life since.
   * @type {number | null}
   */
  #unansweredMs = null;
  #pings = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pulse;
  /** @type {typeof WebSocket} */
  #WebSocket;
  /** Round trip of the newest ping, for the curious. @type {number | null} */
  roundTripMs = null;
  /** When the line last showed life. */
  aliveMs = 0;

  /** @param {string} url @param {SocketEvents} events @param {typeof WebSocket} [Implementation] */
  constructor(url, events, Implementation = WebSocket) {
    this.#url = url;
    this.#events = events;
    this.#WebSocket = Implementation;
  }

  open() {
    this.#wanted = true;
    this.#attempts = 0;
    this.#connect();
  }

  /** False when the line is down; the message is then lost, not kept. @param {object} message */
  send(message) {
    if (this.#socket?.readyState !== this.#WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** False when the line is down. @param {ArrayBufferView} bytes */
  sendBytes(bytes) {
    if (this.#socket?.readyState !== this.#WebSocket.OPEN) return false;
    this.#socket.send(bytes);
    return true;
  }

  /** Hang up and try again after `ms`: for a server that is not ready yet. @param {number} ms */
  comeBackIn(ms) {
    this.#drop();
    if (this.#wanted) this.#retry = setTimeout(() => this.#connect(), ms);
  }

  /** The network is back, or the page is looked at again: do not sit out the wait. */
  nudge() {
    if (this.#wanted && !this.#socket) this.#connect();
  }

  close() {
    this.#wanted = false;
    this.#drop();
  }

  #connect() {
    this.#drop();
    const socket = new this.#WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#attempts = 0;
      this.#pings = 0;
      this.#unansweredMs = null;
      this.#events.up();
      this.#beat();
    };
    socket.onmessage = ({ data }) => {
      this.#unansweredMs = null;
      this.aliveMs = performance.now();
      const message = parsed(data);
      if (message?.type === "pong") this.roundTripMs = performance.now() - message.t;
      else if (message) this.#events.message(message);
    };
    socket.onclose = () => this.#lost(socket);
  }

  /** @param {WebSocket} socket */
  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#drop();
    if (!this.#wanted) return;
    this.#retry = setTimeout(() => this.#connect(), waitMs(this.#attempts++, Math.random()));
    this.#events.down(this.#attempts);
  }

  #beat() {
    const nowMs = performance.now();
    if (this.#unansweredMs !== null && nowMs - this.#unansweredMs > DEAD_AFTER_MS) {
      if (this.#socket) this.#lost(this.#socket);
      return;
    }
    this.send({ type: "ping", t: nowMs });
    this.#unansweredMs ??= nowMs;
    this.#pulse = setTimeout(() => this.#beat(), ++this.#pings < EARLY_PINGS ? EARLY_PING_MS : PING_MS);
  }

  #drop() {
    clearTimeout(this.#retry);
    clearTimeout(this.#pulse);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}

/** @param {unknown} data @returns {any} the message, or null for what is none */
function parsed(data) {
  try {
    const message = JSON.parse(String(data));
    return typeof message?.type === "string" ? message : null;
  } catch {
    return null;
  }
}
