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

/**
 * The programme sample with this RTP timestamp that lies nearest to `near`: RTP comes round each 24.9 hours.
 * @param {number} rtp @param {number} offset RTP time of sample 0 @param {number} near a programme sample
 */
export function programmeSample(rtp, offset, near) {
  return near + rtpAfter(rtp, rtpPlus(near, offset));
}
