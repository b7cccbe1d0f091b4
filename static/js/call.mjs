// @ts-check
/**
 * One peer connection to the edge: microphone up, voice and picture down. The offer always has a sendrecv audio and a
 * recvonly video transceiver, so voice and text mode differ by a replaced track and nothing is negotiated twice.
 */
import { apart, keepsTogether } from "./apart.mjs";
import { offered } from "./codecs.mjs";
import { ConnectionWatch } from "./connection_watch.mjs";
import { verdictOf } from "./path_verdict.mjs";

/**
 * @typedef {object} CallEvents
 * @property {(message: object) => void} send offer and candidates, for the edge
 * @property {(stream: MediaStream) => void} stream voice and picture, complete
 * @property {(state: "connected" | "unsteady" | "failed") => void} state
 */

export class Call {
  #events;
  /** @type {RTCPeerConnection} */
  #connection;
  #watch;
  /** @type {RTCRtpTransceiver} */
  #audio;
  /** @type {RTCRtpTransceiver} */
  #video;
  /** Candidates that came before the answer. @type {RTCIceCandidateInit[]} */
  #early = [];
  #closed = false;
  /** Why there was no way through, once there was none. */
  blocked = "";

  /**
   * @param {RTCIceServer[]} iceServers @param {CallEvents} events
   */
  constructor(iceServers, events) {
    this.#events = events;
    this.#connection = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.#audio = this.#connection.addTransceiver("audio", { direction: "sendrecv" });
    this.#video = this.#connection.addTransceiver("video", { direction: "recvonly" });
    const codecs = offered(RTCRtpReceiver.getCapabilities?.("video")?.codecs ?? []);
    if (codecs.length) this.#video.setCodecPreferences?.(codecs);
    this.#connection.onicecandidate = ({ candidate }) =>
      events.send({ type: "candidate", candidate: candidate ? plain(candidate) : null });
    this.#watch = new ConnectionWatch(this.#connection, (state) => (state === "failed" ? this.#failed() : events.state(state)));
  }

  /** Where the voice comes in: says which RTP time is being played. */
  get voice() {
    return this.#audio.receiver;
  }

  /** For the verdict on the path. */
  get connection() {
    return this.#connection;
  }

  /** Both, when the page itself keeps them together; null when the browser does. */
  get receivers() {
    return keepsTogether() ? { sound: this.#audio.receiver, picture: this.#video.receiver } : null;
  }

  /** @param {MediaStreamTrack | null} track what the avatar hears from now on; null: nothing */
  async speakThrough(track) {
    if (!this.#closed) await this.#audio.sender.replaceTrack(track);
  }

  async offer() {
    this.#watch.begin();
    await this.#connection.setLocalDescription();
    if (this.#closed) return;
    const sdp = this.#connection.localDescription?.sdp;
    this.#events.send({ type: "offer", sdp });
    this.#events.stream(new MediaStream([this.#audio.receiver.track, this.#video.receiver.track]));
  }

  /** @param {string} sdp */
  async answer(sdp) {
    if (this.#connection.signalingState !== "have-local-offer") return;
    await this.#connection.setRemoteDescription({ type: "answer", sdp: keepsTogether() ? apart(sdp) : sdp });
    for (const candidate of this.#early.splice(0)) await this.candidate(candidate);
  }

  /** @param {RTCIceCandidateInit | null} candidate null: there are no more */
  async candidate(candidate) {
    if (this.#closed || !candidate) return;
    if (!this.#connection.remoteDescription) this.#early.push(candidate);
    // A candidate this browser cannot use (another address family, say) is one path less and no failure.
    else await this.#connection.addIceCandidate(candidate).catch(() => {});
  }

  /** Told once it is known why: a connection that was closed, as this one soon is, says nothing of its path. */
  async #failed() {
    const verdict = await verdictOf(this.#connection, true).catch(() => null);
    if (verdict?.kind === "blocked") this.blocked = verdict.text;
    if (!this.#closed) this.#events.state("failed");
  }

  close() {
    this.#closed = true;
    this.#watch.close();
  }
}

/** @param {RTCIceCandidate} candidate */
function plain({ candidate, sdpMid, sdpMLineIndex }) {
  return { candidate, sdpMid, sdpMLineIndex };
}
