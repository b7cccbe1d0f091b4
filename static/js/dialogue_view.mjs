// @ts-check
/** The conversation in writing. Lines keep their elements, so that a line that grows is not announced or drawn anew. */
import { make } from "./dom.mjs";

/** This close to the end, the reader is following and is kept there. */
const FOLLOWING_PX = 60;

export class DialogueView {
  #list;
  #scroller;
  /** @type {Map<number, HTMLElement>} */
  #items = new Map();
  /** Whether the end was in sight when the reader last scrolled, or a line came. */
  #following = true;

  /** @param {HTMLElement} list @param {HTMLElement} scroller */
  constructor(list, scroller) {
    this.#list = list;
    this.#scroller = scroller;
    scroller.addEventListener("scroll", () => (this.#following = this.#endInSight));
    // A phone that is turned, or its keyboard, takes the end out of sight without anybody scrolling.
    new ResizeObserver(() => this.#following && this.#toEnd()).observe(scroller);
  }

  /** @param {import("./dialogue.mjs").Line[]} lines */
  show(lines) {
    const wanted = new Set(lines.map(({ id }) => id));
    for (const [id, item] of this.#items) {
      if (wanted.has(id)) continue;
      item.remove();
      this.#items.delete(id);
    }
    lines.forEach((line, place) => {
      const item = this.#item(line);
      if (this.#list.children[place] !== item) this.#list.insertBefore(item, this.#list.children[place] ?? null);
    });
    if (this.#following) this.#toEnd();
  }

  get #endInSight() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < FOLLOWING_PX;
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** @param {import("./dialogue.mjs").Line} line */
  #item(line) {
    const item = this.#items.get(line.id) ?? make("li");
    this.#items.set(line.id, item);
    item.className = "line";
    const { role, turn, passage, interrupted, provisional } = line;
    Object.assign(item.dataset, { role, turn, passage, interrupted, provisional });
    item.title = passage ? `From: ${passage}` : "";
    const text = interrupted ? `${line.text}\u200a— ` : line.text;
    if (item.firstChild?.textContent !== text || item.childNodes.length > 1 !== interrupted) {
      item.replaceChildren(text);
      if (interrupted) item.append(cut());
    }
    return item;
  }
}

function cut() {
  const note = make("span", {}, "interrupted");
  note.className = "cut";
  return note;
}
