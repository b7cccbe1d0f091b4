// @ts-check
/**
 * Where the head is drawn: renderer, camera and light. High quality has soft light from a room, a warm key, a cool rim
 * and shadows; low quality is plain light on plain surfaces, for machines whose CPU draws.
 */
import {
  ACESFilmicToneMapping,
  AmbientLight,
  DirectionalLight,
  HemisphereLight,
  PCFShadowMap,
  PerspectiveCamera,
  PMREMGenerator,
  Scene,
  WebGLRenderer,
} from "three";
import { RoomEnvironment } from "three/addons/environments/RoomEnvironment.js";

import { CoarseModel } from "./coarse_model.mjs";
import { contextOf, deviceOf } from "./drawing_context.mjs";
import { FIELD_OF_VIEW_DEG, frame } from "./framing.mjs";
import { ModelError } from "./glb.mjs";
import { drawnSize, firstQuality, isSoftware, QualityWatch } from "./quality.mjs";

const ROOM_INTENSITY = 0.42;
const EXPOSURE = 0.96;
/** A drawing of the CPU's leaves the machine to the voice: at most so often, and it rests longer than it works. */
const SOFTWARE_EVERY_MS = 32;
const REST_SHARE = 1.5;

export class Studio {
  #canvas;
  #renderer;
  #scene = new Scene();
  #camera = new PerspectiveCamera(FIELD_OF_VIEW_DEG, 1, 0.05, 20);
  #watch;
  #lights = new Lights();
  /** @type {import("./model.mjs").Model | null} */
  #model = null;
  /** What is drawn of it in low quality. @type {CoarseModel | null} */
  #coarse = null;
  /** @type {any} */
  #room = null;
  #software;
  /** Before then the CPU is for others. */
  #restsUntilMs = -Infinity;
  #restored = () => this.#light();

  /**
   * @param {HTMLCanvasElement} canvas @param {string} asked quality: "high", "low", else automatic
   * @throws {ModelError} where the browser has no WebGL
   */
  constructor(canvas, asked) {
    this.#canvas = canvas;
    const context = contextOf(canvas, asked);
    if (!context) {
      throw new ModelError("webgl", "This browser cannot draw in 3D (WebGL 2 is off). The picture goes on instead.");
    }
    /** What draws, as WebGL says. */
    this.device = deviceOf(context);
    this.#software = isSoftware(this.device);
    this.#watch = new QualityWatch(firstQuality(asked, this.device), asked === "high" || asked === "low");
    this.#renderer = new WebGLRenderer({ canvas, context });
    this.#renderer.setPixelRatio(1);
    this.#renderer.toneMapping = ACESFilmicToneMapping;
    this.#renderer.toneMappingExposure = EXPOSURE;
    this.#renderer.shadowMap.type = PCFShadowMap;
    canvas.addEventListener("webglcontextrestored", this.#restored);
    this.#scene.add(...this.#lights.all);
  }

  get quality() {
    return this.#watch.quality;
  }

  /** Drawn the last time. */
  get triangles() {
    return this.#renderer.info.render.triangles;
  }

  /** What lies on the graphics card. */
  get memory() {
    const { geometries, textures } = this.#renderer.info.memory;
    return { geometries, textures };
  }

  /** @param {import("./model.mjs").Model | null} model */
  seat(model) {
    this.#dropCoarse();
    this.#model?.dispose();
    this.#model = model;
    this.#watch.settle();
    if (!model) return;
    this.#scene.add(model.scene);
    this.#light();
  }

  /** Whether a drawing would come too soon after the last. @param {number} nowMs */
  rests(nowMs) {
    return nowMs < this.#restsUntilMs;
  }

  /** @param {number} nowMs */
  draw(nowMs) {
    if (!this.#model || this.#renderer.getContext().isContextLost()) return;
    this.#fit(this.#model);
    this.#coarse?.follow(this.#lights, this.#camera);
    this.#renderer.render(this.#scene, this.#camera);
    this.#coarse?.thin();
    if (this.#software) {
      // Here drawing goes on after the call; waiting for it tells how long it took, and costs nothing.
      this.#renderer.getContext().finish();
      const doneMs = performance.now();
      this.#restsUntilMs = Math.max(nowMs + SOFTWARE_EVERY_MS, doneMs + REST_SHARE * (doneMs - nowMs));
    }
    if (this.#watch.drawn(nowMs)) this.#light();
  }

  dispose() {
    this.seat(null);
    this.#canvas.removeEventListener("webglcontextrestored", this.#restored);
    this.#room?.dispose();
    this.#lights.key.dispose();
    this.#renderer.dispose();
    // The context itself is given back too: browsers allow only some sixteen.
    this.#renderer.forceContextLoss();
  }

  /** Light and surfaces as the quality wants them; also after the graphics card has forgotten all. */
  #light() {
    const high = this.#watch.quality === "high";
    this.#room?.dispose();
    this.#room = null;
    if (high) {
      const maker = new PMREMGenerator(this.#renderer);
      const room = new RoomEnvironment();
      this.#room = maker.fromScene(room, 0.03).texture;
      room.dispose();
      maker.dispose();
    }
    this.#scene.environment = this.#room;
    this.#scene.environmentIntensity = ROOM_INTENSITY;
    this.#renderer.shadowMap.enabled = high;
    if (high) this.#dropCoarse();
    else if (this.#model && !this.#coarse) this.#scene.add((this.#coarse = new CoarseModel(this.#model)).group);
    this.#lights.set(high);
    this.#model?.scene.traverse((/** @type {any} */ object) => {
      if (!object.isMesh) return;
      const clear = [object.material].flat().some((/** @type {any} */ material) => material.transparent);
      object.castShadow = high && !clear;
      object.receiveShadow = high;
    });
  }

  #dropCoarse() {
    this.#coarse?.group.removeFromParent();
    this.#coarse?.dispose();
    this.#coarse = null;
  }

  /** The drawing's size follows the canvas's on the page. @param {import("./model.mjs").Model} model */
  #fit(model) {
    const { clientWidth, clientHeight } = this.#canvas;
    const { width, height } = drawnSize(clientWidth || 512, clientHeight || 512, devicePixelRatio, this.#watch);
    if (this.#canvas.width !== width || this.#canvas.height !== height) this.#renderer.setSize(width, height, false);
    const view = frame(model.bounds, width / height);
    Object.assign(this.#camera, { aspect: width / height, near: view.near, far: view.far });
    this.#camera.position.fromArray(view.position);
    this.#camera.lookAt(view.target[0], view.target[1], view.target[2]);
    this.#camera.updateProjectionMatrix();
    this.#lights.around(view);
  }
}

class Lights {
  key = new DirectionalLight(0xfff0df, 1.9);
  #fill = new DirectionalLight(0xd4e2ff, 0.45);
  #rim = new DirectionalLight(0xbfd6ff, 1.5);
  sky = new HemisphereLight(0xfff6ec, 0x9a8b82, 2.1);
  floor = new AmbientLight(0xfff2e6, 0.35);
  #height = 0;

  constructor() {
    const { shadow } = this.key;
    shadow.mapSize.set(1024, 1024);
    shadow.bias = -0.0004;
    shadow.radius = 5;
    this.key.castShadow = true;
  }

  /** @returns {any[]} */
  get all() {
    return [this.key, this.#fill, this.#rim, this.sky, this.floor].flatMap((light) =>
      "target" in light ? [light, light.target] : [light],
    );
  }

  /** @param {boolean} high */
  set(high) {
    this.sky.visible = this.floor.visible = !high;
    this.#fill.visible = this.#rim.visible = high;
    this.key.castShadow = high;
    this.key.intensity = high ? 1.9 : 2.1;
  }

  /** @param {{target: number[], height: number}} view */
  around({ target: [x, y, z], height }) {
    this.key.position.set(x - 2.6 * height, y + 2.5 * height, z + 4 * height);
    this.#fill.position.set(x + 4.5 * height, y + 0.4 * height, z + 3.5 * height);
    this.#rim.position.set(x + 3.4 * height, y + 2 * height, z - 4.5 * height);
    for (const light of [this.key, this.#fill, this.#rim]) light.target.position.set(x, y, z);
    if (height === this.#height) return;
    this.#height = height;
    const { shadow } = this.key;
    shadow.normalBias = 0.008 * height;
    const reach = 1.6 * height;
    Object.assign(shadow.camera, { left: -reach, right: reach, top: reach, bottom: -reach, near: height, far: 10 * height });
    shadow.camera.updateProjectionMatrix();
  }
}
