// @ts-check
/** What of the server's steps down and up is shown: each as a line, and as a notice if nobody would notice it. Pure. */

/** Hardly seen, or spoken anyway: the line is enough. */
const PLAIN = new Set(["half_rate", "one_moment", "apology"]);
/** These happen once; no `full` takes them back. */
const PASSING = new Set(["replaced", "missing", "store"]);

/** @typedef {{line: string, notice: "narrow" | "degraded", shows: boolean, text: string, over: boolean}} Shown */

export class Steps {
  /** @type {Map<string, string>} what works less well now: by stage, its step */
  #down = new Map();

  /**
   * @param {{step: string, reason?: string, kind?: string}} message
   * @returns {Shown} `shows`: as a notice, with `text` (empty: its usual one); `over`: the notice has passed
   */
  take({ step, reason = "", kind = "" }) {
    const notice = kind === "network" ? "narrow" : "degraded";
    if (step === "full") this.#down.delete(kind);
    else if (!PASSING.has(step)) this.#down.set(kind, step);
    const others = [...this.#down.keys()].some((each) => (each === "network") === (kind === "network"));
    const shows = step !== "full" && !PLAIN.has(step);
    return { line: reason || step, notice, shows, text: sentence(reason), over: step === "full" && !others };
  }
}

/** @param {string} reason a clause */
function sentence(reason) {
  return reason && `${reason[0].toUpperCase()}${reason.slice(1)}${/[.!?]$/.test(reason) ? "" : "."}`;
}
