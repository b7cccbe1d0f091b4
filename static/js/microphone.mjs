// @ts-check
/** The person's microphone: asking for it, choosing one, muting it. It fails by the codes of failures.mjs. */
import { microphoneCode } from "./failures.mjs";

/** Echo is the browser's to cancel, for only it knows what it plays; noise is suppressed in the edge. */
const WANTED = Object.freeze({
  echoCancellation: true,
  noiseSuppression: false,
  autoGainControl: true,
  channelCount: 1,
});

export class MicrophoneError extends Error {
  /** @param {string} code @param {unknown} [cause] */
  constructor(code, cause) {
    super(code, { cause });
    this.name = "MicrophoneError";
    this.code = code;
  }
}

export class Microphone extends EventTarget {
  /** @type {MediaStream | null} */
  stream = null;
  muted = false;
  /** The chosen device; empty: the system's. */
  deviceId = "";
  #devices;
  /** The device that was chosen when the stream was opened. */
  #openedAs = "";
  /** Counts openings, so that a slow permission prompt cannot undo a later choice. */
  #opening = 0;

  /** @param {MediaDevices | undefined} devices absent on pages that are not secure */
  constructor(devices) {
    super();
    this.#devices = devices;
    devices?.addEventListener("devicechange", () => this.#changed());
  }

  /** @returns {MediaStreamTrack | null} */
  get track() {
    return this.stream?.getAudioTracks()[0] ?? null;
  }

  /**
   * Opens the chosen device, or the system's when that is gone. One that is open already stays so.
   * @returns {Promise<MediaStreamTrack | null>} null when it was closed or opened anew meanwhile
   * @throws {MicrophoneError}
   */
  async open() {
    if (!this.#devices?.getUserMedia) throw new MicrophoneError("mic_insecure");
    if (this.track?.readyState === "live" && this.#openedAs === this.deviceId) {
      this.#opening++;
      this.track.enabled = !this.muted;
      return this.track;
    }
    const mine = ++this.#opening;
    const stream = await this.#request(this.#devices);
    if (mine !== this.#opening) {
      stop(stream);
      return null;
    }
    stop(this.stream);
    this.stream = stream;
    this.#openedAs = this.deviceId;
    const track = this.track;
    if (!track) throw new MicrophoneError("mic_missing");
    track.enabled = !this.muted;
    track.onended = () => {
      if (this.stream !== stream) return;
      this.stream = null;
      this.dispatchEvent(new Event("lost"));
    };
    this.#changed();
    return track;
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    if (this.track) this.track.enabled = !muted;
    this.#changed();
  }

  close() {
    this.#opening++;
    stop(this.stream);
    this.stream = null;
    this.#changed();
  }

  /**
   * Known microphones; until one was allowed, browsers keep their names to themselves.
   * @returns {Promise<Array<{id: string, name: string}>>}
   */
  async list() {
    const devices = (await this.#devices?.enumerateDevices?.().catch(() => [])) ?? [];
    return devices
      .filter(({ kind, deviceId }) => kind === "audioinput" && deviceId)
      .map(({ deviceId, label }, i) => ({ id: deviceId, name: label || `Microphone ${i + 1}` }));
  }

  /** @param {MediaDevices} devices @returns {Promise<MediaStream>} */
  async #request(devices) {
    try {
      const exact = this.deviceId ? { deviceId: { exact: this.deviceId } } : {};
      return await devices.getUserMedia({ audio: { ...WANTED, ...exact } });
    } catch (error) {
      const code = microphoneCode(error);
      if (code !== "mic_missing" || !this.deviceId) throw new MicrophoneError(code, error);
      this.deviceId = "";
      return this.#request(devices);
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {MediaStream | null} stream */
function stop(stream) {
  for (const track of stream?.getTracks() ?? []) {
    track.onended = null;
    track.stop();
  }
}
