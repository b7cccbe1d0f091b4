// @ts-check
/** The questions of a session as the console shows them: newest news in place, what waits for the host first. */

/** @typedef {{n: number, name: string, text: string, state: string}} Question */

const LABELS = {
  waiting: "waits for you",
  approved: "is next in turn",
  read_out: "is being read out",
  asked: "is being answered",
  answered: "answered",
  dismissed: "dismissed",
};
const ORDER = ["read_out", "asked", "waiting", "approved", "answered", "dismissed"];

/** @param {Question[]} questions @param {Question} news @returns {Question[]} */
export function updated(questions, news) {
  const known = questions.some((each) => each.n === news.n);
  return known ? questions.map((each) => (each.n === news.n ? news : each)) : [...questions, news];
}

/** @param {Question[]} questions @returns {Question[]} */
export function ordered(questions) {
  return [...questions].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.n - b.n);
}

/** @param {string} state */
export function label(state) {
  return LABELS[/** @type {keyof typeof LABELS} */ (state)] ?? state;
}

/** Whether the host may still decide. @param {string} state @returns {string[]} */
export function verdicts(state) {
  if (state === "waiting") return ["approve", "dismiss"];
  return state === "approved" ? ["dismiss"] : [];
}
