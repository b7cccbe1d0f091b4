// @ts-check
/**
 * The figure alone: pictures of twice the width, left the figure on black, right its alpha as grey, laid over whatever
 * is behind the canvas. WebGL does it per frame; without WebGL the page must not ask for such pictures (`possible`).
 * Whole pictures are laid there as they are: between asking and getting nothing is seen but the change itself.
 */

const VERTICES = `
  attribute vec2 corner;
  varying vec2 place;
  void main() {
    place = vec2(corner.x * 0.5 + 0.5, 0.5 - corner.y * 0.5);
    gl_Position = vec4(corner, 0.0, 1.0);
  }`;

/** Half a pixel inside each half, so that the filter never mixes the two. */
const COLOURS = `
  precision mediump float;
  uniform sampler2D picture;
  uniform float pixel;
  uniform bool whole;
  varying vec2 place;
  void main() {
    if (whole) {
      gl_FragColor = vec4(texture2D(picture, place).rgb, 1.0);
      return;
    }
    float x = clamp(place.x * 0.5, 0.5 * pixel, 0.5 - 0.5 * pixel);
    float alpha = texture2D(picture, vec2(x + 0.5, place.y)).g;
    vec3 figure = texture2D(picture, vec2(x, place.y)).rgb;
    gl_FragColor = vec4(min(figure, alpha), alpha);
  }`;

/** Whether this browser can lay a figure over the page. */
export function possible() {
  return typeof document !== "undefined" && !!document.createElement("canvas").getContext("webgl");
}

export class Cutout {
  #video;
  #canvas;
  #figure;
  /** @type {ReturnType<typeof painter> | null} */
  #paint = null;
  #wanted = false;
  #running = false;

  /** @param {HTMLVideoElement} video @param {HTMLCanvasElement} canvas @param {HTMLElement} figure tells the style sheet */
  constructor(video, canvas, figure) {
    this.#video = video;
    this.#canvas = canvas;
    this.#figure = figure;
  }

  /** Lay pictures over the page from now on; or no more, as soon as a whole one has come. @param {boolean} wanted */
  want(wanted) {
    this.#wanted = wanted;
    if (!wanted || this.#running) return;
    this.#running = true;
    this.#paint ??= painter(this.#canvas);
    this.#draw();
    this.#canvas.hidden = false;
    this.#figure.dataset.cutout = "";
    this.#next();
  }

  #next() {
    const again = () => {
      const alone = this.#draw();
      if (this.#wanted || alone) return this.#next();
      this.#running = false;
      this.#canvas.hidden = true;
      delete this.#figure.dataset.cutout;
    };
    if ("requestVideoFrameCallback" in this.#video) this.#video.requestVideoFrameCallback(again);
    else requestAnimationFrame(again);
  }

  /** @returns {boolean} whether what the video shows is a figure alone */
  #draw() {
    const { videoWidth, videoHeight } = this.#video;
    const alone = isCutout(videoWidth, videoHeight);
    if (videoWidth) this.#paint?.(this.#video, alone);
    return alone;
  }
}

/** What draws a video's picture on the canvas. @param {HTMLCanvasElement} canvas */
function painter(canvas) {
  const gl = canvas.getContext("webgl", { premultipliedAlpha: true, antialias: false, depth: false });
  if (!gl) throw new Error("This browser has no WebGL; ask for whole pictures instead.");
  const program = linked(gl);
  gl.useProgram(program);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
  const corner = gl.getAttribLocation(program, "corner");
  gl.enableVertexAttribArray(corner);
  gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  for (const [name, value] of [
    [gl.TEXTURE_MIN_FILTER, gl.LINEAR],
    [gl.TEXTURE_MAG_FILTER, gl.LINEAR],
    [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
    [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
  ])
    gl.texParameteri(gl.TEXTURE_2D, name, value);
  const pixel = gl.getUniformLocation(program, "pixel");
  const whole = gl.getUniformLocation(program, "whole");
  return (/** @type {HTMLVideoElement} */ video, /** @type {boolean} */ alone) => {
    const { videoWidth, videoHeight } = video;
    const width = alone ? videoWidth / 2 : videoWidth;
    if (canvas.width !== width || canvas.height !== videoHeight) {
      Object.assign(canvas, { width, height: videoHeight });
      gl.viewport(0, 0, width, videoHeight);
    }
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, video);
    gl.uniform1f(pixel, 1 / videoWidth);
    gl.uniform1i(whole, alone ? 0 : 1);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  };
}

/**
 * Whether pictures of this size carry a figure and its alpha side by side: a face is square.
 * @param {number} width @param {number} height
 */
export function isCutout(width, height) {
  return height > 0 && width === 2 * height;
}

/** @param {WebGLRenderingContext} gl */
function linked(gl) {
  const program = gl.createProgram();
  if (!program) throw new Error("WebGL gave no program.");
  for (const [type, source] of /** @type {[number, string][]} */ ([
    [gl.VERTEX_SHADER, VERTICES],
    [gl.FRAGMENT_SHADER, COLOURS],
  ])) {
    const shader = gl.createShader(type);
    if (!shader) throw new Error("WebGL gave no shader.");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? "no WebGL");
  return program;
}
