// @ts-check
/**
 * A session played as HTTP live streaming, some seconds behind: where WebRTC finds no way, or is not wanted. Knows which
 * programme sample is at the speaker. By hls.js, or by the browser itself where that plays HLS.
 */
import { programmeZero } from "./hls_clock.mjs";
import { WhepRefusal } from "./whep.mjs";

const KIND = "application/vnd.apple.mpegurl";

/** Behind the end of the playlist: two segments. */
const BEHIND_S = 3;
const TOO_FAR_S = 12;

export class HlsSource {
  /** There is none whose path could be told. */
  connection = null;
  #url;
  #token;
  #video;
  #events;
  #zeroMs = 0;
  #closed = false;
  /** @type {any} */
  #hls = null;
  #listening = new AbortController();

  /**
   * @param {{url: string, token: string, video: HTMLVideoElement}} wish
   * @param {import("./whep.mjs").WhepEvents} events `stream` without one: the element plays
   */
  constructor({ url, token, video }, events) {
    this.#url = url;
    this.#token = token;
    this.#video = video;
    this.#events = events;
  }

  /** Throws WhepRefusal; another error when the edge cannot be reached or has nothing to play yet. */
  async start() {
    const headers = this.#headers();
    const response = await fetch(this.#url, { headers, cache: "no-store" });
    const text = await response.text();
    if (response.status === 503) throw new Error(text.trim()); // no seat is missing: segments are
    if (!response.ok) throw new WhepRefusal(response.status, text.trim());
    this.#zeroMs = programmeZero(text) ?? 0;
    const Hls = await import("hls.js").then((module) => module.default, () => null);
    if (this.#closed) return;
    const { signal } = this.#listening;
    this.#video.srcObject = null;
    this.#video.addEventListener("playing", () => this.#events.state("connected"), { signal });
    if (Hls?.isSupported()) this.#playBy(Hls, headers.authorization);
    else if (this.#video.canPlayType(KIND) && !this.#token) this.#playAlone();
    else throw new WhepRefusal(406, "This browser plays no HLS.");
    this.#events.stream(null);
  }

  /** The programme sample at the speaker; null before it plays. */
  get sample() {
    const dateMs = this.#hls ? this.#hls.playingDate?.getTime() : this.#startMs() + this.#video.currentTime * 1000;
    const played = this.#video.currentTime > 0 && Number.isFinite(dateMs);
    return played ? Math.round((dateMs - this.#zeroMs) * 48) : null;
  }

  /** It was played to its end. */
  get over() {
    return this.#video.ended;
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#listening.abort();
    if (this.#hls) this.#hls.destroy();
    else if (this.#video.src) this.#video.removeAttribute("src");
    this.#hls = null;
  }

  /** @returns {Record<string, string>} */
  #headers() {
    return this.#token ? { authorization: `Bearer ${this.#token}` } : {};
  }

  /** @param {any} Hls @param {string | undefined} authorization */
  #playBy(Hls, authorization) {
    this.#hls = new Hls({
      enableWorker: false,
      liveSyncDuration: BEHIND_S,
      liveMaxLatencyDuration: TOO_FAR_S,
      backBufferLength: 10,
      xhrSetup: (/** @type {XMLHttpRequest} */ xhr) => {
        if (authorization) xhr.setRequestHeader("Authorization", authorization);
      },
    });
    this.#hls.on(Hls.Events.ERROR, (/** @type {string} */ _, /** @type {any} */ error) => {
      if (!error.fatal || this.#closed) return;
      console.info(`HLS: ${error.details}`);
      this.#events.state("failed");
    });
    this.#hls.attachMedia(this.#video);
    this.#hls.loadSource(this.#url);
  }

  #playAlone() {
    const { signal } = this.#listening;
    this.#video.addEventListener("error", () => this.#events.state("failed"), { signal });
    this.#video.src = this.#url;
  }

  /** Unix time of the element's time 0, where the browser plays it itself. */
  #startMs() {
    return /** @type {any} */ (this.#video).getStartDate?.().getTime() ?? NaN;
  }
}
