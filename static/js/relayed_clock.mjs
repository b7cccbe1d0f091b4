// @ts-check
/**
 * The programme's time behind a media server that numbers RTP time anew. The server's sender reports date what it sends
 * by the wall clock; the browser applies them to what it plays; the edge says when on that clock samples leave. Between
 * the two numberings lies a constant, which is learnt here. Pure but for `playedNow`.
 */
import { AUDIO_SAMPLES_PER_MS, rtpAfter, rtpPlus } from "./rtp.mjs";

/** From NTP's 1900 to 1970, by which the edge counts. */
const NTP_EPOCH_MS = 2_208_988_800_000;
/** Single readings are off by a browser's 10 ms steps and by how late a packet left; the middle of these is not. */
const WINDOW = 41;
/** Chromium dates what it plays from the server's second report on, some five seconds after the first. */
const UNDATED_MS = 12_000;
/** A step this large is no jitter: the server follows another sender, or its clock was set. */
const JUMP_MS = 500;

export class RelayedClock {
  /** When the programme's sample 0 would have left, in ms since 1970. */
  originMs = 0;
  #offset = 0;
  /** When the server's RTP time 0 would have left, in ms after `#reference`. @type {number[]} */
  #zeros = [];
  #reference = { ms: 0, rtp: 0 };
  /** Since when something has been played that the browser did not date, on the page's clock. @type {number | null} */
  #undatedMs = null;
  /** The browser plays on and on without dating it: words and a drawn mouth will not find their time. */
  unable = false;

  /** Another connection has another constant. @param {number} originMs @param {number} offset RTP time of sample 0 */
  begin(originMs, offset) {
    this.originMs = originMs;
    this.#offset = offset;
    this.#zeros = [];
    this.#undatedMs = null;
    this.unable = false;
  }

  /** Something is played and not dated, at this moment of the page's clock. @param {number} nowMs */
  undated(nowMs) {
    this.#undatedMs ??= nowMs;
    this.unable = !this.known && nowMs - this.#undatedMs >= UNDATED_MS;
  }

  /** Whether the constant is known. */
  get known() {
    return this.#zeros.length > 0;
  }

  /**
   * At one instant: what is played, dated by the server, and its RTP time.
   * @param {number} playedMs as getStats has it (estimatedPlayoutTimestamp): ms since 1900, or since 1970
   * @param {number} rtp
   */
  observe(playedMs, rtp) {
    if (!Number.isFinite(playedMs) || !Number.isFinite(rtp)) return;
    const ms = playedMs > NTP_EPOCH_MS ? playedMs - NTP_EPOCH_MS : playedMs;
    let zero = this.#after(ms, rtp);
    if (!this.known || Math.abs(zero - this.#middle()) > JUMP_MS) {
      this.#reference = { ms, rtp };
      this.#zeros = [];
      zero = 0;
    }
    this.#zeros.push(zero);
    this.#undatedMs = null;
    this.unable = false;
    if (this.#zeros.length > WINDOW) this.#zeros.shift();
  }

  /** The edge's RTP time of the server's, or null until it is known. @param {number} rtp */
  programme(rtp) {
    if (!this.known) return null;
    const sinceMs = this.#reference.ms + this.#middle() - this.originMs;
    return rtpPlus(this.#offset, sinceMs * AUDIO_SAMPLES_PER_MS + rtpAfter(rtp, this.#reference.rtp));
  }

  /** How much later than the reference has it this was dated. @param {number} ms @param {number} rtp */
  #after(ms, rtp) {
    return ms - this.#reference.ms - rtpAfter(rtp, this.#reference.rtp) / AUDIO_SAMPLES_PER_MS;
  }

  #middle() {
    const sorted = [...this.#zeros].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  }
}

/**
 * What a receiver plays just now, as its sender dates it; null while the browser cannot say.
 * @param {RTCRtpReceiver} receiver @returns {Promise<{playedMs: number, atMs: number} | null>}
 *   atMs: of performance.now()
 */
export async function playedNow(receiver) {
  for (const entry of (await receiver.getStats()).values()) {
    if (entry.type === "inbound-rtp" && entry.estimatedPlayoutTimestamp) {
      return { playedMs: entry.estimatedPlayoutTimestamp, atMs: entry.timestamp - performance.timeOrigin };
    }
  }
  return null;
}
