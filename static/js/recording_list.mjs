// @ts-check
/** What has been recorded, for the operator: each with its files, to fetch or to remove. */

/**
 * @typedef {{name: string, persona: string, begun: string, complete: boolean, bytes: number, duration_ms?: number,
 *   parts?: {start_ms: number, duration_ms?: number}[], files: Record<string, number>}} Recorded
 */

export class RecordingList {
  #elements;
  #deeds;
  #shown = "";

  /**
   * @param {{list: HTMLElement, none: HTMLElement}} elements
   * @param {{file: (path: string) => Promise<string>, remove: (path: string) => void}} deeds
   */
  constructor(elements, deeds) {
    this.#elements = elements;
    this.#deeds = deeds;
  }

  /** @param {Recorded[]} recordings the newest first */
  show(recordings) {
    const now = JSON.stringify(recordings);
    if (now === this.#shown) return; // a link under the pointer is not replaced
    this.#shown = now;
    this.#elements.none.hidden = recordings.length > 0;
    this.#elements.list.replaceChildren(...recordings.map((each) => this.#row(each)));
  }

  /** @param {Recorded} recording */
  #row(recording) {
    const item = document.createElement("li");
    item.dataset.recording = recording.name;
    const title = document.createElement("b");
    title.textContent = recording.persona;
    const about = document.createElement("small");
    about.textContent = aboutText(recording);
    const files = document.createElement("div");
    files.className = "files";
    files.append(...shownFiles(recording).map((file) => this.#link(recording, file)));
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "Delete";
    remove.addEventListener("click", () => {
      if (confirm("Delete this recording for good?")) this.#deeds.remove(`/recordings/${recording.name}`);
    });
    item.append(title, about, files, remove);
    return item;
  }

  /** @param {Recorded} recording @param {string} file */
  #link(recording, file) {
    const link = document.createElement("a");
    link.href = "#";
    link.textContent = file;
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      const address = await this.#deeds.file(`/recordings/${recording.name}/${file}`).catch(() => "");
      if (address) Object.assign(document.createElement("a"), { href: address, download: `${recording.name}.${file}` }).click();
    });
    return link;
  }
}

/** When, how long, how large. @param {Recorded} recording */
export function aboutText({ begun, complete, duration_ms, bytes }) {
  const when = new Date(begun).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  const length = complete && duration_ms !== undefined ? lengthText(duration_ms) : "not finished";
  return `${when} · ${length} · ${sizeText(bytes)}`;
}

/** @param {number} ms */
export function lengthText(ms) {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** @param {number} bytes */
export function sizeText(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Pictures and captions first. @param {Recorded} recording @returns {string[]} */
export function shownFiles({ files }) {
  const order = ["mp4", "webm", "vtt", "jsonl"];
  const rank = (/** @type {string} */ name) => order.indexOf(name.split(".").pop() ?? "");
  return Object.keys(files)
    .filter((name) => rank(name) >= 0)
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b, undefined, { numeric: true }));
}
