// @ts-check
/** Every way a call can fail, as a sentence for the person and what they can do about it. Pure. */

/**
 * @typedef {"again" | "new" | "text" | "none"} Remedy again: offer to try again; new: to begin another conversation;
 *   text: to open the microphone again, without which the call can go on; none: there is nothing to press
 * @typedef {{code: string, title: string, text: string, remedy: Remedy, passing?: boolean}} Failure
 *   passing: it is over when it has been read, or when the next answer comes
 */

/** @type {Record<string, {title: string, text: string, remedy: Remedy}>} */
const FAILURES = {
  mic_missing: {
    title: "No microphone found",
    text: "Plug one in or switch one on, then try again. You can type in the meantime.",
    remedy: "text",
  },
  mic_denied: {
    title: "The microphone is blocked",
    text: "Allow it for this page by the icon beside the address, then try again. You can type in the meantime.",
    remedy: "text",
  },
  mic_busy: {
    title: "The microphone is in use",
    text: "Another program seems to hold it. Close that, then try again. You can type in the meantime.",
    remedy: "text",
  },
  mic_lost: {
    title: "The microphone was unplugged",
    text: "Plug it in again or choose another one. You can type in the meantime.",
    remedy: "text",
  },
  mic_failed: {
    title: "The microphone did not start",
    text: "Your browser could not open it. Try another one, or type instead.",
    remedy: "text",
  },
  mic_insecure: {
    title: "No microphone on this address",
    text: "Browsers give one only to pages opened by https or on this machine (localhost). You can type instead.",
    remedy: "text",
  },
  no_webrtc: {
    title: "This browser cannot make calls",
    text: "It has no WebRTC, or it is switched off. A current Chrome, Edge, Firefox or Safari will do.",
    remedy: "none",
  },
  not_ready: {
    title: "Just a moment",
    text: "The server is still getting ready. The call starts by itself as soon as it is.",
    remedy: "none",
  },
  capacity: {
    title: "Every seat is taken",
    text: "As many people are talking as this server can serve well. Please try again in a minute.",
    remedy: "again",
  },
  recorded: {
    title: "This conversation is being recorded",
    text: "What is said here is kept on this server.",
    remedy: "none",
  },
  recording: {
    title: "It is not recorded",
    text: "The server could not record this conversation.",
    remedy: "none",
  },
  persona: {
    title: "Nobody by that name here",
    text: "The link asks for someone this server does not know. Please choose one of the people below.",
    remedy: "none",
  },
  forbidden: {
    title: "This conversation belongs to someone else",
    text: "It could not be taken up again from here. You can start a new one.",
    remedy: "new",
  },
  insecure: {
    title: "This address is not allowed",
    text: "The server accepts calls only from its own address. Open the one it printed when it started.",
    remedy: "none",
  },
  ice: {
    title: "No way through for sound",
    text:
      "This browser and the server can exchange text, but no sound or pictures. " +
      "A firewall or a VPN that blocks UDP is the usual reason.",
    remedy: "again",
  },
  sdp: {
    title: "No common language for sound",
    text: "The server could not use what this browser offered. A current Chrome, Edge, Firefox or Safari will do.",
    remedy: "again",
  },
  server: {
    title: "The server stumbled",
    text: "Something broke on its side. Please try again.",
    remedy: "again",
  },
  lost: {
    title: "Connection lost",
    text: "Trying to reach the server again. Your conversation is kept for a while.",
    remedy: "none",
  },
  unreachable: {
    title: "The server does not answer",
    text: "It may be restarting, or your network is down. Trying again by itself.",
    remedy: "none",
  },
  elsewhere: {
    title: "The conversation moved",
    text: "It goes on in another window.",
    remedy: "new",
  },
  ended: {
    title: "The conversation has ended",
    text: "The server has closed it.",
    remedy: "new",
  },
  degraded: {
    title: "A little simpler for now",
    text: "The server is busy and takes it easier with the picture or the voice.",
    remedy: "none",
  },
  narrow: {
    title: "A narrow connection",
    text: "The picture is made coarser so that the voice comes through.",
    remedy: "none",
  },
  avatar3d: {
    title: "No 3D face for now",
    text: "It could not be shown. The picture goes on instead.",
    remedy: "none",
  },
  rate: {
    title: "A little slower, please",
    text: "That was too much at once; some of it was not taken.",
    remedy: "none",
  },
  switch: {
    title: "That could not be changed",
    text: "The call goes on as it was.",
    remedy: "none",
  },
  too_large: { title: "That was too long", text: "Please say it in fewer words.", remedy: "none" },
  bad_message: {
    title: "A message was not understood",
    text: "The page and the server may be of different versions. Reload the page if this happens again.",
    remedy: "none",
  },
};

/** Of these the server knows more: which stage it waits for, why nothing could be changed, who ended it. */
const SAID_BY_THE_SERVER = ["not_ready", "switch", "ended"];
/** A call may end so without anything having gone wrong. */
const NO_FAULT = ["elsewhere", "ended"];

/** The codes this page has words for. */
export const FAILURE_CODES = Object.freeze(Object.keys(FAILURES));

/**
 * @param {string} code @param {string} said the server's own sentence, used where it knows more or this page has none
 * @returns {Failure}
 */
export function failure(code, said = "") {
  const known = Object.hasOwn(FAILURES, code) ? FAILURES[code] : null;
  if (known) return { code, ...known, text: (SAID_BY_THE_SERVER.includes(code) && said) || known.text };
  const text = said || "The server reported a problem it gave no words for.";
  return { code, title: "Something went wrong", text, remedy: "again" };
}

/**
 * Something of a call that goes on did not work: there is nothing to press, and the next answer shows that it is over.
 * @param {string} code @param {string} said @returns {Failure}
 */
export function hitch(code, said = "") {
  return { ...failure(code, said), remedy: "none", passing: true };
}

/** Whether a call that ended so ended by somebody's will. @param {string} code */
export function isFault(code) {
  return !NO_FAULT.includes(code);
}

/** The failure behind what getUserMedia threw. @param {unknown} error */
export function microphoneCode(error) {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "mic_denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "mic_missing";
  if (name === "NotReadableError" || name === "AbortError") return "mic_busy";
  return "mic_failed";
}
