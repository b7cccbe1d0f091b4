// @ts-check
/** Where the time of each turn went, newest first. */
import { make } from "./dom.mjs";
import { bars, computing, speculation } from "./waterfall.mjs";

const TURNS_SHOWN = 20;

export class WaterfallView {
  #list;
  #note;

  /** @param {HTMLElement} list @param {HTMLElement} note what stands there while there is no turn */
  constructor(list, note) {
    this.#list = list;
    this.#note = note;
  }

  /** @param {import("./waterfall.mjs").LatencyRecord} record @param {string} question what the turn answered */
  add(record, question) {
    const name = make("span", {}, question || `Turn ${record.turn}`);
    const head = make("header", {}, name, make("strong", {}, `${Math.round(record.total_ms)} ms`));
    const steps = make("ul", {}, ...bars(record).map(row));
    const turn = make("li", { turn: record.turn, totalMs: record.total_ms }, head, steps);
    turn.className = "turn";
    const remarks = [speculation(record), computing(record)].filter(Boolean);
    turn.append(make("small", {}, remarks.join("; ")));
    this.#list.prepend(turn);
    while (this.#list.children.length > TURNS_SHOWN) this.#list.lastElementChild?.remove();
    this.#note.hidden = true;
  }

  clear() {
    this.#list.replaceChildren();
    this.#note.hidden = false;
  }
}

/** @param {import("./waterfall.mjs").Bar} bar */
function row({ name, label, ms, left, width }) {
  const fill = make("i");
  fill.style.setProperty("--left", `${left}%`);
  fill.style.setProperty("--width", `${width}%`);
  const track = make("div", {}, fill);
  track.className = "track";
  return make("li", { step: name, ms }, make("span", {}, label), make("b", {}, `${ms} ms`), track);
}
