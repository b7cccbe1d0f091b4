// @ts-check
/**
 * What low quality draws of a model: plain surfaces on meshes that are bent here, with all triangles until the fewer ones
 * are made. The model itself stays as it is, and is the one that is posed.
 */
import { Group } from "three";

import { Bent } from "./bent.mjs";
import { PlainSurfaces } from "./plain_surface.mjs";

export class CoarseModel {
  /** To be drawn. */
  group = new Group();
  #model;
  /** What is drawn instead of each mesh. @type {Map<any, Bent>} */
  #bent = new Map();
  #surfaces = new PlainSurfaces();
  #thinned = false;
  #disposed = false;

  /** @param {import("./model.mjs").Model} model posed, from now on not drawn itself */
  constructor(model) {
    this.#model = model;
    model.scene.traverseVisible((/** @type {any} */ object) => {
      if (object.isMesh && !object.isInstancedMesh) this.#bend(object, null);
    });
  }

  /** As the model stands now, and the light. @param {any} lights @param {import("three").Camera} camera */
  follow(lights, camera) {
    this.#surfaces.shine(lights, camera);
    this.#model.scene.updateMatrixWorld();
    for (const bent of this.#bent.values()) bent.follow();
  }

  /** Fewer triangles, once: a mesh at a time, so that the mouth does not stand still meanwhile. */
  async thin() {
    if (this.#thinned) return;
    this.#thinned = true;
    try {
      const { coarser, ready } = await import("./coarser.mjs");
      await ready;
      for (const [mesh, index] of coarser([...this.#bent.keys()], this.#model.shapes)) {
        if (this.#disposed) return;
        this.#bend(mesh, index);
        await new Promise(requestAnimationFrame);
      }
    } catch (error) {
      console.info("3D face not simplified:", error);
    }
  }

  /** The model is drawn itself again. */
  dispose() {
    this.#disposed = true;
    for (const bent of this.#bent.values()) bent.dispose();
    this.#surfaces.dispose();
  }

  /** @param {any} mesh @param {Uint32Array | null} index */
  #bend(mesh, index) {
    this.#bent.get(mesh)?.dispose();
    const surfaces = [mesh.material].flat().map((material) => this.#surfaces.of(material));
    const bent = new Bent(mesh, Array.isArray(mesh.material) ? surfaces : surfaces[0], index);
    this.#bent.set(mesh, bent);
    this.group.add(bent.mesh);
    bent.follow();
  }
}
