// @ts-check
/**
 * What the person said while no edge was there is said again for them: the sound of it, from before the utterance that
 * was cut off, faster than real time, then the microphone as it comes, until the edge hears it by itself.
 */
import { Utterances } from "./utterances.mjs";

/** Frames in one message: half a second. */
const PIECE = 25;
/** Less is not worth asking for. */
const ENOUGH_MS = 1000;

/**
 * @typedef {object} Line
 * @property {(message: object) => void} send
 * @property {(samples: Int16Array) => void} sendBytes
 */

export class Recall {
  #memory;
  #utterances = new Utterances();
  /** The next frame to send, while it sends. @type {number | null} */
  #next = null;
  #level = false;
  /** @type {Line | null} */
  #line = null;

  /** @param {import("./microphone_memory.mjs").MicrophoneMemory} memory */
  constructor(memory) {
    this.#memory = memory;
    memory.heard = () => this.#pump();
  }

  /** Whether there is something to send, should an edge ask. */
  get ready() {
    return this.#memory.ring.keptMs >= ENOUGH_MS;
  }

  get sending() {
    return this.#next !== null;
  }

  /** @param {{what: string, utterance: number, ago_ms: number}} speech @param {number} nowMs */
  speech(speech, nowMs) {
    this.#utterances.take(speech, nowMs);
  }

  /**
   * An edge that knows nothing yet asks.
   * @param {number} utterance the first that was not dealt with
   * @param {number} aliveMs when the edge before it was last heard of
   * @param {number} nowMs
   * @param {Line} line
   */
  begin(utterance, aliveMs, nowMs, line) {
    const { ring } = this.#memory;
    if (!ring.keptMs) return line.send({ type: "again", what: "none" });
    this.#line = line;
    this.#level = false;
    this.#next = ring.at(this.#utterances.unheardFromMs(utterance, aliveMs));
    // The marks that come from now on are of the new edge's hearing.
    this.#utterances.forget();
    line.send({ type: "again", what: "begins", age_ms: Math.max(0, nowMs - ring.startMs(this.#next)) });
    this.#pump();
  }

  /** The edge hears by itself, or is gone; or the person does not want to be heard. */
  stop() {
    this.#next = null;
    this.#line = null;
  }

  /** The call is over. */
  forget() {
    this.stop();
    this.#utterances.forget();
  }

  #pump() {
    const { ring } = this.#memory;
    while (this.#line && this.#next !== null && this.#next < ring.end) {
      const { samples, next } = ring.read(this.#next, PIECE);
      this.#line.sendBytes(samples);
      this.#next = next;
    }
    if (!this.#line || this.#level) return;
    this.#level = true;
    this.#line.send({ type: "again", what: "level" });
  }
}
