// Put into the page by the tests beside ear.js: the avatar's voice as it was handed to the sound output, in window.heard.
// ear.js hears it through WebAudio, behind a buffer that grows whenever the machine stalls and stays so. Here every
// piece says itself when it was handed over, however late it is read.
(() => {
  const PIECES = 4; // of each block of 10 ms
  const heard = (window.heard = {
    levels: [], // [performance.now at its beginning, rms of each quarter]
    // The blocks' clock has an origin of its own; the block that was read soonest tells which.
    leastMs: Infinity,
    stream: null, // where the page's video has none of its own
    take() {
      const taken = heard.levels.map(([ms, ...rms]) => [ms + heard.leastMs, ...rms]);
      heard.levels = [];
      return taken;
    },
  });

  const listen = async (stream) => {
    const [track] = stream.getAudioTracks();
    const { readable } = new MediaStreamTrackProcessor({ track: track.clone(), maxBufferSize: 1000 });
    for (const reader = readable.getReader(); ; ) {
      const { value, done } = await reader.read();
      if (done) return;
      const pcm = new Float32Array(value.numberOfFrames);
      value.copyTo(pcm, { planeIndex: 0, format: "f32-planar" });
      const ms = value.timestamp / 1000;
      value.close();
      heard.leastMs = Math.min(heard.leastMs, performance.now() - ms);
      const rms = (piece) => Math.sqrt(piece.reduce((sum, x) => sum + x * x, 0) / piece.length);
      const length = pcm.length / PIECES;
      heard.levels.push([ms, ...Array.from({ length: PIECES }, (_, n) => rms(pcm.subarray(n * length, (n + 1) * length)))]);
    }
  };

  let followed = null;
  setInterval(() => {
    const stream = heard.stream ?? document.querySelector("video#avatar")?.srcObject;
    if (!stream?.getAudioTracks().length || stream === followed) return;
    followed = stream;
    listen(stream);
  }, 100);
})();
