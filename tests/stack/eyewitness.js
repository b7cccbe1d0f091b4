// Put into the page by the tests before its own scripts, where ear.js cannot be: it needs no worklet, which the page's
// own policy forbids. What is heard and seen lies in window.eyewitness.
(() => {
  const EVERY_MS = 20;
  const seen = (window.eyewitness = {
    messages: [], // of the call's WebSocket: [in | out, message]
    levels: [], // rms of the avatar's last 43 ms, every 20 ms
    pictures: [], // [performance.now, rtpTimestamp, how much of the mouth is dark or null]
    connections: [],
    box: null, // the mouth in the picture: [x, y, width, height] as parts of its size
    context: null,

    /** The middle of an element, once it stands still there and nothing covers it. */
    async middleOf(selector) {
      for (let [x, y, frames] = [0, 0, 0]; ; await new Promise(requestAnimationFrame)) {
        const element = document.querySelector(selector);
        const box = element?.getBoundingClientRect();
        const middle = box ? [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)] : [0, 0];
        frames = middle[0] === x && middle[1] === y && element?.contains(document.elementFromPoint(x, y)) ? frames + 1 : 0;
        [x, y] = middle;
        if (frames > 3) return middle;
      }
    },

    /** MIME types of what comes in over the newest connection. */
    async codecs(kind) {
      const stats = await seen.connections.at(-1).getStats();
      const coming = [...stats.values()].filter((entry) => entry.type === "inbound-rtp" && entry.kind === kind);
      return coming.map(({ codecId }) => stats.get(codecId).mimeType);
    },
  });

  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(...parts) {
      super(...parts);
      seen.connections.push(this);
    }
  };

  const Socket = window.WebSocket;
  const note = (way, data) => typeof data === "string" && seen.messages.push([way, JSON.parse(data)]);
  window.WebSocket = class extends Socket {
    constructor(...parts) {
      super(...parts);
      this.addEventListener("message", ({ data }) => note("in", data));
    }
    send(data) {
      note("out", data);
      super.send(data);
    }
  };

  const listen = (stream) => {
    seen.context ??= new AudioContext();
    seen.context.resume();
    const analyser = new AnalyserNode(seen.context, { fftSize: 2048 });
    seen.context.createMediaStreamSource(new MediaStream(stream.getAudioTracks())).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    return setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      seen.levels.push(Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length));
    }, EVERY_MS);
  };

  const pen = new OffscreenCanvas(96, 64).getContext("2d", { willReadFrequently: true });
  const watch = (video) => {
    const picture = (now, { rtpTimestamp }) => {
      seen.pictures.push([now, rtpTimestamp ?? -1, seen.box ? dark(video) : null]);
      video.requestVideoFrameCallback(picture);
    };
    video.requestVideoFrameCallback(picture);
  };
  const dark = (video) => {
    const [x, y, w, h] = seen.box;
    const { videoWidth, videoHeight } = video;
    pen.drawImage(video, x * videoWidth, y * videoHeight, w * videoWidth, h * videoHeight, 0, 0, 96, 64);
    const { data } = pen.getImageData(0, 0, 96, 64);
    let count = 0;
    for (let n = 0; n < data.length; n += 4) count += data[n] * 0.3 + data[n + 1] * 0.59 + data[n + 2] * 0.11 < 60;
    return count / (96 * 64);
  };

  let followed = null;
  let ticking = 0;
  setInterval(() => {
    const video = document.querySelector("video#avatar");
    const stream = video?.srcObject;
    if (!stream?.getAudioTracks().length || stream === followed) return;
    if (!followed) watch(video);
    followed = stream;
    clearInterval(ticking);
    ticking = listen(stream);
  }, 100);
})();
