// @ts-check
/**
 * Plays a conversation from Janus: its WebSocket API and the streaming plugin, which makes the offer. To whoever uses
 * it, like a WHEP session (whep.mjs). A connection to Janus that ends is the end of it: Janus began anew.
 *
 * A page that draws the face itself takes the pictures too: Chromium dates what it plays (relayed_clock.mjs) only while
 * it lays pictures and sound of one stream together.
 */
import { ConnectionWatch } from "./connection_watch.mjs";
import { WhepRefusal } from "./whep.mjs";

/** Janus forgets whom it has not heard from for a minute. */
const KEEP_MS = 25_000;
const UNAUTHORIZED = 457;

/** @typedef {{url: string, id: number, pin: string}} JanusPlace its WebSocket, and the mountpoint there */

export class JanusPlayer {
  #place;
  #events;
  #connection;
  #watch;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Map<string, {done: (told: any) => void, failed: (error: Error) => void}>} */
  #waiting = new Map();
  #session = 0;
  #handle = 0;
  #closed = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #keep;

  /**
   * @param {{place: JanusPlace, ice: RTCIceServer[]}} wish
   * @param {import("./whep.mjs").WhepEvents} events
   */
  constructor({ place, ice }, events) {
    this.#place = place;
    this.#events = events;
    this.#connection = new RTCPeerConnection({ iceServers: ice, bundlePolicy: "max-bundle" });
    this.#connection.onicecandidate = ({ candidate }) => this.#trickle(candidate);
    this.#watch = new ConnectionWatch(this.#connection, (state) => events.state(state));
  }

  /** Where the voice comes in, once the offer has come. */
  get voice() {
    return this.#connection.getReceivers().find(({ track }) => track.kind === "audio") ?? null;
  }

  /** The browser keeps sound and pictures together, by Janus' sender reports. */
  get receivers() {
    return null;
  }

  /** For the verdict on the path. */
  get connection() {
    return this.#connection;
  }

  /** Throws WhepRefusal when Janus does not let us in, Error when it cannot be reached or has no such mountpoint. */
  async start() {
    this.#watch.begin();
    await this.#open();
    this.#session = (await this.#ask({ janus: "create" })).data.id;
    this.#handle = (await this.#ask({ janus: "attach", plugin: "janus.plugin.streaming" })).data.id;
    const { id, pin } = this.#place;
    const { jsep } = await this.#tell({ request: "watch", id, pin });
    if (this.#closed) return;
    await this.#connection.setRemoteDescription(jsep);
    await this.#connection.setLocalDescription();
    this.#events.stream(new MediaStream(this.#connection.getReceivers().map(({ track }) => track)));
    await this.#tell({ request: "start" }, this.#connection.localDescription?.toJSON());
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#keep);
    this.#watch.close();
    if (this.#socket?.readyState === WebSocket.OPEN) this.#send({ janus: "destroy" });
    this.#socket?.close();
  }

  async #open() {
    const socket = (this.#socket = new WebSocket(this.#place.url, "janus-protocol"));
    socket.onmessage = ({ data }) => this.#heard(data);
    await new Promise((done, failed) => {
      socket.onopen = done;
      socket.onclose = failed;
    }).catch(() => {
      throw new Error("Janus cannot be reached");
    });
    socket.onclose = () => this.#lost();
    this.#keep = setInterval(() => this.#send({ janus: "keepalive" }), KEEP_MS);
  }

  /** A request to the plugin, and its answer. @param {object} body @param {object} [jsep] @returns {Promise<any>} */
  async #tell(body, jsep) {
    const told = await this.#ask({ janus: "message", handle_id: this.#handle, body, ...(jsep && { jsep }) });
    const { error_code: code, error } = told.plugindata?.data ?? {};
    if (code === UNAUTHORIZED) throw new WhepRefusal(403, error);
    if (code) throw new Error(error);
    return told;
  }

  /** @param {object} fields @returns {Promise<any>} */
  #ask(fields) {
    return new Promise((done, failed) => {
      this.#waiting.set(this.#send(fields), { done, failed });
    });
  }

  /** @param {object} fields */
  #send(fields) {
    const transaction = crypto.randomUUID?.() ?? String(Math.random());
    const session = this.#session ? { session_id: this.#session } : {};
    this.#socket?.send(JSON.stringify({ ...fields, ...session, transaction }));
    return transaction;
  }

  /** @param {string} data */
  #heard(data) {
    const told = JSON.parse(data);
    // What takes Janus long is first acknowledged, then answered under the same name.
    const waiting = told.janus === "ack" ? null : this.#waiting.get(told.transaction);
    if (waiting) {
      this.#waiting.delete(told.transaction);
      if (told.janus === "error") waiting.failed(new Error(told.error?.reason));
      else waiting.done(told);
    } else if (told.janus === "hangup" || told.janus === "timeout" || told.plugindata?.data?.result?.status === "stopped") {
      this.#watch.fail();
    }
  }

  #lost() {
    for (const { failed } of this.#waiting.values()) failed(new Error("Janus has gone away"));
    this.#waiting.clear();
    clearInterval(this.#keep);
    this.#watch.fail();
  }

  /** @param {RTCIceCandidate | null} candidate null: these were all */
  #trickle(candidate) {
    const found = candidate?.toJSON() ?? { completed: true };
    if (this.#socket?.readyState === WebSocket.OPEN) this.#send({ janus: "trickle", handle_id: this.#handle, candidate: found });
  }
}
