// @ts-check
/** Sound and picture of one connection, taken apart: the page itself keeps them together then (pictures.mjs). */

/** Whether this browser lets a page say how long sound and picture wait. */
export function keepsTogether() {
  return (
    "requestVideoFrameCallback" in HTMLVideoElement.prototype &&
    "RTCRtpReceiver" in globalThis &&
    "jitterBufferTarget" in RTCRtpReceiver.prototype
  );
}

/**
 * The answer with its pictures in a stream of their own, so that the browser does not hold the sound back for them. Pure.
 * @param {string} sdp
 */
export function apart(sdp) {
  let inVideo = false;
  return sdp
    .split("\r\n")
    .map((line) => {
      if (line.startsWith("m=")) inVideo = line.startsWith("m=video");
      return inVideo ? line.replace(/^a=msid:(\S+) /, "a=msid:$1-picture ") : line;
    })
    .join("\r\n");
}
