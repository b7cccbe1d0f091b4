// @ts-check
/**
 * A 3D head on a canvas that shows the mouth and face it is given. Imported only when somebody wants it: everything of
 * three.js hangs on this module.
 */
import { Countenance } from "./countenance.mjs";
import { ModelError } from "./glb.mjs";
import { parseModel } from "./model.mjs";
import { fetchModel } from "./model_file.mjs";
import { Studio } from "./studio.mjs";

/** What drawing takes is followed so quickly, and believed up to so much. */
const LEAD_SHARE = 0.2;
const MOST_LEAD_MS = 150;

/** A graphics card that does not come back within this is given up. */
const RESTORED_WITHIN_MS = 4000;

/**
 * What a `drawn` event of the canvas tells, for tests, measurements and whoever follows along.
 * @typedef {{atMs: number, weights: ReadonlyMap<string, number>, mouth: number[], quality: string,
 *   triangles: number}} Drawn
 */

export class Avatar3D {
  #canvas;
  #studio;
  #countenance = new Countenance();
  /** @type {import("./model.mjs").Model | null} */
  #model = null;
  #given = new AbortController();
  /** How long after it was begun a drawing is done: the mouth is to be that of then. */
  leadMs = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #lost;

  /**
   * @param {HTMLCanvasElement} canvas a fresh one: its context ends with `dispose`
   * @param {{quality: string, failed: (error: Error) => void}} options failed: it can no longer be drawn
   * @throws {ModelError}
   */
  constructor(canvas, { quality, failed }) {
    this.#canvas = canvas;
    this.#studio = new Studio(canvas, quality);
    const { signal } = this.#given;
    canvas.addEventListener(
      "webglcontextlost",
      (event) => {
        event.preventDefault();
        const gone = new ModelError("lost", "The graphics card gave the 3D face up. The picture goes on instead.");
        this.#lost = setTimeout(() => failed(gone), RESTORED_WITHIN_MS);
      },
      { signal },
    );
    canvas.addEventListener("webglcontextrestored", () => clearTimeout(this.#lost), { signal });
  }

  /**
   * @param {string} address of a .glb or .vrm file @param {Promise<ArrayBuffer>} [coming] what is in it, where it was
   *   asked for before @throws {ModelError}
   */
  async load(address, coming) {
    const { signal } = this.#given;
    const file = await (coming ?? fetchModel(address, signal));
    signal.throwIfAborted();
    const model = await parseModel(file, this.#studio.quality === "low");
    if (signal.aborted) {
      model.dispose();
      signal.throwIfAborted();
    }
    this.#model = model;
    this.#studio.seat(model);
  }

  /** What the head can do, what draws it, and what it takes. */
  get report() {
    const { quality, device, memory } = this.#studio;
    const { report = "", source = "none" } = this.#model ?? {};
    return { report, source, quality, device, memory };
  }

  /** Draw it as it is to look now. @param {import("../mouth.mjs").Mouth} mouth @param {number} nowMs */
  show(mouth, nowMs) {
    if (!this.#model || this.#studio.rests(nowMs)) return;
    this.#model.show(this.#countenance.at(mouth, nowMs), nowMs);
    this.#studio.draw(nowMs);
    const tookMs = Math.min(MOST_LEAD_MS, Math.max(0, performance.now() - nowMs));
    this.leadMs += LEAD_SHARE * (tookMs - this.leadMs);
    const { weights } = this.#model;
    /** @type {Drawn} */
    const detail = { atMs: nowMs, weights, mouth: mouth.weights, quality: this.#studio.quality, triangles: this.#studio.triangles };
    this.#canvas.dispatchEvent(new CustomEvent("drawn", { detail }));
  }

  dispose() {
    this.#given.abort();
    clearTimeout(this.#lost);
    this.#studio.dispose();
  }
}
