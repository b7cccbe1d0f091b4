"""silero-vad 6 through onnxruntime: how likely each 32 ms of sound is speech. No torch.

Model: https://github.com/snakers4/silero-vad (MIT), the file of its wheel. 0.1 ms a window on one core.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broker.errors import MissingError

WINDOW = 512
"""Samples a decision (32 ms at 16 kHz)."""
CONTEXT = 64
RATE_HZ = 16_000


class SileroEngine:
    """The loaded model; one serves every session."""

    name = "silero"

    def __init__(self, weights: Path) -> None:
        """`weights`: the folder that holds `silero-vad/silero_vad.onnx`. Raises MissingError."""
        import onnxruntime

        path = weights / "silero-vad" / "silero_vad.onnx"
        if not path.is_file():
            raise MissingError(f"{path} is missing; `python -m workers.weights` brings it.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._model = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def listen(self) -> SileroEar:
        """A new stream's state."""
        return SileroEar(self)

    def run(self, window: NDArray[np.float32], state: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        probability, state = self._model.run(
            None, {"input": window[None], "state": state, "sr": np.array(RATE_HZ, np.int64)}
        )
        return float(probability[0, 0]), state


class SileroEar:
    """One microphone's state. Windows must follow each other without a gap; `reset` forgets what was heard."""

    def __init__(self, engine: SileroEngine) -> None:
        self._engine = engine
        self._state: NDArray[np.float32]
        self._context: NDArray[np.float32]
        self.reset()

    def hear(self, window: NDArray[np.int16]) -> float:
        """512 samples, 16 kHz, to the probability 0..1 that they are speech."""
        sound = window.astype(np.float32) / np.float32(32768)
        probability, self._state = self._engine.run(np.concatenate([self._context, sound]), self._state)
        self._context = np.asarray(sound[-CONTEXT:], np.float32)
        return probability

    def reset(self) -> None:
        self._state = np.zeros((2, 1, 128), np.float32)
        self._context = np.zeros(CONTEXT, np.float32)
