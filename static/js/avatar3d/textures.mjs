// @ts-check
/**
 * The pictures in a head's file, decoded where they lie: three.js's own way goes by an address of each, and over two
 * processes of the browser, while nothing can be drawn.
 */
import { Texture } from "three";

/** As three.js has them: neither multiplied with what is seen through, nor moved to the screen's colours. */
const AS_THEY_ARE = /** @type {const} */ ({ premultiplyAlpha: "none", colorSpaceConversion: "none" });

/** Takes the place of GLTFParser's loader; a name's bytes come only to one that calls itself KTX2's. */
export class Textures {
  isKTX2Loader = true;
  #others;

  /** @param {any} others an ImageBitmapLoader, for pictures that are not in the file's buffer but in its text */
  constructor(others) {
    this.#others = others;
  }

  /** @param {ArrayBuffer} bytes @param {(texture: Texture) => void} done @param {(error: unknown) => void} failed */
  parse(bytes, done, failed) {
    createImageBitmap(new Blob([bytes]), AS_THEY_ARE).then((picture) => done(textureOf(picture)), failed);
  }

  /** @param {string} address @param {(texture: Texture) => void} done @param {undefined} told @param {(error: unknown) => void} failed */
  load(address, done, told, failed) {
    this.#others.load(address, (/** @type {ImageBitmap} */ picture) => done(textureOf(picture)), told, failed);
  }
}

/** @param {ImageBitmap} picture */
function textureOf(picture) {
  const texture = new Texture(picture);
  texture.needsUpdate = true;
  return texture;
}
