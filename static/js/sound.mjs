// @ts-check
/** The page's one AudioContext: it measures levels and knows how late the speaker is. It plays nothing itself. */
import { loudness, settled } from "./level.mjs";

export class Sound {
  /** @type {AudioContext | null} */
  #context = null;

  /** Call from a click: browsers start no sound before one. */
  unlock() {
    if (!globalThis.AudioContext) return;
    this.#context ??= new AudioContext({ latencyHint: "interactive" });
    this.#context.resume().catch(() => {});
  }

  /** From the sound pipeline to the ear; 0 where the browser does not say. */
  get outputLatencyMs() {
    return (this.#context?.outputLatency || 0) * 1000;
  }

  get context() {
    return this.#context;
  }
}

/** The loudness of whichever stream it follows; 0 until sound is unlocked. */
export class Meter {
  #sound;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {{source: MediaStreamAudioSourceNode, analyser: AnalyserNode} | null} */
  #tap = null;
  #samples = new Float32Array(1024);
  #shown = 0;
  #atMs = 0;

  /** @param {Sound} sound */
  constructor(sound) {
    this.#sound = sound;
  }

  /** @param {MediaStream | null} stream */
  follow(stream) {
    if (stream === this.#stream) return;
    this.#tap?.source.disconnect();
    this.#tap = null;
    this.#stream = stream;
    this.#shown = 0;
  }

  /** Loudness 0..1 for the eye. @param {number} nowMs */
  read(nowMs) {
    this.#tap ??= this.#tapped();
    if (!this.#tap) return 0;
    this.#tap.analyser.getFloatTimeDomainData(this.#samples);
    this.#shown = settled(this.#shown, loudness(this.#samples), nowMs - this.#atMs);
    this.#atMs = nowMs;
    return this.#shown;
  }

  #tapped() {
    const { context } = this.#sound;
    if (!context || !this.#stream?.getAudioTracks().length) return null;
    const analyser = new AnalyserNode(context, { fftSize: this.#samples.length });
    const source = context.createMediaStreamSource(this.#stream);
    source.connect(analyser);
    return { source, analyser };
  }
}
