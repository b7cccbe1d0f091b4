// @ts-check
/** Asks the browser which packet of the voice it is playing, and keeps the clock of what is heard. */
import { PlayoutClock } from "./playout.mjs";

export class Ear {
  /** @type {Pick<RTCRtpReceiver, "getSynchronizationSources"> | null} */
  #receiver = null;
  #clock = new PlayoutClock();
  #originMs;

  /** @param {number} originMs the page's time origin: some browsers date packets by it and some from it */
  constructor(originMs = performance.timeOrigin) {
    this.#originMs = originMs;
  }

  /** @param {Pick<RTCRtpReceiver, "getSynchronizationSources"> | null} receiver of the new call's voice */
  listenTo(receiver) {
    this.#receiver = receiver;
    this.#clock.reset();
  }

  /**
   * The RTP time at the speaker, or null while nothing sounds.
   * @param {number} nowMs @param {number} outputLatencyMs from the browser's sound pipeline to the ear
   */
  heard(nowMs, outputLatencyMs) {
    const newest = this.#receiver?.getSynchronizationSources()[0];
    if (newest) {
      const { timestamp, rtpTimestamp } = newest;
      this.#clock.observe(rtpTimestamp, timestamp > this.#originMs ? timestamp - this.#originMs : timestamp);
    }
    this.#clock.latencyMs = outputLatencyMs;
    return this.#clock.heard(nowMs);
  }
}
