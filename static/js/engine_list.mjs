// @ts-check
/** Which engine each process runs, and why, as the console shows it: processes that say the same share a line. */

/** @typedef {{name: string, kind: string, state: string, engine: string, detail: string}} Process */

/**
 * @param {Process[]} processes those without an engine are left out once they are ready
 * @returns {{what: string, engine: string, why: string}[]} in the order they come
 */
export function engineLines(processes) {
  /** @type {Map<string, {what: string, engine: string, why: string}>} */
  const lines = new Map();
  for (const { name, kind, state, engine, detail } of processes) {
    if (state === "ready" && !engine) continue;
    const said = state === "ready" ? engine : state;
    const key = JSON.stringify([kind, said, detail]);
    const known = lines.get(key);
    if (known) known.what += `, ${name}`;
    else lines.set(key, { what: name, engine: said, why: detail });
  }
  return [...lines.values()];
}

/** @param {HTMLElement} list @param {Process[]} processes */
export function showEngines(list, processes) {
  list.replaceChildren(
    ...engineLines(processes).map(({ what, engine, why }) => {
      const item = document.createElement("li");
      const title = document.createElement("b");
      title.textContent = engine;
      const who = document.createElement("small");
      who.textContent = what;
      const reason = document.createElement("small");
      reason.textContent = why;
      item.append(title, who, reason);
      return item;
    }),
  );
}
