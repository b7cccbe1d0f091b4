// @ts-check
/** The edge's workshop over HTTP, with the operator's token where there is one. */

/** @typedef {import("./report.mjs").Answer} Answer */

const TOKEN = "visavis-operator-token";

export class Workshop {
  get token() {
    return sessionStorage.getItem(TOKEN) ?? "";
  }

  set token(token) {
    sessionStorage.setItem(TOKEN, token);
  }

  /** @returns {Promise<{name: string, kinds: string[], personas: string[]}[] | null>} null: a token is needed */
  async avatars() {
    const response = await this.#fetch("/workshop/avatars", {});
    return response.status === 401 ? null : ((await response.json()).avatars ?? []);
  }

  /** @param {File} file @param {number} face @returns {Promise<Answer>} */
  check(file, face) {
    return this.#send(`/workshop/check?face=${face}`, file);
  }

  /** @param {File} file @param {string} name @param {Record<string, string>} wishes @returns {Promise<Answer>} */
  add(file, name, wishes) {
    return this.#send(`/workshop/avatars/${encodeURIComponent(name)}?${new URLSearchParams(wishes)}`, file);
  }

  /** @param {string} path @param {File} file @returns {Promise<Answer>} */
  async #send(path, file) {
    try {
      const headers = { "X-File-Name": encodeURIComponent(file.name) };
      const response = await this.#fetch(path, { method: "POST", body: file, headers });
      if (response.status === 413) return { usable: false, error: "The file is larger than 300 MB; use a smaller one." };
      return await response.json();
    } catch {
      return { usable: false, error: "The server did not answer; look whether it runs, and try again." };
    }
  }

  /** @param {string} path @param {RequestInit} options */
  #fetch(path, options) {
    const headers = new Headers(options.headers);
    if (this.token) headers.set("Authorization", `Bearer ${this.token}`);
    return fetch(path, { ...options, headers });
  }
}
