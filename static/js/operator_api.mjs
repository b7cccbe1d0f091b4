// @ts-check
/** The control API as the console uses it: requests with the operator's token, and a session's events. */

/** What the server said is wrong. */
export class ApiError extends Error {
  /** @param {string} code @param {string} text */
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

export class OperatorApi {
  /** @param {string} token empty: this machine itself */
  constructor(token) {
    this.token = token;
  }

  /**
   * @param {string} method @param {string} path under /api/v1 @param {object} [body] a form goes as one, the rest as JSON
   * @returns {Promise<any>} the JSON; throws ApiError
   */
  async ask(method, path, body) {
    const form = body instanceof FormData;
    const response = await fetch(`/api/v1${path}`, {
      method,
      headers: this.headers(body && !form ? { "Content-Type": "application/json" } : {}),
      body: form ? body : body && JSON.stringify(body),
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new ApiError(answer.code ?? "server", answer.text ?? "The server did not answer as expected.");
    return answer;
  }

  /** A file, as an address for a link. @param {string} path under /api/v1 @returns {Promise<string>} */
  async file(path) {
    // With a token a link cannot say who asks.
    if (!this.token) return `/api/v1${path}`;
    const response = await fetch(`/api/v1${path}`, { headers: this.headers({}) });
    if (!response.ok) throw new ApiError("server", "The file cannot be had.");
    return URL.createObjectURL(await response.blob());
  }

  /**
   * Calls `hear` with each event until `signal` ends it or the stream does.
   * @param {string} session @param {(event: any) => void} hear @param {AbortSignal} signal
   */
  async events(session, hear, signal) {
    const response = await fetch(`/api/v1/sessions/${session}/events`, { headers: this.headers({}), signal });
    if (!response.ok || !response.body) return;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const split = splitter();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      for (const event of split(value)) hear(event);
    }
  }

  /** @param {Record<string, string>} more */
  headers(more) {
    return this.token ? { Authorization: `Bearer ${this.token}`, ...more } : more;
  }
}

/** Text in pieces of any size to the JSON of whole server-sent events. @returns {(piece: string) => any[]} */
export function splitter() {
  let rest = "";
  return (piece) => {
    const blocks = (rest + piece).split("\n\n");
    rest = blocks.pop() ?? "";
    return blocks.flatMap((block) => {
      const data = block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
      return data.length ? [JSON.parse(data.join("\n"))] : [];
    });
  };
}
