// @ts-check
/** Keeps the last half minute of the microphone it follows. Without a running AudioContext it keeps nothing. */
import { PcmRing } from "./pcm_ring.mjs";

const WORKLET = new URL("./microphone_worklet.mjs", import.meta.url);

export class MicrophoneMemory {
  ring = new PcmRing();
  /** Called after each frame. */
  heard = () => {};
  #sound;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {{source: MediaStreamAudioSourceNode, tap: AudioWorkletNode} | null} */
  #nodes = null;
  /** @type {Promise<void> | null} */
  #loaded = null;

  /** @param {import("./sound.mjs").Sound} sound */
  constructor(sound) {
    this.#sound = sound;
  }

  /** @param {MediaStream | null} stream null: nothing is kept any more */
  async follow(stream) {
    const { context } = this.#sound;
    if (stream === this.#stream && (this.#nodes || !stream)) return;
    this.#stream = stream;
    this.#drop();
    if (!stream) return this.ring.clear();
    if (!context?.audioWorklet) return;
    try {
      await (this.#loaded ??= context.audioWorklet.addModule(WORKLET));
      if (stream === this.#stream && !this.#nodes && stream.getAudioTracks().length) this.#tap(context, stream);
    } catch {
      // A browser that refuses the module, or a microphone of another sample rate: the call goes on without a memory.
      this.#loaded = null;
    }
  }

  /** @param {AudioContext} context @param {MediaStream} stream */
  #tap(context, stream) {
    const source = context.createMediaStreamSource(stream);
    const tap = new AudioWorkletNode(context, "microphone-tap", { numberOfOutputs: 0, channelCount: 1 });
    tap.port.onmessage = ({ data }) => this.#take(data);
    source.connect(tap);
    this.#nodes = { source, tap };
  }

  /** @param {Int16Array} frame */
  #take(frame) {
    this.ring.push(frame, performance.now());
    this.heard();
  }

  #drop() {
    if (!this.#nodes) return;
    this.#nodes.source.disconnect();
    this.#nodes.tap.port.onmessage = null;
    this.#nodes = null;
  }
}
