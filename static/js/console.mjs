// @ts-check
/** The operator's console: wires the page to the control API. */

import { showEngines } from "./engine_list.mjs";
import { ApiError, OperatorApi } from "./operator_api.mjs";
import { Pushes } from "./pushes.mjs";
import { RecordingList } from "./recording_list.mjs";
import { records } from "./recording_words.mjs";
import { label, ordered, updated, verdicts } from "./question_list.mjs";

const KEPT = "visavis-operator";
const LOOK_MS = 2000;
const NOTICE_MS = 10_000;

/** @template {HTMLElement} T @param {string} id @returns {T} */
const find = (id) => /** @type {T} */ (document.getElementById(id));

let api = new OperatorApi(sessionStorage.getItem(KEPT) ?? "");
let chosen = "";
/** @type {import("./question_list.mjs").Question[]} */
let questions = [];
let listening = new AbortController();
/** Whether the last look found the server; what an operator is told is not wiped away by the next one that does. */
let seen = false;
let fading = 0;

/** Until it is replaced, or read. @param {string} [text] */
function notice(text = "") {
  find("notice").hidden = !text;
  find("notice-text").textContent = text;
  clearTimeout(fading);
  if (text) fading = setTimeout(notice, NOTICE_MS);
}

/**
 * Do something, and show what is wrong with it; returns whether nothing was.
 * @param {() => Promise<unknown>} deed @param {boolean} [clears] what was wrong before is over once it is done
 */
async function attempt(deed, clears = true) {
  try {
    await deed();
    if (clears) notice();
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === "forbidden") gate();
    else if (error instanceof ApiError && error.code === "unknown") choose("");
    else notice(error instanceof ApiError ? error.message : "The server cannot be reached. Trying again …");
    return false;
  }
}

const recordings = new RecordingList(
  { list: find("recordings"), none: find("unrecorded") },
  { file: (path) => api.file(path), remove: (path) => attempt(() => api.ask("DELETE", path).then(look)) },
);

function gate() {
  find("desk").hidden = true;
  find("gate").hidden = false;
  find("leave").hidden = true;
  if (api.token) notice("This is not the operator's token.");
}

/** @param {string} what @param {object} [body] */
const tell = (what, body) => attempt(() => api.ask("POST", `/sessions/${chosen}/${what}`, body ?? {}));

const pushes = new Pushes(
  { list: find("pushes"), form: find("push"), address: find("push-address") },
  (method, path, body) => api.ask(method, path, body),
  attempt,
);

async function look() {
  seen = await attempt(async () => {
    const { sessions } = await api.ask("GET", "/sessions");
    recordings.show((await api.ask("GET", "/recordings")).recordings);
    showEngines(find("engines"), (await api.ask("GET", "/processes")).processes);
    find("gate").hidden = true;
    find("desk").hidden = false;
    find("leave").hidden = !api.token;
    find("nobody").hidden = sessions.length > 0;
    find("sessions").replaceChildren(...sessions.map(row));
    const mine = sessions.find((/** @type {any} */ each) => each.session === chosen);
    if (mine) {
      show(mine);
      await pushes.look();
    }
    else await choose(sessions[0]?.session ?? "");
  }, !seen);
}

/** @param {any} session */
function row(session) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.session = session.session;
  button.setAttribute("aria-current", String(session.session === chosen));
  const text = document.createElement("span");
  const name = document.createElement("b");
  name.textContent = session.name;
  const since = document.createElement("small");
  since.textContent = `${session.state}, ${minutes(session.age_s)}`;
  text.append(name, since);
  const dot = document.createElement("i");
  dot.className = "dot";
  dot.dataset.state = session.state;
  button.append(picture(session), text, dot);
  button.addEventListener("click", () => choose(session.session));
  item.append(button);
  return item;
}

/** @param {any} session */
function picture(session) {
  const image = document.createElement("img");
  image.alt = "";
  image.src = `/avatars/${session.portrait}/poster.jpg`;
  return image;
}

/** @param {number} seconds */
const minutes = (seconds) => (seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`);

/** @param {any} session */
function show(session) {
  find("name").textContent = session.name;
  find("about").textContent = `${session.language} · ${session.mode} · for ${minutes(session.age_s)}`;
  /** @type {HTMLImageElement} */ (find("poster")).src = `/avatars/${session.portrait}/poster.jpg`;
  state(session.state);
  find("mute").setAttribute("aria-pressed", String(session.mode === "text"));
  recorded(session.recording);
  /** @type {HTMLAnchorElement} */ (find("watch")).href = `/view/${session.session}`;
  mode(session.questions);
}

/** @param {boolean} on */
function recorded(on) {
  find("record").setAttribute("aria-pressed", String(on));
  find("record").textContent = on ? "Stop recording" : "Record";
}

/** @param {string} now */
function state(now) {
  find("state").textContent = now;
  find("state").dataset.state = now;
}

/** @param {string} now */
function mode(now) {
  for (const each of document.querySelectorAll("input[name=questions]")) {
    const input = /** @type {HTMLInputElement} */ (each);
    input.checked = input.value === now;
  }
}

/** @param {string} session */
async function choose(session) {
  listening.abort();
  listening = new AbortController();
  chosen = session;
  pushes.of(session);
  for (const each of document.querySelectorAll("[data-session]")) {
    each.setAttribute("aria-current", String(/** @type {HTMLElement} */ (each).dataset.session === session));
  }
  find("session").hidden = find("audience").hidden = !session;
  if (!session) return;
  const { signal } = listening;
  await attempt(async () => {
    const [known, asked] = await Promise.all([
      api.ask("GET", `/sessions/${session}`),
      api.ask("GET", `/sessions/${session}/questions`),
    ]);
    if (signal.aborted) return;
    show(known);
    find("lines").replaceChildren();
    for (const line of known.dialogue) say(line.role, line.text, line.interrupted);
    questions = asked.questions;
    draw();
  });
  while (!signal.aborted && chosen === session) {
    await api.events(session, hear, signal).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** @param {any} event */
function hear({ kind, data }) {
  if (kind === "state") state(data.state);
  if (kind === "turn" && data.what === "committed") say("user", data.text, false);
  if (kind === "turn" && (data.what === "finished" || data.what === "interrupted")) {
    say("avatar", data.heard, data.what === "interrupted");
  }
  if (kind === "question") {
    mode(data.mode);
    if (data.n) questions = updated(questions, data);
    draw();
  }
  if (kind === "recording") {
    recorded(records(data.state));
    if (data.text) notice(data.text);
  }
  if (kind === "session" && data.state === "closed") look();
}

/** @param {string} role @param {string} text @param {boolean} cut */
function say(role, text, cut) {
  if (!text) return;
  const item = document.createElement("li");
  item.className = `${role}${cut ? " cut" : ""}`;
  item.textContent = text;
  find("lines").append(item);
  item.scrollIntoView({ block: "nearest" });
}

function draw() {
  find("unasked").hidden = questions.length > 0;
  find("questions").replaceChildren(...ordered(questions).map((question) => {
    const item = document.createElement("li");
    const open = verdicts(question.state);
    item.className = ["answered", "dismissed"].includes(question.state) ? "done" : "";
    const head = document.createElement("b");
    const how = document.createElement("em");
    how.textContent = label(question.state);
    head.append(question.name, how);
    const text = document.createElement("span");
    text.textContent = question.text;
    const deeds = document.createElement("div");
    deeds.className = "deeds";
    deeds.append(...open.map((verdict) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "plain";
      button.textContent = verdict === "approve" ? "Ask it" : "Dismiss";
      button.addEventListener("click", () => tell(`questions/${question.n}/${verdict}`));
      return button;
    }));
    item.append(head, text, ...(open.length ? [deeds] : []));
    return item;
  }));
}

/**
 * Takes the words out of their field at once, so that the next can be typed meanwhile; gives back what did not work.
 * @param {(text: string) => Promise<boolean>} deed
 */
async function withWords(deed) {
  const words = /** @type {HTMLInputElement} */ (find("words"));
  const text = words.value;
  words.value = "";
  if (!(await deed(text))) words.value ||= text;
}

find("gate").addEventListener("submit", (event) => {
  event.preventDefault();
  api = new OperatorApi(/** @type {HTMLInputElement} */ (find("token")).value.trim());
  sessionStorage.setItem(KEPT, api.token);
  look();
});
find("leave").addEventListener("click", () => {
  sessionStorage.removeItem(KEPT);
  location.reload();
});
find("say").addEventListener("submit", (event) => {
  event.preventDefault();
  withWords((text) => tell("say", { text }));
});
find("play").addEventListener("click", () => find("recording").click());
find("recording").addEventListener("change", async () => {
  const input = /** @type {HTMLInputElement} */ (find("recording"));
  const [file] = input.files ?? [];
  if (!file) return;
  find("play").toggleAttribute("disabled", true);
  await withWords((text) => {
    const form = new FormData();
    form.set("text", text);
    form.set("audio", file);
    return tell("play", form);
  });
  find("play").toggleAttribute("disabled", false);
  input.value = "";
});
find("mute").addEventListener("click", () => {
  const muted = find("mute").getAttribute("aria-pressed") !== "true";
  find("mute").setAttribute("aria-pressed", String(muted));
  tell("mute", { muted });
});
find("record").addEventListener("click", () => {
  const path = `/sessions/${chosen}/recording`;
  if (find("record").getAttribute("aria-pressed") === "true") attempt(() => api.ask("DELETE", path));
  else attempt(() => api.ask("POST", path, {}));
});
find("end").addEventListener("click", () => {
  if (confirm("End this conversation?")) tell("end");
});
for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => tell(/** @type {HTMLElement} */ (button).dataset.do ?? ""));
}
for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", () => tell("act", JSON.parse(/** @type {HTMLElement} */ (button).dataset.act ?? "{}")));
}
for (const input of document.querySelectorAll("input[name=questions]")) {
  input.addEventListener("change", () => tell("audience", { questions: /** @type {HTMLInputElement} */ (input).value }));
}
look();
setInterval(look, LOOK_MS);
