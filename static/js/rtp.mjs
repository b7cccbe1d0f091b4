// @ts-check
/** Arithmetic on the 32-bit circle of RTP timestamps. */

/** Samples of the programme's sound in a millisecond: its RTP clock. */
export const AUDIO_SAMPLES_PER_MS = 48;

/**
 * How far `a` lies after `b`; negative when it lies before. Right while the two are less than 2^31 apart (12 hours).
 * @param {number} a @param {number} b
 */
export function rtpAfter(a, b) {
  return (a - b) | 0;
}

/** @param {number} rtp @param {number} samples  may be negative or broken; the sum is a uint32 again */
export function rtpPlus(rtp, samples) {
  return (rtp + Math.round(samples)) >>> 0;
}

/** A picture's 90 kHz against the sound's 48. */
const PICTURE_PER_SOUND = 15 / 8;
/** Both clocks come round at multiples of this many of the picture's ticks, 1.7 hours. */
const COMMON_ROUND = 2 ** 29;

/**
 * How many ms of the programme a picture lies after a sound; negative when before it. The two clocks come round at times
 * of their own, after 13.3 and 24.9 hours; as long as the two are within 50 minutes of each other, that does not matter.
 * @param {number} picture RTP time since programme sample 0, in any of its rounds @param {number} sound likewise
 */
export function pictureAfterMs(picture, sound) {
  const ticks = picture - sound * PICTURE_PER_SOUND;
  return (ticks - COMMON_ROUND * Math.round(ticks / COMMON_ROUND)) / PICTURE_PER_SOUND / AUDIO_SAMPLES_PER_MS;
}

/**
 * The programme sample with this RTP timestamp that lies nearest to `near`: RTP comes round each 24.9 hours.
 * @param {number} rtp @param {number} offset RTP time of sample 0 @param {number} near a programme sample
 */
export function programmeSample(rtp, offset, near) {
  return near + rtpAfter(rtp, rtpPlus(near, offset));
}
