// @ts-check
/** The list of live conversations: a card each, kept up while the page is looked at. */
import { byId, make } from "./dom.mjs";
import { initials } from "./personas.mjs";
import { ageText, viewersText } from "./view_words.mjs";

const AGAIN_MS = 3000;

const list = byId("broadcasts", HTMLElement);
const note = byId("note", HTMLElement);

async function refresh() {
  if (document.hidden) return;
  try {
    const response = await fetch("/live/sessions", { cache: "no-store" });
    if (!response.ok) return say((await response.text()).trim());
    const { sessions } = await response.json();
    list.replaceChildren(...sessions.map(card));
    say(sessions.length ? "Choose a conversation to look on." : "Nobody is talking just now. This page keeps looking.");
  } catch {
    say("The server does not answer. Trying again by itself.");
  }
}

/** @param {string} text */
function say(text) {
  if (note.textContent !== text) note.textContent = text;
}

/** @param {{session: string, name: string, poster: string, viewers: number, away: boolean, age_s: number}} row */
function card({ session, name, poster, viewers, away, age_s }) {
  const portrait = make("span", {}, initials(name));
  portrait.className = "portrait";
  if (poster) {
    const picture = make("img");
    picture.src = poster;
    picture.alt = "";
    portrait.append(picture);
  }
  const air = make("span", {}, make("b", {}, away ? "Paused" : "Live"));
  air.className = "onair";
  const about = make("span", {}, make("strong", {}, name), make("span", {}, `${ageText(age_s)} · ${viewersText(viewers)}`));
  about.className = "about";
  const box = make("span", {}, portrait, about);
  box.className = "card";
  const link = make("a", {}, air, box);
  link.href = `/view/${encodeURIComponent(session)}`;
  const item = make("li", {}, link);
  item.className = "persona";
  return item;
}

refresh();
setInterval(refresh, AGAIN_MS);
document.addEventListener("visibilitychange", refresh);
