// @ts-check
/** The viewer page's question box: there while questions are taken. */
import { byId } from "./dom.mjs";
import { OperatorApi } from "./operator_api.mjs";
import { wishOfView } from "./view_link.mjs";

const LOOK_MS = 10_000;
const NAME = "visavis-viewer-name";

const wish = wishOfView(location);
const api = new OperatorApi(wish.key);
const form = byId("ask", HTMLFormElement);
const name = byId("ask-name", HTMLInputElement);
const text = byId("ask-text", HTMLInputElement);
const news = byId("ask-news", HTMLElement);
const place = `/sessions/${encodeURIComponent(wish.session)}`;
name.value = localStorage.getItem(NAME) ?? "";

async function look() {
  const taking = await api.ask("GET", `${place}/audience`).catch(() => null);
  const open = Boolean(taking) && taking.questions !== "off";
  form.hidden = !open;
  document.documentElement.toggleAttribute("data-asking", open);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    localStorage.setItem(NAME, name.value);
    const question = await api.ask("POST", `${place}/questions`, { name: name.value, text: text.value });
    text.value = "";
    news.textContent = question.state === "approved" ? "Your question is next in turn." : "Your question is with the host.";
  } catch (error) {
    news.textContent = error instanceof Error ? error.message : String(error);
  }
});
look();
setInterval(look, LOOK_MS);
