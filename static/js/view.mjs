// @ts-check
/** The viewer page, wired: elements to modules, modules to each other. What they do is in the modules. */
import { Background } from "./background.mjs";
import { byId } from "./dom.mjs";
import { Ear } from "./ear.mjs";
import { begun, seating } from "./early.mjs";
import { EventLine } from "./event_line.mjs";
import { Face } from "./face.mjs";
import { JanusPlayer } from "./janus.mjs";
import { MouthTrack } from "./mouth.mjs";
import { verdictOf } from "./path_verdict.mjs";
import { persona as whole } from "./personas.mjs";
import { Pictures } from "./pictures.mjs";
import { playedNow, RelayedClock } from "./relayed_clock.mjs";
import { rtpAfter, rtpPlus } from "./rtp.mjs";
import { Meter, Sound } from "./sound.mjs";
import { VIEWERS_NOTICE } from "./recording_words.mjs";
import { eventsOf, fromTheEdge, whepOf, wishOfView, withPictures } from "./view_link.mjs";
import { WITHOUT_WORDS, chipOf, pauseOf, viewersText } from "./view_words.mjs";
import { ViewerWords } from "./viewer_words.mjs";
import { Viewing } from "./viewing.mjs";
import { Whep } from "./whep.mjs";

/** Captions go on when the tab is hidden and draws no frames. */
const HIDDEN_TICK_MS = 100;
/** How often the browser is asked how a media server dates what it plays. */
const ASK_MS = 250;

const page = document.documentElement;
const video = byId("avatar", HTMLVideoElement);
const figure = byId("face", HTMLElement);
const aura = byId("aura", HTMLElement);
const elements = {
  with: byId("with", HTMLElement),
  onair: byId("onair", HTMLElement),
  viewers: byId("viewers", HTMLElement),
  recording: byId("recording", HTMLElement),
  state: byId("state", HTMLElement),
  unlock: byId("unlock", HTMLButtonElement),
  sound: byId("sound", HTMLButtonElement),
  whole: byId("whole", HTMLButtonElement),
  pause: byId("pause", HTMLElement),
  onward: byId("onward", HTMLAnchorElement),
  wordless: byId("wordless", HTMLElement),
};

const wish = wishOfView(location);
const sound = new Sound();
const meter = new Meter(sound);
const ear = new Ear();
const relayed = new RelayedClock();
const mouth = new MouthTrack();
const pictures = new Pictures(video, (nowMs) => ear.heard(nowMs, sound.outputLatencyMs));
const face = new Face({ figure, video, poster: byId("poster", HTMLImageElement), letters: byId("initials", HTMLElement) });
const background = new Background(figure);
const words = new ViewerWords({ captions: byId("captions", HTMLElement), asked: byId("asked", HTMLElement) });

/** What draws the face here; null: pictures are shown, or it is not there yet. @type {import("./seat.mjs").Seat | null} */
let seat = null;
let audioOffset = 0;
/** The browser plays no sound before the person has touched the page. */
let held = false;
/** The voice, when it comes from a media server. @type {RTCRtpReceiver | null} */
let relayedVoice = null;
/** What was begun before this module is taken over. */
let first = true;
/** What is played as HLS, and the events that go with it. @type {import("./hls_source.mjs").HlsSource | null} */
let hls = null;
/** @type {import("./late_events.mjs").LateEvents | null} */
let late = null;

/**
 * Begin, with or without pictures.
 * @param {boolean} drawn the page draws the face itself @param {string} via hls, janus, edge, or as the settings have it
 */
async function look(drawn, via) {
  const byHls = via === "hls" ? await hlsModules() : null;
  const early = first ? begun : null;
  first = false;
  const viewing = new Viewing({
    line: (events) => {
      late = byHls && new byHls.LateEvents(events);
      return early?.line(events) ?? new EventLine(eventsOf(wish, location, { drawn, via }), wish.key, late?.line ?? events);
    },
    source: ({ ice, janus, audio_offset }, events) => {
      if (byHls) {
        hls = new byHls.HlsSource({ url: `${location.origin}/hls/${encodeURIComponent(wish.session)}/index.m3u8`, token: wish.key, video }, events);
        return hls;
      }
      if (janus) {
        relayed.begin(janus.origin_ms, audio_offset);
        return new JanusPlayer({ place: janus, ice }, events);
      }
      return early?.source(events) ?? new Whep({ url: whepOf(wish, location), token: wish.key, ice, pictures: !drawn }, events);
    },
    listener: {
      changed: () => show(viewing),
      session(session) {
        audioOffset = session.audio_offset;
        pictures.clock(session);
        introduce(session.persona);
        background.begin(session.background ?? "");
        words.begin();
        recorded(session.recorded === true);
        import("./asking.mjs").catch(() => {}); // after what is heard and seen; without it nobody asks here
      },
      media: play,
      pathless() {
        if (via === "hls") return false;
        explainHls(viewing.connection).finally(() => {
          viewing.leave();
          look(drawn, "hls");
        });
        return true;
      },
      message(message) {
        words.take(message);
        if (message.type === "recorded") recorded(message.on === true);
        if (message.type === "switched" && message.persona) introduce(message.persona);
        if (message.type === "clock") relayed.originMs = message.origin_ms;
        if (message.type === "background") background.show(String(message.background));
        if (message.type === "mouth" && Array.isArray(message.frames)) mouth.feed(message.frames);
      },
    },
  });
  now = viewing;
  viewing.start();
}

/** Loaded where it is played so. */
async function hlsModules() {
  const [{ HlsSource }, { LateEvents }] = await Promise.all([import("./hls_source.mjs"), import("./late_events.mjs")]);
  return { HlsSource, LateEvents };
}

/** What is looked at. @type {Viewing | undefined} */
let now;
addEventListener("online", () => now?.nudge());
document.addEventListener("visibilitychange", () => document.hidden || now?.nudge());
addEventListener("pagehide", () => now?.leave());
addEventListener("pageshow", (event) => event.persisted && location.reload());

/** @param {any} card */
function introduce(card) {
  const persona = whole(card);
  elements.with.textContent = persona.name;
  document.title = `${persona.name} – Visavis`;
  face.introduce(persona);
  if (wish.front === "3d") draw(persona);
}

/** Without a head the same page shows the pictures. @param {import("./personas.mjs").Persona} persona */
async function draw(persona) {
  seat = persona.model ? await seating.catch(() => null) : null;
  if (!seat) return location.replace(withPictures(location));
  seat.sit(persona);
}

/** In this browser what comes from a media server has no time: a picture has all but its words. */
function sayWordless() {
  /** @type {HTMLElement} */ (elements.wordless.querySelector("span")).textContent = WITHOUT_WORDS.text;
  const onward = /** @type {HTMLAnchorElement} */ (elements.wordless.querySelector("a"));
  onward.textContent = WITHOUT_WORDS.onward;
  onward.href = fromTheEdge(location);
}

/** A drawn mouth would stand still. */
function drawFromTheEdge() {
  relayedVoice = null;
  now?.leave();
  look(true, "edge");
}

/** @param {MediaStream | null} stream @param {import("./viewing.mjs").Source} source */
async function play(stream, source) {
  const live = source === hls ? null : /** @type {Whep | JanusPlayer} */ (source);
  ear.listenTo(live?.voice ?? null);
  relayedVoice = source instanceof JanusPlayer ? source.voice : null;
  pictures.follow(live?.receivers ?? null);
  meter.follow(stream);
  const loud = await face.show(stream);
  if (!loud) {
    // Pictures may move before a click; sound may not.
    held = video.muted = true;
    face.play();
  }
  heard();
  if (now) show(now);
}

/** @param {boolean} on */
function recorded(on) {
  elements.recording.hidden = !on;
  elements.recording.title = VIEWERS_NOTICE;
  /** @type {HTMLElement} */ (elements.recording.querySelector("span")).textContent = VIEWERS_NOTICE;
}

function heard() {
  elements.unlock.hidden = !held;
  elements.sound.setAttribute("aria-pressed", String(!video.muted));
  elements.sound.setAttribute("aria-label", video.muted ? "Sound on" : "Sound off");
}

/** @param {boolean} silent */
function mute(silent) {
  sound.unlock();
  held = false;
  video.muted = silent;
  face.play();
  elements.sound.hidden = false;
  heard();
}

/** @param {Viewing} viewing */
function show(viewing) {
  const { state, viewers, again } = viewing;
  page.dataset.state = state;
  const over = state === "ended" || state === "absent" || state === "closed";
  elements.state.textContent = chipOf(state, again);
  elements.state.hidden = !elements.state.textContent;
  elements.onair.hidden = over || (!again && state === "connecting");
  /** @type {HTMLElement} */ (elements.onair.querySelector("b")).textContent = state === "away" ? "Paused" : "Live";
  elements.viewers.textContent = viewers > 0 ? viewersText(viewers) : "";
  const pause = pauseOf(state);
  elements.pause.hidden = !pause;
  elements.onward.hidden = !pause?.onward;
  if (pause) {
    /** @type {HTMLElement} */ (elements.pause.querySelector("h1")).textContent = pause.title;
    /** @type {HTMLElement} */ (elements.pause.querySelector("p")).textContent = pause.text;
  }
  describePath(viewing);
  const watching = again && !over;
  elements.sound.hidden = !watching || held;
  elements.whole.hidden = !watching || !document.fullscreenEnabled;
  if (over) {
    face.clear();
    ear.listenTo(null);
    pictures.follow(null);
    words.begin();
    recorded(false);
    elements.unlock.hidden = true;
  }
}

/** The connection whose path was described last. @type {RTCPeerConnection | null} */
let way = null;

/** Why it is played as HLS, where that was not wanted. */
let whyHls = "";

/** @param {RTCPeerConnection | null} connection the one that found no way, while it can still be asked */
async function explainHls(connection) {
  if (connection) whyHls = (await verdictOf(connection, true).catch(() => ({ text: "" }))).text;
}

/** @param {Viewing} viewing */
async function describePath({ connection, state }) {
  if (hls) {
    page.dataset.path = "hls";
    elements.onair.title = `Played some seconds behind (HLS). ${whyHls}`.trim();
  }
  const settled = ["listening", "speaking", "thinking", "held", "blocked"].includes(state);
  if (!connection || connection === way || !settled) return;
  way = connection;
  const { kind, text } = await verdictOf(connection).catch(() => ({ kind: "unknown", text: "" }));
  page.dataset.path = kind;
  elements.onair.title = text;
  if (kind === "blocked") /** @type {HTMLElement} */ (elements.pause.querySelector("p")).textContent = text;
}

// --- what the person does ------------------------------------------------------------------------------------------

function wholeScreen() {
  const picture = /** @type {HTMLElement} */ (figure.querySelector(".picture"));
  if (document.fullscreenElement) document.exitFullscreen();
  else picture.requestFullscreen().catch(() => {});
}

elements.unlock.addEventListener("click", () => mute(false));
elements.sound.addEventListener("click", () => mute(!video.muted));
elements.whole.addEventListener("click", wholeScreen);
document.addEventListener("keydown", ({ key, ctrlKey, metaKey, altKey }) => {
  if (ctrlKey || metaKey || altKey) return;
  if (key === "m" || key === "M") mute(!video.muted);
  else if ((key === "f" || key === "F") && !elements.whole.hidden) wholeScreen();
});
document.addEventListener("pointerup", () => sound.unlock());

// --- time ----------------------------------------------------------------------------------------------------------

/** The RTP time at the speaker. @param {number} nowMs */
function heardAt(nowMs) {
  if (!hls) {
    const played = ear.heard(nowMs, sound.outputLatencyMs);
    return played !== null && relayedVoice ? relayed.programme(played) : played;
  }
  const sample = hls.sample;
  return sample === null ? null : rtpPlus(audioOffset, sample);
}

function tick() {
  const nowMs = performance.now();
  const rtp = heardAt(nowMs);
  if (hls?.over) late?.flush();
  if (rtp === null) return;
  late?.advance(rtp);
  words.advance(rtp);
  // Since the beginning, in samples: the RTP circle is longer than a day.
  seat?.show(mouth.at(rtpAfter(rtp, audioOffset) >>> 0), nowMs);
}

async function learn() {
  const voice = relayedVoice;
  const played = voice && (await playedNow(voice));
  if (voice && voice === relayedVoice) {
    const rtp = ear.heard(played?.atMs ?? performance.now(), sound.outputLatencyMs); // what is dated is at the speaker
    if (played && rtp !== null) relayed.observe(played.playedMs, rtp);
    else if (rtp !== null) relayed.undated(performance.now());
  }
  const wordless = relayedVoice !== null && relayed.unable;
  if (wordless && wish.front === "3d") return drawFromTheEdge();
  if (wordless && elements.wordless.hidden) sayWordless();
  elements.wordless.hidden = !wordless;
}

function frame() {
  tick();
  aura.style.setProperty("--level", page.dataset.state === "speaking" ? meter.read(performance.now()).toFixed(1) : "0");
  requestAnimationFrame(frame);
}

requestAnimationFrame(frame);
setInterval(tick, HIDDEN_TICK_MS);
setInterval(learn, ASK_MS);
look(wish.front === "3d", wish.via);
