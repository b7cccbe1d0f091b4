// Put into a page by bench/network_room.py: its connections go where `viaPath` says, and what it sees and hears is written
// down in window.seen, on the machine's clock.
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const seen = (window.seen = { pictures: [], samples: [] });
  const bare = (sdp) => sdp.replace(/^a=candidate:.*\r?\n/gm, "");
  const connections = new Set();
  const Real = window.RTCPeerConnection;

  window.RTCPeerConnection = class extends Real {
    constructor(...parts) {
      super(...parts);
      connections.add(this);
    }

    // The edge learns no address of this page: there is only the path on which it is called.
    get localDescription() {
      const real = super.localDescription;
      return real && new RTCSessionDescription({ type: real.type, sdp: bare(real.sdp) });
    }

    set onicecandidate(_) {}

    addEventListener(kind, ...rest) {
      if (kind !== "icecandidate") super.addEventListener(kind, ...rest);
    }

    async setRemoteDescription(description) {
      return super.setRemoteDescription({ type: description.type, sdp: await window.viaPath(description.sdp) });
    }
  };

  /** One row: when, then totals of all connections there were. */
  const WHAT = ["packetsReceived", "concealedSamples", "fecPacketsReceived"];
  const PICTURES = ["framesDecoded", "nackCount", "pliCount", "retransmittedPacketsReceived", "packetsLost"];
  const totals = new Map();
  const look = async () => {
    for (const connection of connections) {
      if (connection.connectionState === "closed") continue;
      const found = totals.get(connection) ?? {};
      for (const report of (await connection.getStats()).values()) {
        if (report.type !== "inbound-rtp") continue;
        for (const name of report.kind === "audio" ? WHAT : PICTURES) found[report.kind + name] = report[name] ?? 0;
      }
      totals.set(connection, found);
    }
    const sum = (name) => [...totals.values()].reduce((all, each) => all + (each[name] ?? 0), 0);
    seen.samples.push([now(), ...WHAT.map((n) => sum("audio" + n)), ...PICTURES.map((n) => sum("video" + n))]);
    setTimeout(look, 100);
  };
  look();

  const watch = () => {
    const video = document.querySelector("video#avatar");
    if (!video) return setTimeout(watch, 50);
    const shown = () => {
      seen.pictures.push(now());
      video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
  };
  watch();
})();
