// Put into the page by the tests before its own scripts: a microphone that plays WAVs on demand, and a recorder that
// hears microphone and avatar on one audio clock. Results lie in window.ear.
(() => {
  const QUANTUM = 128;
  const worklet = `registerProcessor("ear", class extends AudioWorkletProcessor {
    constructor() { super(); this.levels = []; this.from = currentFrame; }
    process(inputs) {
      const rms = (input) => {
        if (!input.length) return 0;
        let sum = 0;
        for (const x of input[0]) sum += x * x;
        return Math.sqrt(sum / input[0].length);
      };
      if (!this.levels.length) this.from = currentFrame;
      this.levels.push(rms(inputs[0]), rms(inputs[1]));
      if (this.levels.length >= 64) { this.port.postMessage([this.from, this.levels]); this.levels = []; }
      return true;
    }
  });`;

  class Ear {
    constructor() {
      this.said = []; // [id, start frame, end frame] on the audio clock
      this.blocks = []; // [first frame, [mic rms, avatar rms, …]]
      this.pictures = []; // [performance.now, mediaTime, rtpTimestamp, mouth]
      this.clock = []; // [performance.now, audio frame]
      this.box = null; // the mouth in the picture: [x, y, w, h] as parts of its size
      this.gate = null;
      this.pcm = null;
    }

    async open() {
      this.context = new AudioContext({ sampleRate: 48000 });
      await this.context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], { type: "text/javascript" })));
      this.microphone = this.context.createMediaStreamDestination();
      this.node = new AudioWorkletNode(this.context, "ear", { numberOfInputs: 2, channelCount: 1, channelCountMode: "explicit" });
      this.node.port.onmessage = ({ data }) => {
        this.blocks.push(data);
        this.clock.push([performance.now(), this.context.currentTime * 48000]);
      };
      const hush = this.context.createGain();
      hush.gain.value = 0;
      this.node.connect(hush).connect(this.context.destination);
      // A microphone is never digitally silent: a floor of noise at -75 dBFS.
      const floor = this.context.createBufferSource();
      const noise = this.context.createBuffer(1, 48000, 48000);
      const samples = noise.getChannelData(0);
      for (let n = 0; n < samples.length; n++) samples[n] = (Math.random() - 0.5) * 0.0006;
      floor.buffer = noise;
      floor.loop = true;
      floor.connect(this.microphone);
      floor.start();
      this.attachWhenThere();
    }

    attachWhenThere() {
      const video = document.querySelector("video#avatar");
      const stream = video?.srcObject;
      if (stream && stream.getAudioTracks().length && stream !== this.stream) {
        this.stream = stream;
        this.renew();
        if (this.video !== video) this.watch(video);
      }
      setTimeout(() => this.attachWhenThere(), 100);
    }

    /** Listen through an empty queue: the browser's, between the call and this recorder, grows whenever it stalls. */
    renew() {
      this.source?.disconnect();
      this.source = this.context.createMediaStreamSource(new MediaStream(this.stream.getAudioTracks()));
      this.source.connect(this.node, 0, 1);
    }

    watch(video) {
      this.video = video;
      const canvas = new OffscreenCanvas(96, 64);
      const context = canvas.getContext("2d", { willReadFrequently: true });
      const seen = (now, meta) => {
        let mouth = null;
        if (this.box) {
          const [x, y, w, h] = this.box;
          context.drawImage(video, x * video.videoWidth, y * video.videoHeight, w * video.videoWidth, h * video.videoHeight, 0, 0, 96, 64);
          const { data } = context.getImageData(0, 0, 96, 64);
          mouth = 0;
          for (let n = 0; n < data.length; n += 4) {
            if (data[n] * 0.3 + data[n + 1] * 0.59 + data[n + 2] * 0.11 < this.dark) mouth++;
          }
          mouth /= 96 * 64;
        }
        this.pictures.push([now, meta.mediaTime, meta.rtpTimestamp ?? -1, mouth, meta.expectedDisplayTime]);
        video.requestVideoFrameCallback(seen);
      };
      video.requestVideoFrameCallback(seen);
    }

    /** Say a WAV (base64); resolves with [start, end] frames on the audio clock once it is scheduled. */
    async say(id, base64, delay = 0.05) {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const buffer = await this.context.decodeAudioData(bytes.buffer);
      const source = this.context.createBufferSource();
      source.buffer = buffer;
      source.connect(this.microphone);
      source.connect(this.node, 0, 0);
      const at = this.context.currentTime + delay;
      source.start(at);
      const times = [Math.round(at * 48000), Math.round((at + buffer.duration) * 48000)];
      this.said.push([id, ...times]);
      return times;
    }

    /** What has been heard since the last call, and forget it. */
    take() {
      const taken = { blocks: this.blocks, pictures: this.pictures, clock: this.clock, said: this.said };
      this.blocks = [];
      this.pictures = [];
      this.clock = [];
      return taken;
    }
  }

  window.ear = new Ear();
  window.ear.dark = 60;
  window.messages = [];
  const opened = window.ear.open();
  const real = navigator.mediaDevices?.getUserMedia?.bind(navigator.mediaDevices);
  if (real && !window.earRealMicrophone) {
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      if (constraints?.video) return real(constraints);
      await opened;
      return new MediaStream(window.ear.microphone.stream.getAudioTracks().map((track) => track.clone()));
    };
  }
  // Every message of the call's WebSocket, both ways, with the page's clock.
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...parts) {
      super(...parts);
      window.lastSocket = this;
      this.addEventListener("message", ({ data }) => {
        try {
          window.messages.push(["in", performance.now(), JSON.parse(data)]);
        } catch {
          window.messages.push(["in", performance.now(), { type: "unreadable" }]);
        }
      });
    }
    send(data) {
      try {
        window.messages.push(["out", performance.now(), JSON.parse(data)]);
      } catch {
        window.messages.push(["out", performance.now(), { type: "unreadable" }]);
      }
      super.send(data);
    }
  };
})();
