// @ts-check
/**
 * The conversation in writing. Lines keep their elements, so that a line that grows is not announced or drawn anew, and
 * what has not changed is not touched: after hours there are thousands.
 */
import { make } from "./dom.mjs";

/** @typedef {import("./dialogue.mjs").Line} Line */

/** This close to the end, the reader is following and is kept there. */
const FOLLOWING_PX = 60;

export class DialogueView {
  #list;
  #scroller;
  /** The elements by the lines' ids, each with the line as it was shown last. @type {Map<number, {item: HTMLElement, shown: Line}>} */
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

  /** @param {Line[]} lines */
  show(lines) {
    const wanted = new Set(lines.map(({ id }) => id));
    for (const [id, { item }] of this.#items) {
      if (wanted.has(id)) continue;
      item.remove();
      this.#items.delete(id);
    }
    let place = this.#list.firstElementChild;
    for (const line of lines) {
      const item = this.#item(line);
      if (item === place) place = item.nextElementSibling;
      else this.#list.insertBefore(item, place);
    }
    if (this.#following) this.#toEnd();
  }

  get #endInSight() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < FOLLOWING_PX;
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** @param {Line} line */
  #item(line) {
    const { item, shown } = this.#items.get(line.id) ?? { item: make("li"), shown: null };
    if (shown && same(shown, line)) return item;
    draw(item, line);
    this.#items.set(line.id, { item, shown: { ...line } });
    return item;
  }
}

/** @param {Line} one @param {Line} other */
function same(one, other) {
  return /** @type {Array<keyof Line>} */ (Object.keys(one)).every((name) => one[name] === other[name]);
}

/** @param {HTMLElement} item @param {Line} line */
function draw(item, line) {
  item.className = "line";
  const { role, turn, passage, interrupted, provisional } = line;
  Object.assign(item.dataset, { role, turn, passage, interrupted, provisional });
  item.title = passage ? `From: ${passage}` : "";
  item.replaceChildren(interrupted ? `${line.text}\u200a— ` : line.text);
  if (interrupted) item.append(cut());
}

function cut() {
  const note = make("span", {}, "interrupted");
  note.className = "cut";
  return note;
}
