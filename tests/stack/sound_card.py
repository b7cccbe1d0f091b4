"""A sound card without hardware: PulseAudio with a loudspeaker that is recorded and a microphone that says WAVs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

RATE_HZ = 48_000
QUANTUM = 480
"""Samples whose loudness is one value: 10 ms."""
THERE = all(map(shutil.which, ("pulseaudio", "pactl", "paplay", "parec")))
STARTS_WITHIN_S = 20

MODULES = (
    f"module-null-sink sink_name=loudspeaker rate={RATE_HZ} channels=2",
    f"module-null-sink sink_name=mouth rate={RATE_HZ} channels=1",
    "module-remap-source master=mouth.monitor source_name=microphone source_properties=device.description=Microphone",
)


class SoundCard:
    """A context manager; `environment` is for the program that is to use it."""

    def __enter__(self) -> SoundCard:
        self._folder = Path(tempfile.mkdtemp(prefix="vissound"))
        socket = self._folder / "socket"
        self.environment = {"PULSE_SERVER": f"unix:{socket}", "PULSE_RUNTIME_PATH": str(self._folder)}
        self._own = os.environ | self.environment | {"PULSE_STATE_PATH": str(self._folder)}
        modules = [f"--load={module}" for module in (*MODULES, f"module-native-protocol-unix socket={socket}")]
        options = ["--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--log-level=error"]
        self._daemon = subprocess.Popen(["pulseaudio", "-n", *options, *modules], env=self._own)
        deadline = time.monotonic() + STARTS_WITHIN_S
        while subprocess.run(["pactl", "info"], env=self._own, capture_output=True).returncode:
            if self._daemon.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("PulseAudio did not start")
            time.sleep(0.1)
        for kind, name in (("sink", "loudspeaker"), ("source", "microphone")):
            subprocess.run(["pactl", f"set-default-{kind}", name], env=self._own, check=True)
        self._recorded = self._folder / "loudspeaker.s16"
        form = ["--raw", "--latency-msec=20", f"--rate={RATE_HZ}", "--format=s16le", "--channels=1"]
        with self._recorded.open("wb") as out:
            self._recorder = subprocess.Popen(["parec", "-d", "loudspeaker.monitor", *form], stdout=out, env=self._own)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (self._recorder, self._daemon):
            process.terminate()
            process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)

    def say(self, wav: bytes) -> None:
        """Say a WAV into the microphone; returns when it has been said."""
        file = self._folder / "said.wav"
        file.write_bytes(wav)
        subprocess.run(["paplay", "--device=mouth", file], env=self._own, check=True)

    @property
    def now(self) -> int:
        """Samples that the loudspeaker has played since the beginning."""
        return self._recorded.stat().st_size // 2

    def loudness(self, since: int = 0) -> npt.NDArray[np.float64]:
        """RMS (0..1) of each 10 ms that the loudspeaker has played since this sample."""
        pcm = np.fromfile(self._recorded, np.int16, offset=2 * since)
        whole = pcm[: len(pcm) // QUANTUM * QUANTUM].reshape(-1, QUANTUM) / 32768
        return np.sqrt(np.mean(whole**2, axis=1))
