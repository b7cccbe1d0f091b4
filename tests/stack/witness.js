// Put into the page beside ear.js: asks the edge for mouth frames, and keeps what a switch of faces and voices shows.
(() => {
  // The page itself wants no mouth frames while it shows pictures.
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    window.line = this;
    return send.call(this, typeof text === "string" ? text.replace('"mouth":false', '"mouth":true') : text);
  };

  const witness = (window.witness = { pictures: [], pitch: [] });

  // Each picture as [performance.now, 8×8 RGB].
  const canvas = new OffscreenCanvas(8, 8);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const look = (video) => (now) => {
    pen.drawImage(video, 0, 0, 8, 8);
    const { data } = pen.getImageData(0, 0, 8, 8);
    witness.pictures.push([now, [...data].filter((_, n) => n % 4 < 3)]);
    video.requestVideoFrameCallback(look(video));
  };

  // The voice's pitch as [performance.now, Hz], where there is one: the lag at which 43 ms at 6 kHz are like themselves.
  const listen = (stream) => {
    const { context } = window.ear;
    const analyser = new AnalyserNode(context, { fftSize: 2048 });
    context.createMediaStreamSource(new MediaStream(stream.getAudioTracks())).connect(analyser);
    const samples = new Float32Array(2048);
    setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const x = Float32Array.from({ length: 256 }, (_, n) => {
        let sum = 0;
        for (let k = 0; k < 8; k++) sum += samples[8 * n + k];
        return sum / 8;
      });
      const like = (lag) => {
        let sum = 0;
        for (let n = 0; n + 90 < 256; n++) sum += x[n] * x[n + lag];
        return sum;
      };
      const whole = like(0);
      if (whole / 166 < 0.0001) return;
      const likes = Array.from({ length: 66 }, (_, n) => like(20 + n));
      const best = Math.max(...likes);
      // The shortest lag that is nearly as good as the best: twice a period is as like itself as one.
      const at = likes.findIndex((value, n) => value > 0.85 * best && value >= (likes[n + 1] ?? 0));
      if (best > 0.5 * whole) witness.pitch.push([performance.now(), 6000 / (20 + at)]);
    }, 20);
  };

  const attach = () => {
    const video = document.querySelector("video#avatar");
    if (!video?.srcObject || !window.ear?.context) return setTimeout(attach, 50);
    video.requestVideoFrameCallback(look(video));
    listen(video.srcObject);
  };
  attach();
})();
