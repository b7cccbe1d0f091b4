// @ts-check
/**
 * The one surface of low quality: colour under plain light, made of so little that a CPU can draw it. Light is worked out
 * at the vertices, and one program draws every surface, since such a machine makes a program no faster than a picture.
 * Colours come out as MeshLambertMaterial's do under the same light.
 */
import {
  Color,
  DataTexture,
  GLSL3,
  LinearMipmapNearestFilter,
  Matrix3,
  NoColorSpace,
  RawShaderMaterial,
  ShaderChunk,
  Vector3,
  Vector4,
} from "three";

const VERTEX = `
  precision highp float;
  in vec3 position;
  in vec3 normal;
  in vec4 color;
  in vec2 UV;
  uniform mat4 modelViewMatrix;
  uniform mat4 projectionMatrix;
  uniform mat3 normalMatrix;
  uniform mat3 uvTransform;
  uniform vec3 up;
  uniform vec3 toKey;
  uniform vec3 keyLight;
  uniform vec3 middleLight;
  uniform vec3 upperLight;
  uniform vec4 tint;
  out vec4 front;
  out vec3 back;
  out vec2 at;
  void main() {
    vec3 outward = normalize(normalMatrix * normal);
    float lit = dot(outward, toKey);
    vec3 above = upperLight * dot(outward, up);
    front = color * tint;
    back = front.rgb * (middleLight - above + keyLight * max(-lit, 0.0));
    front.rgb *= middleLight + above + keyLight * max(lit, 0.0);
    at = (uvTransform * vec3(UV, 1.0)).xy;
    gl_Position = projectionMatrix * (modelViewMatrix * vec4(position, 1.0));
  }`;

/** Polynomials instead of powers, which a CPU is slow at: at most one and two steps of 255 beside the standard's curve. */
export const FROM_SRGB = "c * (0.049243 + c * (0.526377 + c * 0.435251))";
export const TO_SRGB = "1.421362 * sqrt(c) - 0.134831 * sqrt(sqrt(c)) - 0.295320 * c";

const FRAGMENT = `
  precision highp float;
  ${ShaderChunk.tonemapping_pars_fragment}
  in vec4 front;
  in vec3 back;
  in vec2 at;
  uniform sampler2D map;
  uniform float solid;
  uniform float leastAlpha;
  out vec4 pixel;
  void main() {
    vec4 texel = texture(map, at);
    float alpha = max(solid, texel.a * front.a);
    #ifdef CUT
      if (alpha < leastAlpha) discard;
    #endif
    vec3 c = texel.rgb;
    c = ${FROM_SRGB};
    c = ACESFilmicToneMapping((gl_FrontFacing ? front.rgb : back) * c);
    pixel = vec4(${TO_SRGB}, alpha);
  }`;

/** The surfaces of one head. */
export class PlainSurfaces {
  /** @type {Map<any, RawShaderMaterial>} */
  #made = new Map();
  #white = new DataTexture(new Uint8Array(4).fill(255), 1, 1);
  /** Shared by all of them. */
  #light = {
    up: { value: new Vector3() },
    toKey: { value: new Vector3() },
    keyLight: { value: new Color() },
    middleLight: { value: new Color() },
    upperLight: { value: new Color() },
  };

  constructor() {
    this.#white.needsUpdate = true;
  }

  /**
   * Instead of a physical surface. A cartoon one (VRM's MToon) and an unlit one stay: they cost little and would lose
   * their look; so do those without normals, which are rare.
   * @param {any} material
   */
  of(material) {
    if (!material.isMeshStandardMaterial || material.flatShading) return material;
    const made = this.#made.get(material) ?? this.#plain(material);
    this.#made.set(material, made);
    return made;
  }

  /** @param {{key: any, sky: any, floor: any}} lights of three.js @param {import("three").Camera} camera */
  shine({ key, sky, floor }, camera) {
    const { up, toKey, keyLight, middleLight, upperLight } = this.#light;
    up.value.set(0, 1, 0).transformDirection(camera.matrixWorldInverse);
    toKey.value.subVectors(key.position, key.target.position).transformDirection(camera.matrixWorldInverse);
    keyLight.value.copy(key.color).multiplyScalar(key.intensity / Math.PI);
    const half = sky.intensity / 2 / Math.PI;
    upperLight.value.copy(sky.color).sub(sky.groundColor).multiplyScalar(half);
    middleLight.value.copy(sky.color).add(sky.groundColor).multiplyScalar(half);
    middleLight.value.add(ground.copy(floor.color).multiplyScalar(floor.intensity / Math.PI));
  }

  dispose() {
    for (const surface of this.#made.values()) {
      surface.uniforms.map.value.dispose();
      surface.dispose();
    }
    this.#white.dispose();
  }

  /** @param {any} material */
  #plain({ color, map, side, transparent, opacity, alphaTest, depthWrite, name }) {
    map?.updateMatrix();
    return new RawShaderMaterial({
      ...{ name, side, transparent, depthWrite, vertexShader: VERTEX, fragmentShader: FRAGMENT, glslVersion: GLSL3 },
      defines: { UV: map?.channel ? `uv${map.channel}` : "uv", ...(alphaTest > 0 && { CUT: "" }) },
      uniforms: {
        ...this.#light,
        map: { value: map ? raw(map) : this.#white },
        uvTransform: { value: map?.matrix ?? new Matrix3() },
        tint: { value: new Vector4(color.r, color.g, color.b, opacity) },
        solid: { value: Number(!transparent && !(alphaTest > 0)) },
        leastAlpha: { value: alphaTest },
      },
    });
  }
}

const ground = new Color();

/** The same picture for the shader to decode, from one of its smaller copies: cheaper than what the sampler does. @param {any} map */
function raw(map) {
  const copy = map.clone();
  Object.assign(copy, { colorSpace: NoColorSpace, minFilter: LinearMipmapNearestFilter, needsUpdate: true });
  return copy;
}
