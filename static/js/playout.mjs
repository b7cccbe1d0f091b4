// @ts-check
/**
 * Which RTP timestamp is at the speaker now. The browser says when it last handed a packet to the sound output; between
 * two packets the audio clock goes on, and the sound card still adds its own delay. Pure: time is an argument.
 */
import { AUDIO_SAMPLES_PER_MS, rtpAfter, rtpPlus } from "./rtp.mjs";

/** One Opus packet of the programme. */
const PACKET_MS = 20;
/** Without a new packet for this long nothing of the programme is sounding any more. */
const SILENT_AFTER_MS = 300;
/** Deliveries come in 10 ms steps, so single ones are early or late by that; the middle one of these is not. */
const WINDOW = 9;
/** A step this large is a gap or a jump of the programme, not jitter: what was learnt before is void. */
const JUMP_MS = 60;

export class PlayoutClock {
  /** From the browser's sound pipeline to the ear, where the browser tells it. */
  latencyMs = 0;
  /** @type {{rtp: number, atMs: number} | null} */
  #newest = null;
  /** The first packet, until it has reached the ear: before that, nothing has. @type {number | null} */
  #first = null;
  /** Lead of RTP time over page time for each recent packet, in ms, relative to `#reference`. @type {number[]} */
  #leads = [];
  /** @type {{rtp: number, atMs: number}} */
  #reference = { rtp: 0, atMs: 0 };

  /**
   * A packet was handed to the output. Saying the same packet twice is harmless.
   * @param {number} rtp @param {number} atMs page time (performance.now)
   */
  observe(rtp, atMs) {
    if (!Number.isFinite(rtp) || !Number.isFinite(atMs)) return;
    if (this.#newest && this.#newest.rtp === rtp && this.#newest.atMs === atMs) return;
    if (!this.#newest) this.#first = rtp;
    const lead = this.#newest ? this.#lead(rtp, atMs) : 0;
    if (!this.#newest || Math.abs(lead - this.#middle()) > JUMP_MS) {
      this.#reference = { rtp, atMs };
      this.#leads = [0];
    } else {
      this.#leads.push(lead);
      if (this.#leads.length > WINDOW) this.#leads.shift();
    }
    this.#newest = { rtp, atMs };
  }

  /**
   * The RTP timestamp at the speaker at `nowMs`, or null when the programme is not sounding.
   * @param {number} nowMs @returns {number | null}
   */
  heard(nowMs) {
    if (!this.#newest || nowMs - this.#newest.atMs > SILENT_AFTER_MS) return null;
    const elapsedMs = nowMs - this.#reference.atMs + this.#middle();
    const rtp = rtpPlus(this.#reference.rtp, elapsedMs * AUDIO_SAMPLES_PER_MS);
    const end = rtpPlus(this.#newest.rtp, PACKET_MS * AUDIO_SAMPLES_PER_MS);
    const reached = rtpAfter(rtp, end) > 0 ? end : rtp;
    const heard = rtpPlus(reached, -this.latencyMs * AUDIO_SAMPLES_PER_MS);
    if (this.#first !== null && rtpAfter(heard, this.#first) < 0) return null;
    this.#first = null;
    return heard;
  }

  /** A new call has a new RTP clock. */
  reset() {
    this.#newest = null;
    this.#leads = [];
  }

  /** @param {number} rtp @param {number} atMs */
  #lead(rtp, atMs) {
    return rtpAfter(rtp, this.#reference.rtp) / AUDIO_SAMPLES_PER_MS - (atMs - this.#reference.atMs);
  }

  #middle() {
    const sorted = [...this.#leads].sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
  }
}
