// @ts-check
/** How one peer connection fares: connected, unsteady, failed; also failed when it does not connect in time. */

/** Host candidates connect within 0.1 s; after this long there is no way through. */
const CONNECT_WITHIN_MS = 8000;

export class ConnectionWatch {
  #connection;
  #tell;
  #over = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #deadline;

  /** @param {RTCPeerConnection} connection @param {(state: "connected" | "unsteady" | "failed") => void} tell */
  constructor(connection, tell) {
    this.#connection = connection;
    this.#tell = tell;
    connection.onconnectionstatechange = () => this.#changed();
  }

  /** From now on the time counts. */
  begin() {
    this.#deadline = setTimeout(() => this.fail(), CONNECT_WITHIN_MS);
  }

  /** For what the connection itself does not notice. */
  fail() {
    if (!this.#over) this.#tell("failed");
  }

  /** Closes the connection too; nothing is told any more. */
  close() {
    this.#over = true;
    clearTimeout(this.#deadline);
    this.#connection.onicecandidate = this.#connection.onconnectionstatechange = null;
    this.#connection.close();
  }

  #changed() {
    const state = this.#connection.connectionState;
    if (state === "connected") {
      clearTimeout(this.#deadline);
      this.#tell("connected");
    } else if (state === "disconnected") this.#tell("unsteady");
    else if (state === "failed") this.fail();
  }
}
