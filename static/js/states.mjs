// @ts-check
/** The one state the page is in, from what it knows: exclusive, and the same word everywhere. Pure. */

/** @typedef {"idle" | "connecting" | "listening" | "thinking" | "speaking" | "held" | "error"} PageState */

/**
 * @param {{calling: boolean, failed: boolean, session: boolean, media: boolean, edge: string}} known
 *   calling: Start was pressed, Stop was not; failed: the call ended with an error; session: the edge has us;
 *   media: sound can flow; edge: the last state the edge told
 * @returns {PageState}
 */
export function pageState({ calling, failed, session, media, edge }) {
  if (failed) return "error";
  if (!calling) return "idle";
  if (!session || !media) return "connecting";
  if (edge === "thinking" || edge === "speaking" || edge === "held") return edge;
  // `away` means that our acknowledgements are missing: the answer waits for us, as in a hold.
  return edge === "away" ? "held" : "listening";
}

/**
 * What the state is called on the page.
 * @param {PageState} state
 * @param {{mode: string, muted: boolean, again: boolean, microphone: boolean, fault?: boolean}} about again: it is not
 *   the first connection; microphone: there is one, the person having allowed it; fault: it ended by one
 */
export function stateLabel(state, { mode, muted, again, microphone, fault = true }) {
  switch (state) {
    case "idle":
      return "Not in a call";
    case "connecting":
      return again ? "Reconnecting…" : "Connecting…";
    case "listening":
      if (mode === "text") return "Ready when you are";
      if (!microphone) return "Waiting for your microphone";
      return muted ? "Your microphone is muted" : "Listening";
    case "thinking":
      return "Thinking…";
    case "speaking":
      return "Speaking";
    case "held":
      return mode === "text" || !microphone ? "Paused" : "Go on, I’m listening";
    case "error":
      return fault ? "Something went wrong" : "The call is over";
  }
}
