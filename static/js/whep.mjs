// @ts-check
/** One WHEP session: posts an offer, takes the answer, trickles what the browser finds later, and says how it goes. */
import { apart, keepsTogether } from "./apart.mjs";
import { offered } from "./codecs.mjs";
import { ConnectionWatch } from "./connection_watch.mjs";

/** Candidates found close together go in one PATCH. */
const GATHER_MS = 80;
const FRAGMENT = "application/trickle-ice-sdpfrag";

/** The edge's refusal: its status and its sentence. */
export class WhepRefusal extends Error {
  /** @param {number} status @param {string} text */
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

/**
 * @typedef {object} WhepEvents
 * @property {(stream: MediaStream) => void} stream
 * @property {() => void} [sent] the offer is on its way
 * @property {(state: "connected" | "unsteady" | "failed") => void} state
 */

export class Whep {
  #url;
  #token;
  #events;
  #connection;
  #watch;
  #audio;
  /** @type {RTCRtpTransceiver | null} */
  #video = null;
  /** @type {Promise<void> | null} */
  #started = null;
  #closed = false;
  /** @type {{url: string, etag: string} | null} */
  #resource = null;
  /** @type {RTCIceCandidate[]} */
  #found = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #sending;

  /**
   * @param {{url: string, token: string, ice: RTCIceServer[], pictures: boolean}} wish
   *   pictures: false for a page that draws the face itself
   * @param {WhepEvents} events
   */
  constructor({ url, token, ice, pictures }, events) {
    this.#url = url;
    this.#token = token;
    this.#events = events;
    this.#connection = new RTCPeerConnection({ iceServers: ice, bundlePolicy: "max-bundle" });
    this.#audio = this.#connection.addTransceiver("audio", { direction: "recvonly" });
    if (pictures) {
      this.#video = this.#connection.addTransceiver("video", { direction: "recvonly" });
      const codecs = offered(RTCRtpReceiver.getCapabilities?.("video")?.codecs ?? []);
      if (codecs.length) this.#video.setCodecPreferences?.(codecs);
    }
    this.#connection.onicecandidate = ({ candidate }) => candidate && this.#trickle(candidate);
    this.#watch = new ConnectionWatch(this.#connection, (state) => events.state(state));
  }

  /** Where the voice comes in: says which RTP time is being played. */
  get voice() {
    return this.#audio.receiver;
  }

  /** Both, when the page itself keeps them together; null when the browser does, or there are no pictures. */
  get receivers() {
    if (!this.#video || !keepsTogether()) return null;
    return { sound: this.#audio.receiver, picture: this.#video.receiver };
  }

  /** For the verdict on the path. */
  get connection() {
    return this.#connection;
  }

  /** Where it is served, once it is. */
  get place() {
    return this.#resource?.url ?? "";
  }

  /** Once, however often it is asked for. Throws WhepRefusal, or TypeError when the edge cannot be reached. */
  start() {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start() {
    this.#watch.begin();
    await this.#connection.setLocalDescription();
    const tracks = [this.#audio.receiver.track, ...(this.#video ? [this.#video.receiver.track] : [])];
    this.#events.stream(new MediaStream(tracks));
    const asked = fetch(this.#url, {
      method: "POST",
      headers: { ...this.#headers(), "content-type": "application/sdp" },
      body: this.#connection.localDescription?.sdp,
    });
    this.#events.sent?.();
    const response = await asked;
    const text = await response.text();
    const location = response.headers.get("location");
    if (response.status !== 201 || !location) throw new WhepRefusal(response.status, text.trim());
    this.#resource = { url: new URL(location, response.url).href, etag: response.headers.get("etag") ?? "*" };
    if (this.#closed) return this.#leave();
    await this.#connection.setRemoteDescription({ type: "answer", sdp: this.receivers ? apart(text) : text });
    if (this.#found.length) this.#send();
  }

  /** @param {boolean} [tell] false: the edge knows already that it is over */
  close(tell = true) {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#sending);
    this.#watch.close();
    if (tell) this.#leave();
  }

  /** @returns {Record<string, string>} */
  #headers() {
    return this.#token ? { authorization: `Bearer ${this.#token}` } : {};
  }

  #leave() {
    if (!this.#resource) return;
    // `keepalive`: a page that is being closed says so too.
    fetch(this.#resource.url, { method: "DELETE", headers: this.#headers(), keepalive: true }).catch(() => {});
    this.#resource = null;
  }

  /** @param {RTCIceCandidate} candidate */
  #trickle(candidate) {
    this.#found.push(candidate);
    clearTimeout(this.#sending);
    if (this.#resource) this.#sending = setTimeout(() => this.#send(), GATHER_MS);
  }

  #send() {
    const sdp = this.#connection.localDescription?.sdp ?? "";
    if (!this.#resource || this.#closed) return;
    const headers = { ...this.#headers(), "content-type": FRAGMENT, "if-match": this.#resource.etag };
    const body = fragment(sdp, this.#found.splice(0));
    // A candidate that does not arrive is one path less: the edge sees the checks of the others anyway.
    fetch(this.#resource.url, { method: "PATCH", headers, body }).catch(() => {});
  }
}

/**
 * Candidates as RFC 8840 writes them. Pure.
 * @param {string} sdp the offer @param {Array<{candidate: string, sdpMid: string | null}>} candidates
 */
export function fragment(sdp, candidates) {
  const line = (/** @type {string} */ name) => sdp.split(/\r?\n/).find((text) => text.startsWith(`a=${name}:`)) ?? "";
  const lines = [line("ice-ufrag"), line("ice-pwd")];
  for (const mid of new Set(candidates.map(({ sdpMid }) => sdpMid ?? "0"))) {
    const section = sdp.split(/\r?\n(?=m=)/).find((part) => new RegExp(`^a=mid:${mid}\\r?$`, "m").test(part));
    lines.push(section?.split(/\r?\n/)[0] ?? "m=audio 9 UDP/TLS/RTP/SAVPF 0", `a=mid:${mid}`);
    lines.push(...candidates.filter(({ sdpMid }) => (sdpMid ?? "0") === mid).map(({ candidate }) => `a=${candidate}`));
  }
  return lines.filter(Boolean).join("\r\n") + "\r\n";
}
