// @ts-check
/** Which video codecs the page offers, best first: what the edge has anyway, so that nothing is encoded twice. Pure. */

/** What the edge can send, in order of preference; packets sent again (rtx) belong to any of them. */
const PREFERRED = [
  { mimeType: "video/H264", fmtp: /^(?=.*packetization-mode=1)(?=.*profile-level-id=42e0)/i },
  { mimeType: "video/H264", fmtp: /^(?=.*packetization-mode=1)(?=.*profile-level-id=4200)/i },
  { mimeType: "video/VP8", fmtp: /^/ },
  { mimeType: "video/rtx", fmtp: /^/ },
];

/** @typedef {{mimeType: string, clockRate: number, sdpFmtpLine?: string}} Codec */

/**
 * The codecs to offer, in order; empty when none of them is known here (then the browser's own order must do).
 * @template {Codec} C @param {C[]} codecs @returns {C[]}
 */
export function offered(codecs) {
  const order = PREFERRED.flatMap(({ mimeType, fmtp }) =>
    codecs.filter((codec) => codec.mimeType === mimeType && fmtp.test(codec.sdpFmtpLine ?? "")),
  );
  return order.some((codec) => codec.mimeType !== "video/rtx") ? order : [];
}
