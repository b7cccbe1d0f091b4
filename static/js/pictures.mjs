// @ts-check
/** Watches the pictures of a call as they are shown, and has them shown with their sound. */
import { LipSync } from "./lip_sync.mjs";
import { pictureAfterMs, rtpAfter } from "./rtp.mjs";

export class Pictures {
  #video;
  #heard;
  #sync = new LipSync();
  /** @type {{sound: RTCRtpReceiver, picture: RTCRtpReceiver} | null} */
  #receivers = null;
  #offsets = { audio: 0, video: 0 };

  /**
   * @param {HTMLVideoElement} video
   * @param {(nowMs: number) => number | null} heard the RTP time at the speaker
   */
  constructor(video, heard) {
    this.#video = video;
    this.#heard = heard;
    if ("requestVideoFrameCallback" in video) this.#next();
  }

  /** @param {{audio_offset: number, video_offset: number}} session RTP time of programme sample 0 */
  clock({ audio_offset, video_offset }) {
    this.#offsets = { audio: audio_offset, video: video_offset };
  }

  /** @param {{sound: RTCRtpReceiver, picture: RTCRtpReceiver} | null} receivers of the call, when they came apart */
  follow(receivers) {
    this.#receivers = receivers;
    this.#sync.reset();
  }

  #next() {
    this.#video.requestVideoFrameCallback((nowMs, frame) => {
      this.#shown(nowMs, frame);
      this.#next();
    });
  }

  /** @param {number} nowMs @param {VideoFrameCallbackMetadata} frame */
  #shown(nowMs, { rtpTimestamp, expectedDisplayTime }) {
    const heard = this.#receivers && rtpTimestamp !== undefined ? this.#heard(nowMs) : null;
    if (heard === null || !this.#receivers) return;
    const aheadMs = pictureAfterMs(
      rtpAfter(rtpTimestamp, this.#offsets.video) >>> 0,
      rtpAfter(heard, this.#offsets.audio) >>> 0,
    );
    this.#sync.observe(expectedDisplayTime - nowMs - aheadMs);
    if (!this.#sync.adjust(nowMs)) return;
    this.#receivers.picture.jitterBufferTarget = this.#sync.pictureMs;
    this.#receivers.sound.jitterBufferTarget = this.#sync.soundMs;
  }
}
