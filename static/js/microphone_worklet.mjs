// @ts-check
/** Runs beside the page, in the browser's sound thread: the microphone as 20 ms frames of 16 kHz, 16 bit. */
import { Resampler } from "./resampler.mjs";

const RATE_HZ = 16_000;
const FRAME = 320;

class MicrophoneTap extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE_HZ);
  #frame = new Int16Array(FRAME);
  #filled = 0;

  /** @param {Float32Array[][]} inputs */
  process([input]) {
    if (!input?.length) return true;
    for (const sample of this.#resampler.push(input[0])) {
      this.#frame[this.#filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
      if (this.#filled < FRAME) continue;
      this.port.postMessage(this.#frame, [this.#frame.buffer]);
      this.#frame = new Int16Array(FRAME);
      this.#filled = 0;
    }
    return true;
  }
}

registerProcessor("microphone-tap", MicrophoneTap);
