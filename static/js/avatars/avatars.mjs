// @ts-check
/** The operator's page for faces: drop a file, read what was found, look at the sheet, name it, done. */
import { byId, make } from "../dom.mjs";
import { MARKS, arranged, choices, shortName, titleOf } from "./report.mjs";
import { Workshop } from "./workshop.mjs";

/** @typedef {import("./report.mjs").Answer} Answer */

const workshop = new Workshop();
const element = (/** @type {string} */ id) => byId(id, HTMLElement);
const input = (/** @type {string} */ id) => byId(id, HTMLInputElement);
const picture = (/** @type {string} */ id) => byId(id, HTMLImageElement);

/** @type {File | null} */
let file = null;
let face = 0;
/** Only the answer to the newest question counts. */
let asked = 0;

async function open() {
  const avatars = await workshop.avatars().catch(() => []);
  element("door").hidden = avatars !== null;
  element("maker").hidden = element("known").hidden = avatars === null;
  if (avatars === null) return input("token").focus();
  element("avatars").replaceChildren(...avatars.map(tile));
}

/** @param {{name: string, kinds: string[], personas: string[]}} avatar */
function tile({ name, kinds, personas }) {
  const image = make("img");
  image.alt = "";
  image.src = `/avatars/${encodeURIComponent(name)}/poster.jpg`;
  image.addEventListener("error", () => image.remove());
  const box = make("div", {}, name[0].toUpperCase(), image);
  box.className = "tile";
  const worn = personas.length ? `worn by ${personas.join(", ")}` : "worn by nobody";
  return make("li", {}, box, make("div", {}, make("strong", {}, name), make("span", {}, kinds.join(" + ")), make("span", {}, worn)));
}

/** @param {File} chosen */
function take(chosen) {
  file = chosen;
  const image = picture("given");
  URL.revokeObjectURL(image.src);
  image.hidden = !chosen.type.startsWith("image/");
  if (!image.hidden) image.src = URL.createObjectURL(chosen);
  image.onerror = () => (image.hidden = true);
  element("ask").textContent = chosen.name;
  input("title").value = titleOf(chosen.name);
  input("name").value = shortName(input("title").value);
  input("consent").checked = input("replace").checked = false;
  element("replacing").hidden = element("done").hidden = true;
  void look(0);
}

/** @param {number} which */
async function look(which) {
  if (!file) return;
  face = which;
  const mine = ++asked;
  show({ usable: false, findings: [] });
  element("hint").hidden = true;
  element("working").hidden = false;
  const answer = await workshop.check(file, which);
  if (mine !== asked) return;
  element("working").hidden = true;
  show(answer);
}

/** @param {Answer} answer */
function show(answer) {
  const { shown, details } = arranged(answer);
  const items = shown.map(({ level, text }) => make("li", { level, mark: MARKS[level] }, make("span", {}, text)));
  if (details.length) {
    const more = make("details", {}, make("summary", {}, "How each sound is made"));
    more.append(...details.map((line) => make("p", {}, line)));
    items.push(make("li", { level: "note", mark: MARKS.note }, more));
  }
  element("findings").replaceChildren(...items);
  const which = element("which");
  const buttons = Array.from({ length: choices(answer) }, (_, n) => faceButton(n + 1, choices(answer)));
  which.replaceChildren(...buttons);
  which.hidden = !buttons.length;
  element("sheet").hidden = !answer.preview;
  if (answer.preview) picture("preview").src = answer.preview;
  element("naming").hidden = !answer.usable;
}

/** @param {number} n @param {number} of */
function faceButton(n, of) {
  const button = make("button", {}, n === 1 ? "Leftmost face" : n === of ? "Rightmost face" : `Face ${n} from the left`);
  button.type = "button";
  button.className = "plain";
  button.addEventListener("click", () => void look(n));
  return button;
}

async function add() {
  if (!file) return;
  const button = byId("add", HTMLButtonElement);
  const wishes = { title: input("title").value, face: String(face), consent: input("consent").checked ? "yes" : "", replace: input("replace").checked ? "yes" : "" };
  button.disabled = true;
  button.textContent = "Adding …";
  const answer = await workshop.add(file, input("name").value, wishes);
  button.disabled = false;
  button.textContent = "Add this face";
  if (answer.error) {
    element("replacing").hidden = answer.code !== "exists";
    return tell(answer.code === "exists" ? "There is a face of this name already. Choose another name, or tick the box to replace it." : answer.error);
  }
  if (!answer.usable) return show(answer);
  element("notice").hidden = true;
  element("naming").hidden = true;
  const done = element("done");
  /** @type {HTMLElement} */ (done.querySelector("strong")).textContent = `${input("title").value || answer.name} can be called now.`;
  /** @type {HTMLAnchorElement} */ (done.querySelector("a")).href = `/?persona=${encodeURIComponent(answer.persona || answer.name || "")}`;
  done.hidden = false;
  done.scrollIntoView({ block: "center" });
  void open();
}

/** @param {string} text */
function tell(text) {
  element("notice-text").textContent = text;
  element("notice").hidden = false;
  element("notice").scrollIntoView({ block: "nearest" });
}

element("door").addEventListener("submit", (event) => {
  event.preventDefault();
  workshop.token = input("token").value;
  void open().then(() => {
    if (!element("door").hidden) tell("This is not the operator's token.");
    else element("notice").hidden = true;
  });
});
element("naming").addEventListener("submit", (event) => {
  event.preventDefault();
  void add();
});
element("dismiss").addEventListener("click", () => (element("notice").hidden = true));
input("title").addEventListener("input", () => (input("name").value = shortName(input("title").value)));
input("file").addEventListener("change", () => {
  const chosen = input("file").files?.[0];
  if (chosen) take(chosen);
});
const drop = element("drop");
for (const kind of ["dragover", "dragenter"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const dropped = kind === "drop" ? /** @type {DragEvent} */ (event).dataTransfer?.files[0] : null;
    if (dropped && !element("maker").hidden) take(dropped);
  });
}
void open();
