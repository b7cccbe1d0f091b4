"""smart-turn v3.2 through onnxruntime: from the sound alone, has the person finished speaking?

Model: https://huggingface.co/pipecat-ai/smart-turn-v3 (BSD-2), the file inside the pipecat-ai wheel. 4 ms of features
and 24 ms of network, which is more than a step may last: a thread of its own does it, behind submit and poll.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from pathlib import Path

import numpy as np

from broker.errors import MissingError

from .engine import Question, Verdict
from .log_mel import SAMPLES, log_mel

NICE = 5
"""Of the thread, not of the process: 28 ms of thinking must not keep the ear waiting."""


class SmartTurnEngine:
    """The loaded model and the thread it runs in. Only the newest question of each session is answered."""

    name = "smart-turn"
    recent_samples = SAMPLES
    """How much of the utterance's end it looks at."""

    def __init__(self, weights: Path) -> None:
        """`weights`: the folder that holds `smart-turn/smart-turn-v3.2-cpu.onnx`. Raises MissingError."""
        import onnxruntime

        path = weights / "smart-turn" / "smart-turn-v3.2-cpu.onnx"
        if not path.is_file():
            raise MissingError(f"{path} is missing; `python -m workers.weights` brings it.")
        options = onnxruntime.SessionOptions()
        # Two threads are slower than one as soon as anything else runs on the machine (33-70 ms against 26).
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._model = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._waiting: dict[str, tuple[Question, bytes]] = {}
        self._wake: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Verdict] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def p_end(self, pcm: bytes) -> float:
        """The verdict on an utterance so far (mono s16le 16 kHz, some 200 ms of silence at its end), at once."""
        features = log_mel(np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768))
        return float(np.ravel(self._model.run(None, {"input_features": features[None]})[0])[0])

    def submit(self, question: Question, pcm: bytes) -> None:
        """An older question of the session that is still unanswered is dropped."""
        with self._lock:
            self._waiting[question[0]] = (question, pcm)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="smart-turn", daemon=True)
            self._thread.start()
        self._wake.put(True)

    def poll(self) -> list[Verdict]:
        verdicts = []
        while not self._done.empty():
            verdicts.append(self._done.get())
        return verdicts

    def cancel(self, session: str) -> None:
        with self._lock:
            self._waiting.pop(session, None)

    def close(self) -> None:
        if self._thread is not None:
            self._wake.put(False)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), max(NICE, os.nice(0)))  # Linux: of this thread
        while self._wake.get():
            with self._lock:
                if not self._waiting:
                    continue
                question, pcm = self._waiting.pop(next(iter(self._waiting)))
            started_ns = time.perf_counter_ns()
            self._done.put(Verdict(question, self.p_end(pcm), time.perf_counter_ns() - started_ns))
