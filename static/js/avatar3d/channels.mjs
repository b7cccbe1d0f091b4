// @ts-check
/** A head's shapes by name: morph targets of all its meshes, and the expressions of a VRM, which come first. */

export class Channels {
  /** @type {Map<string, {influences: number[], index: number}[]>} */
  #targets = new Map();
  #expressions;
  /** Shapes that are not at rest. @type {Set<string>} */
  #moved = new Set();

  /**
   * @param {import("three").Object3D} root
   * @param {{getExpression: (name: string) => any, setValue: (name: string, value: number) => void,
   *   expressionMap: Record<string, any>} | null} expressions a VRM's manager
   */
  constructor(root, expressions = null) {
    this.#expressions = expressions;
    root.traverse((/** @type {any} */ object) => {
      for (const [name, index] of Object.entries(object.morphTargetDictionary ?? {})) {
        const targets = this.#targets.get(name) ?? [];
        targets.push({ influences: object.morphTargetInfluences, index: Number(index) });
        this.#targets.set(name, targets);
      }
    });
  }

  /** @returns {string[]} */
  get names() {
    return [...new Set([...Object.keys(this.#expressions?.expressionMap ?? {}), ...this.#targets.keys()])];
  }

  /** These shapes have these weights, all others none. @param {Map<string, number>} weights */
  show(weights) {
    for (const name of this.#moved) if (!weights.has(name)) this.#set(name, 0);
    this.#moved.clear();
    for (const [name, weight] of weights) {
      this.#set(name, weight);
      this.#moved.add(name);
    }
  }

  /** @param {string} name @param {number} weight */
  #set(name, weight) {
    if (this.#expressions?.getExpression(name)) return this.#expressions.setValue(name, weight);
    for (const { influences, index } of this.#targets.get(name) ?? []) influences[index] = weight;
  }
}
