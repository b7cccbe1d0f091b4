// The verdict on the path between a page and the server, from what the browser's statistics say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { verdict, verdictOf } from "../../static/js/path_verdict.mjs";

const end = (type, more = {}) => ({ type, protocol: "udp", ...more });
const at = (local, remote, gathered = ["host"], failed = false) => verdict({ local, remote, gathered, failed });

test("a path is direct, through a router, or relayed", () => {
  assert.equal(at(end("host"), end("host")).kind, "direct");
  assert.equal(at(end("srflx"), end("host")).kind, "reflexive");
  assert.equal(at(end("prflx"), end("host")).kind, "reflexive");
  const relayed = at(end("relay", { relayProtocol: "tcp" }), end("host"));
  assert.equal(relayed.kind, "relayed");
  assert.match(relayed.text, /TCP/);
});

test("what blocks it is named", () => {
  assert.match(at(null, null, [], true).text, /no network path/);
  assert.match(at(null, null, ["host"], true).text, /blocks UDP, and it has no relay/);
  assert.match(at(null, null, ["host", "srflx"], true).text, /not to this server/);
  assert.match(at(null, null, ["host", "relay"], true).text, /even the relay/);
  const shut = verdict({ local: null, remote: null, gathered: ["host"], failed: true, relays: true });
  assert.match(shut.text, /blocks UDP, and its relay cannot be reached/);
  assert.equal(at(null, null).kind, "unknown");
});

test("it is read from a connection's statistics", async () => {
  const entries = [
    { id: "T", type: "transport", selectedCandidatePairId: "P" },
    { id: "P", type: "candidate-pair", localCandidateId: "L", remoteCandidateId: "R", nominated: true },
    { id: "L", type: "local-candidate", candidateType: "relay", protocol: "udp", relayProtocol: "tls" },
    { id: "R", type: "remote-candidate", candidateType: "host", protocol: "udp" },
  ];
  const connection = { connectionState: "connected", getStats: async () => new Map(entries.map((e) => [e.id, e])) };
  const found = await verdictOf(connection);
  assert.equal(found.kind, "relayed");
  assert.match(found.text, /TLS/);
});
