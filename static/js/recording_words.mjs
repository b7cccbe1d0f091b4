// @ts-check
/** What the pages say about recording. Pure. */

const KEPT = "The avatar's face and voice and the words of both of you are kept; your own voice and picture are not.";

/** Before Start, where every conversation is recorded. */
export const CONSENT = `This conversation will be recorded. ${KEPT} Press Start if that is all right with you.`;

/** While it lasts, for the caller. */
export const NOTICE = KEPT;

/** While it lasts, for those who look on. */
export const VIEWERS_NOTICE = "What is seen and heard here, and the questions that are asked, are kept.";

/** Whether something is recorded in a state. @param {string} state */
export function records(state) {
  return state === "starting" || state === "on";
}

/**
 * What a state is worth saying at the top of the page; null: nothing.
 * @param {{state: string, by: string, text: string}} news @param {boolean} before it was recorded already
 * @returns {{code: "recorded" | "recording", text: string} | null}
 */
export function told({ state, by, text }, before) {
  if (state === "refused" || state === "failed") return { code: "recording", text };
  // Who asked for it knows, and what holds for every conversation was said before Start.
  if (records(state) && !before && by === "operator") return { code: "recorded", text: NOTICE };
  return null;
}
