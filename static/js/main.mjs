// @ts-check
/** The call page, wired: elements to modules, modules to each other. What they do is in the modules. */
import { Acknowledgement } from "./acknowledgement.mjs";
import { fetchBackdrops, isAddress } from "./backdrop.mjs";
import { Background } from "./background.mjs";
import { Call } from "./call.mjs";
import { Conversation } from "./conversation.mjs";
import { Cutout, possible } from "./cutout.mjs";
import { byId, make } from "./dom.mjs";
import { Ear } from "./ear.mjs";
import { Face } from "./face.mjs";
import { failure, isFault } from "./failures.mjs";
import { Front } from "./front.mjs";
import { Hush } from "./hush.mjs";
import { listenToKeys } from "./keys.mjs";
import { looksOf, socketAddress, wishOf } from "./link.mjs";
import { Lobby } from "./lobby.mjs";
import { Microphone } from "./microphone.mjs";
import { MicrophoneMemory } from "./microphone_memory.mjs";
import { MicrophoneView } from "./microphone_view.mjs";
import { CLOSED, MouthTrack, TICK_SAMPLES } from "./mouth.mjs";
import { Notices } from "./notices.mjs";
import { OneTab } from "./one_tab.mjs";
import { verdictOf } from "./path_verdict.mjs";
import { untilAnswered } from "./patience.mjs";
import { fetchPersonas, persona as whole } from "./personas.mjs";
import { Pictures } from "./pictures.mjs";
import { Recall } from "./recall.mjs";
import { askToRecord, Recording } from "./recording.mjs";
import { AUDIO_SAMPLES_PER_MS, programmeSample } from "./rtp.mjs";
import { SessionStore, tabStorage } from "./session_store.mjs";
import { Share } from "./share.mjs";
import { Socket } from "./socket.mjs";
import { Meter, Sound } from "./sound.mjs";
import { stateLabel } from "./states.mjs";
import { Steps } from "./steps.mjs";
import { Switcher } from "./switcher.mjs";
import { wireTabs } from "./tabs.mjs";
import { Transcript } from "./transcript.mjs";
import { WaterfallView } from "./waterfall_view.mjs";

/** Captions and acknowledgements go on when the tab is hidden and draws no frames. */
const HIDDEN_TICK_MS = 100;
const KEEP_MS = 5000;

const page = document.documentElement;
const elements = {
  lobby: byId("lobby", HTMLElement),
  call: byId("call", HTMLElement),
  with: byId("with", HTMLElement),
  state: byId("state", HTMLElement),
  unlock: byId("unlock", HTMLButtonElement),
  start: byId("start", HTMLButtonElement),
  mute: byId("mute", HTMLButtonElement),
  mode: byId("mode", HTMLButtonElement),
  interrupt: byId("interrupt", HTMLButtonElement),
  text: byId("text", HTMLInputElement),
  suggestions: byId("suggestions", HTMLElement),
  video: byId("avatar", HTMLVideoElement),
  figure: byId("face", HTMLElement),
  aura: byId("aura", HTMLElement),
};

const sound = new Sound();
const voiceMeter = new Meter(sound);
const microphoneMeter = new Meter(sound);
const ear = new Ear();
const acknowledgement = new Acknowledgement();
const microphone = new Microphone(navigator.mediaDevices);
const memory = new MicrophoneMemory(sound);
const mouthTrack = new MouthTrack();
const hush = new Hush(elements.video, (silent) => {
  // What the sound output already has still sounds: hence without its latency.
  if (silent) acknowledgement.silence(ear.heard(performance.now(), 0));
  else acknowledgement.sound();
  tick();
});
const store = new SessionStore(tabStorage());
const face = new Face({
  figure: elements.figure,
  video: elements.video,
  poster: byId("poster", HTMLImageElement),
  letters: byId("initials", HTMLElement),
});
const looks = looksOf(location.search);
const cutout = new Cutout(elements.video, byId("figure", HTMLCanvasElement), elements.figure);
const background = new Background(elements.figure, (cutOut) => {
  if (cutOut && !possible()) return;
  cutout.want(cutOut);
  conversation.tell({ type: "cutout", cutout: cutOut });
});
const front = new Front({
  figure: elements.figure,
  canvas: () => byId("avatar3d", HTMLCanvasElement),
  button: byId("front", HTMLButtonElement),
  control: byId("front-control", HTMLElement),
  looks,
  face,
  tell: (message) => conversation.tell(message),
  failed: (text) => notices.show({ ...failure("avatar3d"), ...(text ? { text } : {}) }),
});
const pictures = new Pictures(elements.video, (nowMs) => ear.heard(nowMs, sound.outputLatencyMs));
const transcript = new Transcript({
  captions: byId("captions", HTMLElement),
  dialogue: byId("dialogue", HTMLElement),
  panel: byId("dialogue-panel", HTMLElement),
  heard: byId("heard", HTMLElement),
});
const waterfall = new WaterfallView(byId("waterfall", HTMLElement), byId("timing-note", HTMLElement));
const steps = new Steps();
const notices = new Notices(
  {
    box: byId("notice", HTMLElement),
    again: byId("again", HTMLButtonElement),
    dismiss: byId("dismiss", HTMLButtonElement),
  },
  tryAgain,
);
const lobby = new Lobby(wishOf(location.search), {
  microphone,
  sound,
  changed: show,
  notice: (reason) => notices.show(reason),
});

const recording = new Recording(
  {
    sign: byId("recording", HTMLElement),
    consent: byId("consent", HTMLElement),
    button: byId("record", HTMLButtonElement),
    control: byId("record-control", HTMLElement),
  },
  (on) => askToRecord(conversation.session ?? { session: "", token: "" }, on),
  (news) => (news ? notices.show({ ...failure(news.code), text: news.text }) : notices.over("recorded")),
);
const share = new Share({ button: byId("share", HTMLButtonElement), audience: byId("audience", HTMLElement) });
const switcher = new Switcher({
  wish: (wish) => conversation.switchTo(wish),
  still: (still, usual) => conversation.act({ motion: still ? 0 : usual }),
  background: (value) => conversation.act({ background: value }),
});

const oneTab = new OneTab(() => conversation.yield());

const conversation = new Conversation({
  socket: (events) => new Socket(socketAddress(location), events),
  call: (ice, events) => new Call(ice, events),
  microphone,
  recall: new Recall(memory),
  store,
  listener: {
    changed: show,
    session(session, lost) {
      page.dataset.session = session.session;
      share.of(session.share === false ? "" : session.session);
      pictures.clock(session);
      oneTab.claim(session.session);
      mouthTrack.clear();
      hush.begin();
      front.begin();
      standBefore(session);
      recording.begin();
      introduce(whole(session.persona));
      switcher.current(whole(session.persona), session.language ?? "");
      transcript.begin(session.dialogue, lost);
    },
    async media(stream, call) {
      ear.listenTo(call.voice);
      pictures.follow(call.receivers);
      acknowledgement.sound();
      acknowledgement.hurry();
      voiceMeter.follow(stream);
      hush.open();
      elements.unlock.hidden = await face.show(stream);
    },
    unanswered(text) {
      elements.text.value ||= text;
    },
    message: take,
    notice,
  },
});

const microphoneViews = ["lobby-microphone", "call-microphone"].map(
  (id) => new MicrophoneView(byId(id, HTMLElement), microphone, (device) => useMicrophone(device)),
);

/** The connection whose path was described. @type {RTCPeerConnection | null} */
let described = null;

/** @param {import("./failures.mjs").Failure | null} reason */
function notice(reason) {
  if (reason?.code === "switch") switcher.refused();
  notices.show(reason);
}

/** Say how sound and pictures come, once they do. */
async function describePath() {
  const way = conversation.connection;
  if (!way || way === described || !["listening", "speaking"].includes(conversation.state)) return;
  described = way;
  const { kind, text } = await verdictOf(way).catch(() => ({ kind: "unknown", text: "" }));
  page.dataset.path = kind;
  byId("path", HTMLElement).textContent = text;
}

// --- what the edge says --------------------------------------------------------------------------------------------

/** @param {any} message */
function take(message) {
  transcript.take(message);
  if (message.type === "words") hush.words(message.words);
  if (message.type === "sentence" && message.kind === "answer") notices.answered();
  if (message.type === "mouth") mouthTrack.feed(message.frames);
  if (message.type === "latency") waterfall.add(message, transcript.question(message.turn));
  if (message.type === "degraded") degraded(message);
  if (message.type === "background") behind(String(message.background));
  if (message.type === "audience") share.viewers(Number(message.viewers) || 0);
  if (message.type === "recording") recording.take(message);
  if (message.type === "switched") switched(whole(message.persona), message.language);
}

/** A new session stands before what the address asks for; one that goes on, before what it did. @param {any} session */
function standBefore({ resumed, background: known = "" }) {
  const wish = resumed ? "" : looks.background;
  if (wish && !isAddress(wish)) conversation.act({ background: wish });
  background.begin(isAddress(looks.background) ? looks.background : wish || known);
  switcher.background(wish || known);
}

/** @param {string} value */
function behind(value) {
  background.show(isAddress(looks.background) ? looks.background : value);
  switcher.background(value);
}

/** @param {import("./personas.mjs").Persona} persona @param {string} language */
function switched(persona, language) {
  if (persona.id !== switcher.persona?.id) transcript.note(`${persona.name} goes on with you`);
  lobby.goOnWith(persona.id, language);
  introduce(persona);
  switcher.current(persona, language);
  notices.over("switch");
}

/** @param {{step: string, reason?: string, kind?: string}} message */
function degraded(message) {
  const { line, notice, shows, text, over } = steps.take(message);
  const list = byId("degraded", HTMLElement);
  list.prepend(make("li", { step: message.step }, line));
  if (over) notices.over(notice);
  if (shows) notices.show({ ...failure(notice), ...(text ? { text } : {}) });
  while (list.children.length > 5) list.lastElementChild?.remove();
}

// --- what the person does ------------------------------------------------------------------------------------------

function start() {
  if (!globalThis.RTCPeerConnection || !globalThis.WebSocket) return notices.show(failure("no_webrtc"));
  sound.unlock();
  waterfall.clear();
  transcript.clear();
  if (lobby.persona) introduce(lobby.persona);
  conversation.start(lobby.wish);
}

/** @param {import("./session_store.mjs").Saved} saved */
function takeUp(saved) {
  microphone.muted = saved.muted;
  Object.assign(lobby.wish, { persona: saved.persona, mode: saved.mode, language: saved.language });
  conversation.start(lobby.wish, saved);
}

function tryAgain() {
  const saved = store.recall();
  if (conversation.state === "error" && saved) takeUp(saved);
  else if (conversation.state === "error") start();
  else if (conversation.state !== "idle") conversation.setMode("voice");
  else lobby.testMicrophone();
  notices.show(null);
}

function toggleMute() {
  if (conversation.mode === "voice") conversation.mute(!microphone.muted);
}

function interrupt() {
  if (conversation.state === "speaking" || conversation.state === "held") hush.shut();
  conversation.interrupt();
}

/** @param {string} text */
function say(text) {
  if (!text.trim()) return;
  // Typed words cancel what is being said.
  if (conversation.state === "speaking" || conversation.state === "held") hush.shut();
  conversation.say(text);
}

/** @param {string} deviceId */
async function useMicrophone(deviceId) {
  if (conversation.state !== "idle" && conversation.state !== "error") return conversation.useMicrophone(deviceId);
  microphone.deviceId = deviceId;
  await lobby.testMicrophone();
}

microphone.addEventListener("change", () => memory.follow(microphone.stream));
byId("stop", HTMLButtonElement).addEventListener("click", () => conversation.stop());
elements.start.addEventListener("click", start);
elements.mute.addEventListener("click", toggleMute);
elements.interrupt.addEventListener("click", interrupt);
elements.mode.addEventListener("click", () => conversation.setMode(conversation.mode === "voice" ? "text" : "voice"));
for (const touch of ["pointerup", "keydown"]) {
  document.addEventListener(touch, async () => {
    sound.unlock();
    memory.follow(microphone.stream);
    if (!elements.unlock.hidden) elements.unlock.hidden = await face.play();
  });
}
byId("composer", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  say(elements.text.value);
  elements.text.value = "";
});
listenToKeys({ mute: toggleMute, interrupt, front: () => front.toggle() }, inCall);
wireTabs(/** @type {HTMLElement} */ (document.querySelector("[role=tablist]")));
addEventListener("online", () => conversation.nudge());
document.addEventListener("visibilitychange", () => document.hidden || conversation.nudge());
addEventListener("pagehide", () => store.touch());

// --- what the page shows -------------------------------------------------------------------------------------------

function inCall() {
  return !["idle", "error"].includes(conversation.state);
}

function show() {
  const { state, failed, again } = conversation;
  const calling = state !== "idle" && failed?.code !== "persona";
  const mode = calling ? conversation.mode : lobby.wish.mode;
  const fault = !failed || isFault(failed.code);
  Object.assign(page.dataset, { state, mode, fault, view: calling ? "call" : "lobby" });
  if (!calling) {
    page.dataset.session = "";
    share.of("");
    recording.begin();
    recording.of(lobby.persona?.recording ?? "no");
  }
  turnTo(calling);
  const about = { mode, muted: microphone.muted, again, microphone: !!microphone.stream, fault };
  elements.state.textContent = stateLabel(state, about);
  elements.mute.setAttribute("aria-pressed", String(microphone.muted));
  elements.mute.setAttribute("aria-label", microphone.muted ? "Unmute the microphone" : "Mute the microphone");
  elements.mode.setAttribute("aria-pressed", String(mode === "text"));
  elements.mute.disabled = elements.mode.disabled = elements.text.disabled = state === "error";
  elements.interrupt.disabled = state !== "speaking" && state !== "thinking" && state !== "held";
  hush.hold(state === "held");
  describePath();
  if (inCall()) return;
  front.end();
  face.clear();
  ear.listenTo(null);
  pictures.follow(null);
  elements.unlock.hidden = true;
  if (!calling) elements.with.textContent = "";
}

/**
 * Show the lobby or the call. What had the keyboard's focus is gone with the other one: the call takes it as a whole, for
 * a phone would open its keyboard for the text box.
 * @param {boolean} calling
 */
function turnTo(calling) {
  if (elements.call.hidden !== calling) return;
  const { activeElement } = document;
  const leaving = calling ? elements.lobby : elements.call;
  const orphaned = !activeElement || activeElement === document.body || leaving.contains(activeElement);
  elements.lobby.hidden = calling;
  elements.call.hidden = !calling;
  if (orphaned) (calling ? elements.call : elements.start).focus({ preventScroll: true });
}

/** @param {import("./personas.mjs").Persona} persona */
function introduce(persona) {
  face.introduce(persona);
  front.introduce(persona);
  recording.of(persona.recording);
  elements.with.textContent = persona.name;
  elements.suggestions.replaceChildren(...persona.suggestions.map(chip));
}

/** @param {string} text */
function chip(text) {
  const button = make("button", {}, text);
  button.type = "button";
  button.addEventListener("click", () => {
    say(text);
    button.remove();
  });
  return button;
}

// --- time ----------------------------------------------------------------------------------------------------------

/** What is at the speaker now; null while nothing sounds. @type {number | null} */
let heardRtp = null;

function tick() {
  const nowMs = performance.now();
  // Volume is set before the sound output's latency.
  if (hush.isShut) hush.advance(ear.heard(nowMs, 0));
  const rtp = (heardRtp = ear.heard(nowMs, sound.outputLatencyMs));
  if (rtp === null || !inCall()) return;
  transcript.advance(rtp);
  const played = face.audible ? acknowledgement.due(rtp, nowMs) : null;
  if (played) conversation.tell(played);
}

/** In tenths: finer steps are not seen, and each is a drawing of the page more. */
function drawLevels() {
  const nowMs = performance.now();
  microphoneMeter.follow(microphone.stream);
  const mine = microphone.muted ? 0 : microphoneMeter.read(nowMs);
  for (const view of microphoneViews) view.level(mine);
  elements.mute.style.setProperty("--level", mine.toFixed(1));
  const theirs = conversation.state === "speaking" ? voiceMeter.read(nowMs) : 0;
  elements.aura.style.setProperty("--level", theirs.toFixed(1));
}

/** The mouth that belongs to what is heard when the drawing that now begins is done. */
function mouthNow() {
  const { session } = conversation;
  const { newest } = mouthTrack;
  if (heardRtp === null || newest === null || !session || hush.silent) return CLOSED;
  const heard = programmeSample(heardRtp, session.audio_offset, newest);
  // What is not known yet cannot be shown ahead of its time.
  const ahead = Math.min(heard + front.leadMs * AUDIO_SAMPLES_PER_MS, newest + TICK_SAMPLES);
  return mouthTrack.at(Math.max(heard, ahead));
}

function frame() {
  tick();
  front.draw(mouthNow(), performance.now());
  drawLevels();
  requestAnimationFrame(frame);
}

requestAnimationFrame(frame);
setInterval(tick, HIDDEN_TICK_MS);
setInterval(() => inCall() && store.touch(), KEEP_MS);

// --- the beginning -------------------------------------------------------------------------------------------------

async function begin() {
  show();
  const saved = store.recall();
  if (saved) takeUp(saved);
  const personas = await untilAnswered(fetchPersonas, () => inCall() || notices.show(failure("unreachable")));
  lobby.show(personas);
  switcher.show(personas);
  if (!inCall()) notices.over("unreachable");
  if (!lobby.persona && !inCall()) notices.show(failure("persona"));
  switcher.backgrounds(await fetchBackdrops().catch(() => []));
}

begin();
