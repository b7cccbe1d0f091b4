// @ts-check
/** How sound and pictures find their way between this page and the server, in words. Pure but for `verdictOf`. */

/**
 * @typedef {{type: string, protocol: string, relayProtocol?: string}} Candidate as getStats has it
 * @typedef {{kind: "direct" | "reflexive" | "relayed" | "blocked" | "unknown", text: string}} Verdict
 */

/**
 * @param {{local: Candidate | null, remote: Candidate | null, gathered: string[], failed: boolean, relays?: boolean}} known
 *   local, remote: the ends of the pair in use; gathered: the types of all candidates found here; relays: the server
 *   named some
 * @returns {Verdict}
 */
export function verdict({ local, remote, gathered, failed, relays = false }) {
  if (local && remote && !failed) {
    if (local.type === "relay" || remote.type === "relay") {
      const over = (local.relayProtocol || local.protocol || "udp").toUpperCase();
      return { kind: "relayed", text: `Relayed over ${over}: your network lets nothing through directly.` };
    }
    if (local.type === "host" && (remote.type === "host" || remote.type === "prflx")) {
      return { kind: "direct", text: "Direct: nothing stands between you and the server." };
    }
    // Mostly a router's, but a browser that hides its own address (as mDNS names) shows this one without any, too.
    return { kind: "reflexive", text: "Direct, by the address that your network has for others." };
  }
  if (!failed) return { kind: "unknown", text: "Still looking for a way." };
  if (!gathered.length) return { kind: "blocked", text: "Blocked: this browser offers no network path (a privacy setting?)." };
  if (gathered.includes("relay")) {
    return { kind: "blocked", text: "Blocked: even the relay was not reached from here, or does not reach the server." };
  }
  const seen = gathered.includes("srflx") ? "your network lets UDP out, but not to this server" : "your network blocks UDP";
  const rest = relays ? "and its relay cannot be reached from here either" : "and it has no relay";
  return { kind: "blocked", text: `Blocked: ${seen}, ${rest}.` };
}

/**
 * @param {RTCPeerConnection} connection @param {boolean} [gaveUp] whoever asks waits no longer, though the browser does
 * @returns {Promise<Verdict>}
 */
export async function verdictOf(connection, gaveUp = false) {
  const servers = connection.getConfiguration?.().iceServers ?? [];
  const stats = [...(await connection.getStats()).values()];
  const byId = new Map(stats.map((entry) => [entry.id, entry]));
  const transport = stats.find(({ type, selectedCandidatePairId }) => type === "transport" && selectedCandidatePairId);
  const pair =
    byId.get(transport?.selectedCandidatePairId) ??
    stats.find((entry) => entry.type === "candidate-pair" && entry.nominated && entry.state === "succeeded");
  const end = (/** @type {string | undefined} */ id) => {
    const found = byId.get(id ?? "");
    return found ? { type: found.candidateType, protocol: found.protocol, relayProtocol: found.relayProtocol } : null;
  };
  return verdict({
    local: end(pair?.localCandidateId),
    remote: end(pair?.remoteCandidateId),
    gathered: stats.filter(({ type }) => type === "local-candidate").map(({ candidateType }) => candidateType),
    failed: gaveUp || ["failed", "closed"].includes(connection.connectionState),
    relays: servers.flatMap(({ urls }) => urls).some((url) => /^turns?:/.test(url)),
  });
}
