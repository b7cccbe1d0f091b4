// @ts-check
/** From one sample rate to another by a windowed sinc, a block at a time, without a seam between blocks. Pure. */

/** Zero crossings of the sinc on each side, at the lower of the two rates. */
const CROSSINGS = 8;
/** Of the lower rate's half, what is let through; the rest is the filter's slope. */
const PASSED = 0.9;
/** Places of the kernel that are computed beforehand, per input sample; between them it is taken as straight. */
const FINE = 64;

export class Resampler {
  #step;
  #half;
  #kernel;
  /** Input that outputs to come still need, and the place of the next output in it. */
  #held = new Float32Array(0);
  #at;

  /** @param {number} fromHz @param {number} toHz */
  constructor(fromHz, toHz) {
    this.#step = fromHz / toHz;
    const cutoff = PASSED * Math.min(1, toHz / fromHz);
    this.#half = Math.ceil((CROSSINGS * Math.max(fromHz, toHz)) / toHz);
    this.#kernel = kernel(cutoff, this.#half);
    this.#at = this.#half;
    this.#held = new Float32Array(this.#half);
  }

  /** @param {Float32Array} block at the first rate @returns {Float32Array} what can be said at the second */
  push(block) {
    const input = new Float32Array(this.#held.length + block.length);
    input.set(this.#held);
    input.set(block, this.#held.length);
    const count = Math.max(0, Math.ceil((input.length - this.#half - this.#at) / this.#step));
    const output = new Float32Array(count);
    for (let n = 0; n < count; n++) {
      output[n] = this.#sample(input, this.#at);
      this.#at += this.#step;
    }
    const done = Math.max(0, Math.floor(this.#at) - this.#half);
    this.#held = input.slice(done);
    this.#at -= done;
    return output;
  }

  /** @param {Float32Array} input @param {number} at */
  #sample(input, at) {
    const first = Math.ceil(at - this.#half);
    const last = Math.min(input.length - 1, Math.floor(at + this.#half));
    let sum = 0;
    for (let n = first; n <= last; n++) {
      const place = Math.abs(n - at) * FINE;
      const below = Math.floor(place);
      const rest = place - below;
      sum += input[n] * (this.#kernel[below] * (1 - rest) + this.#kernel[below + 1] * rest);
    }
    return sum;
  }
}

/** Half of a Hann-windowed sinc that passes `cutoff` of the band. @param {number} cutoff @param {number} half */
function kernel(cutoff, half) {
  const values = new Float32Array(half * FINE + 2);
  for (let n = 0; n < half * FINE; n++) {
    const x = n / FINE;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x);
    values[n] = cutoff * sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / half));
  }
  return values;
}
