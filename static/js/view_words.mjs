// @ts-check
/** What the viewer page says in each of its states. Pure. */

/** @type {Record<string, {title: string, text: string, onward?: boolean}>} */
const PAUSES = {
  away: { title: "The host is away", text: "It goes on here as soon as they are back." },
  ended: { title: "This conversation has ended", text: "Thank you for watching.", onward: true },
  absent: {
    title: "Nothing to see here",
    text: "There is no conversation at this address. It may have ended, or the link is incomplete.",
    onward: true,
  },
  closed: { title: "A closed circle", text: "This conversation is shown only to those who were given the key." },
  full: { title: "Every seat is taken", text: "A seat is tried for again and again; please stay." },
  blocked: {
    title: "No way through for sound",
    text: "A firewall or a VPN that blocks UDP is the usual reason. The words still come; it is tried again.",
  },
};

/** What lies over the picture in a state; null: nothing. @param {string} state */
export function pauseOf(state) {
  return Object.hasOwn(PAUSES, state) ? PAUSES[state] : null;
}

/** @param {string} state @param {boolean} again it was live before */
export function chipOf(state, again) {
  const words = {
    connecting: again ? "Reconnecting…" : "Joining…",
    listening: "Listening",
    thinking: "Thinking…",
    speaking: "Speaking",
    held: "Listening",
  };
  return /** @type {Record<string, string>} */ (words)[state] ?? "";
}

/** What a page behind a media server says in a browser that cannot time the words to what it plays. */
export const WITHOUT_WORDS = {
  text: "This browser cannot show captions with a picture from the media server.",
  onward: "Watch with captions",
};

/** @param {number} viewers */
export function viewersText(viewers) {
  return viewers === 1 ? "1 watching" : `${viewers} watching`;
}

/** How long a conversation has lasted. @param {number} seconds */
export function ageText(seconds) {
  if (seconds < 60) return "just begun";
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `for ${minutes} min`;
  return `for ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
