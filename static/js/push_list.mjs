// @ts-check
/** Where else a conversation is live: the media servers it is pushed to, and how that goes. Pure but for `pushItem`. */

/** @typedef {{id: string, url: string, state: string, reason: string}} Push as the API has it */

/** @param {Push} push */
export function pushText({ url, state, reason }) {
  const place = url.replace(/^(janus\+)?\w+:\/\//, "");
  const kind = url.startsWith("janus+") ? "Janus" : url.startsWith("rtmp") ? "RTMP" : "WHIP";
  return `${kind} at ${place}: ${state}${reason && state !== "live" ? `. ${reason}` : ""}`;
}

/** @param {Push} push */
export function pushItem(push) {
  const item = document.createElement("li");
  item.dataset.state = push.state;
  item.textContent = pushText(push);
  return item;
}
