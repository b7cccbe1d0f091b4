// @ts-check
/**
 * The conversation as lines on the page: what the person said, what was audible of the avatar, what is being heard just
 * now. The edge's word is final; the page only fills in the line that is being spoken. Pure.
 */

/**
 * @typedef {object} Line
 * @property {number} id
 * @property {"user" | "avatar" | "note"} role note: something that happened, said by nobody
 * @property {string} text
 * @property {boolean} interrupted the avatar was cut off here
 * @property {boolean} provisional the person is still speaking it
 * @property {number} turn -1 for the person's lines and for those of an earlier call
 * @property {string} passage where the answer comes from; empty when nowhere in particular
 */

export class Dialogue {
  /** @type {Line[]} */
  lines = [];
  /** Of a conversation that is gone. @type {Line[]} */
  #earlier = [];
  #ids = 0;

  /**
   * The dialogue as the edge keeps it, after a (re)connection.
   * @param {Array<{role: string, text: string, interrupted?: boolean, passage?: string}>} lines
   */
  replace(lines) {
    const told = lines.map(({ role, text, interrupted = false, passage = "" }) =>
      this.#line(role === "user" ? "user" : "avatar", text, { interrupted, passage }),
    );
    this.lines = [...this.#earlier, ...told];
  }

  /**
   * The edge has lost the conversation, and counts the turns of the next one anew: only the page still has its lines.
   * @param {string} note said below them
   */
  close(note) {
    this.hearing("");
    for (const line of this.lines) line.turn = -1;
    this.note(note);
    this.#earlier = [...this.lines];
  }

  clear() {
    this.#earlier = this.lines = [];
  }

  /** Words heard from the person, which may still change. @param {string} text */
  hearing(text) {
    const open = this.lines.find((line) => line.provisional);
    if (!text) this.lines = this.lines.filter((line) => line !== open);
    else if (open) open.text = text;
    else this.lines.push(this.#line("user", text, { provisional: true }));
  }

  /**
   * A line the avatar has accepted from the person. One that goes on from the line before (a false cut joined up again)
   * takes its place.
   * @param {string} text
   */
  user(text) {
    this.hearing("");
    const last = this.lines.at(-1);
    if (last?.role === "user" && text !== last.text && text.startsWith(last.text)) last.text = text;
    else this.lines.push(this.#line("user", text));
  }

  /**
   * A piece of the avatar's answer became audible.
   * @param {number} turn @param {string} piece @param {string} passage where the answer comes from
   */
  spoken(turn, piece, passage = "") {
    const line = this.#avatar(turn);
    if (!line) this.#insert(this.#line("avatar", piece.trimStart(), { turn, passage }));
    else {
      line.text += piece;
      line.passage ||= passage;
    }
  }

  /**
   * The turn is over, and `heard` is exactly what stays of it.
   * @param {number} turn @param {string} heard @param {boolean} interrupted
   */
  settle(turn, heard, interrupted) {
    const line = this.#avatar(turn);
    if (!heard) this.lines = this.lines.filter((other) => other !== line);
    else if (!line) this.#insert(this.#line("avatar", heard, { turn, interrupted }));
    else Object.assign(line, { text: heard, interrupted });
  }

  /** Something happened that belongs between the lines. @param {string} text */
  note(text) {
    this.#insert(this.#line("note", text));
  }

  /** @param {number} turn */
  #avatar(turn) {
    return this.lines.find((line) => line.role === "avatar" && line.turn === turn);
  }

  /** What the person is just saying stays last. @param {Line} line */
  #insert(line) {
    const at = this.lines.at(-1)?.provisional ? this.lines.length - 1 : this.lines.length;
    this.lines.splice(at, 0, line);
  }

  /** @param {Line["role"]} role @param {string} text @param {Partial<Line>} more @returns {Line} */
  #line(role, text, more = {}) {
    return { id: ++this.#ids, role, text, interrupted: false, provisional: false, turn: -1, passage: "", ...more };
  }
}
