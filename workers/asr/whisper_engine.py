"""faster-whisper from a local folder: any of Whisper's languages, int8 on a CPU, float16 on CUDA.

It hears an utterance again and again while it grows, each time from its start. What two hearings in a row agree on
stays while one speaks; at a pause the newest one, which heard everything, takes their place. It runs in one thread of
its own for all sessions, behind submit and poll; nothing is fetched.
"""

from __future__ import annotations

import importlib.util
import math
import os
import queue
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from broker.errors import EngineError, MissingError
from broker.languages import primary

from .agreement import Agreement
from .engine import Hypothesis

SIZES: Final = ("small", "base", "tiny", "medium", "distil-large-v3", "large-v3-turbo", "large-v3")
"""Best first on a CPU: small takes 1.2 s for an utterance on two cores, medium more than one says in the time."""
GPU_SIZES: Final = ("large-v3-turbo", "large-v3", "distil-large-v3", "medium", "small", "base", "tiny")
FILES: Final = ("model.bin", "config.json", "tokenizer.json")
"""Without tokenizer.json the library goes to the model hub."""
AGAIN_EVERY: Final = 8_000
"""New samples (0.5 s) after which an utterance is heard again."""
LEAST: Final = 4_800
"""Whisper makes words up for less sound than this (0.3 s)."""
RATE_HZ: Final = 16_000
LONGEST: Final = 30 * RATE_HZ
"""Samples it hears at once. The vad ends utterances there, a little after; what is over goes at the start, a silence:
at the end it would be heard alone, as half a word or a made-up one."""
TOKENS_PER_S: Final = 12
MOST_TOKENS: Final = 220
"""Of the 448 that a model has for hotwords (223 at most), its marks and the text. Beyond it the rest is the limit."""


def find_model(weights: Path, size: str = "", sizes: tuple[str, ...] = SIZES) -> Path:
    """The folder of a Whisper in CTranslate2 format, `weights/whisper-<size>`. Raises MissingError with the command."""
    if importlib.util.find_spec("faster_whisper") is None:
        raise MissingError("faster-whisper is not installed: pip install 'faster-whisper>=1.2.1'.")
    for name in (size,) if size else sizes:
        folder = weights / f"whisper-{name}"
        if all((folder / file).is_file() for file in FILES):
            return folder
    raise MissingError(f"its weights are not here; `bin/models pull whisper-{size or 'small'}` brings them.")


@dataclass
class _Request:
    recogniser: WhisperRecogniser
    hearing: int
    """Which utterance of the recogniser's; an answer to an earlier one is thrown away."""
    pcm: bytes


@dataclass(frozen=True)
class _Heard:
    hearing: int
    samples: int
    text: str
    confidence: float
    language: str
    took_ns: int
    error: str = ""


class WhisperEngine:
    """The model, loaded when first needed, and its thread."""

    name = "whisper"
    detects = True

    def __init__(
        self, weights: Path, cache: Path, knowledge: Path, model: str = "", device: str = "auto", threads: int = 1
    ) -> None:
        """`model`: a size; empty: the best that is there. `device`: auto, cpu or cuda. Raises MissingError."""
        os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when the library is imported; nothing is ever fetched
        if device == "cuda" and not _cuda():
            raise MissingError(
                'whisper is to run on CUDA ([engines.whisper] device), and finds no GPU here: device = "auto", or see '
                "bin/doctor (the profile cpu hides GPUs)."
            )
        self.device = ("cuda" if _cuda() else "cpu") if device == "auto" else device
        self.folder = find_model(weights, model, GPU_SIZES if self.device == "cuda" else SIZES)
        self._threads = threads
        self._model: Any = None  # faster_whisper.WhisperModel, imported in the thread
        self._failure = ""
        self._lock = threading.Lock()
        self._waiting: dict[int, _Request] = {}
        self._wake: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="whisper", daemon=True)
        self._thread.start()

    def open(self, persona: dict[str, Any], language: str) -> WhisperRecogniser:
        """`language` empty: each utterance's is detected, among the persona's `languages`."""
        words = [str(word).partition(":")[0] for word in persona.get("asr", {}).get("words", ())]
        spoken = [language] if language else [str(tag) for tag in persona.get("languages", ())]
        tags = {primary(tag): tag for tag in reversed(spoken)}
        hotwords = ", ".join(filter(None, [persona.get("name"), *words]))
        return WhisperRecogniser(self, primary(language), hotwords, tags)

    def close(self) -> None:
        self._wake.put(False)
        self._thread.join()

    def loaded(self) -> bool:
        if self._failure:
            raise EngineError(self._failure, "asr_engine")
        return self._model is not None

    def submit(self, request: _Request) -> None:
        """A newer request of a recogniser replaces its older one."""
        with self._lock:
            self._waiting[id(request.recogniser)] = request
        self._wake.put(True)

    def cancel(self, recogniser: WhisperRecogniser) -> None:
        with self._lock:
            self._waiting.pop(id(recogniser), None)

    def _work(self) -> None:
        try:
            from faster_whisper import WhisperModel

            self._model = WhisperModel(
                str(self.folder),
                device=self.device,
                compute_type="float16" if self.device == "cuda" else "int8",
                cpu_threads=self._threads,
                local_files_only=True,
            )
        except Exception as exc:  # whatever ctranslate2 and its CUDA libraries throw: the session is told, typing works
            self._failure = f"The whisper model in {self.folder.name} cannot be loaded ({exc})."
            return
        while self._wake.get():
            with self._lock:
                if not self._waiting:
                    continue
                request = self._waiting.pop(next(iter(self._waiting)))
            request.recogniser.heard.put(self._hear(request))

    def _hear(self, request: _Request) -> _Heard:
        import numpy as np

        started_ns = time.perf_counter_ns()
        samples = len(request.pcm) // 2
        sound = np.frombuffer(request.pcm, "<i2")[-LONGEST:].astype(np.float32) / 32768
        ear = request.recogniser
        try:
            segments, about = self._transcribe(sound, ear.language, ear.hotwords)
            unspoken = ear.tags and not ear.language and about.language not in ear.tags
            if unspoken:  # of those that may be spoken, the likeliest
                chances = dict(about.all_language_probs or ())
                spoken = max(ear.tags, key=lambda language: chances.get(language, 0.0))
                segments, about = self._transcribe(sound, spoken, ear.hotwords)
            found = list(segments)
        except Exception as exc:  # a wrong language for the model, out of memory on the GPU …
            took_ns = time.perf_counter_ns() - started_ns
            return _Heard(request.hearing, samples, "", 0.0, "", took_ns, f"{type(exc).__name__}: {exc}")
        text = " ".join(segment.text.strip() for segment in found).strip()
        certainty = min(
            (math.exp(min(segment.avg_logprob, 0.0)) * (1 - segment.no_speech_prob) for segment in found), default=0.0
        )
        took_ns = time.perf_counter_ns() - started_ns
        return _Heard(request.hearing, samples, text, certainty, ear.tags.get(about.language, about.language), took_ns)

    def _transcribe(self, sound: Any, language: str, hotwords: str) -> tuple[Any, Any]:
        """The library's segments, worked out as they are read, and what it says about the sound."""
        most_tokens = 16 + TOKENS_PER_S * len(sound) // RATE_HZ
        return self._model.transcribe(  # type: ignore[no-any-return]  # faster_whisper.WhisperModel, imported late
            sound,
            language=language or None,
            beam_size=1,
            best_of=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            hotwords=hotwords or None,
            max_new_tokens=most_tokens if most_tokens <= MOST_TOKENS else None,
        )


class WhisperRecogniser:
    """One session's. What it heard arrives in `heard`."""

    def __init__(self, engine: WhisperEngine, language: str, hotwords: str, tags: dict[str, str] | None = None) -> None:
        """`language`: Whisper's name; empty: it is detected. `tags`: those that may be → the persona's names."""
        self._engine = engine
        self.language, self.hotwords, self.tags = language, hotwords, tags or {}
        self.heard: queue.SimpleQueue[_Heard] = queue.SimpleQueue()
        self.through = 0
        self.took_ns = 0
        self._hearing = 0
        self._pcm = bytearray()
        self._asked = 0
        """Samples of the utterance in the newest request."""
        self._pause: int | None = None
        """Samples at a pause of which no hearing has come yet."""
        self._agreement = Agreement()
        self._hypothesis = self._nothing()

    def ready(self) -> bool:
        return self._engine.loaded()

    def begin(self) -> None:
        self._hearing += 1
        self._pcm.clear()
        self.through = self._asked = 0
        self._pause = None
        self._agreement = Agreement()
        self._hypothesis = self._nothing()

    def feed(self, pcm: bytes) -> None:
        self._pcm += pcm
        if not self.busy() and len(self._pcm) // 2 - self._asked >= AGAIN_EVERY:
            self._ask()

    def settle(self) -> None:
        self._pause = len(self._pcm) // 2
        if self._pause > self._asked:
            self._ask()
        self._settle()

    def busy(self) -> bool:
        self._take()
        return self.through < self._asked

    def words(self) -> Hypothesis:
        self._take()
        return self._hypothesis

    def end(self, keep: bool = True) -> None:
        self._engine.cancel(self)
        self._hearing += 1
        self._asked = self.through

    def close(self) -> None:
        self.end()

    def _ask(self) -> None:
        self._asked = len(self._pcm) // 2
        if self._asked < LEAST:
            self.through = self._asked
            return
        self._engine.submit(_Request(self, self._hearing, bytes(self._pcm)))

    def _take(self) -> None:
        while not self.heard.empty():
            heard = self.heard.get()
            self.took_ns += heard.took_ns
            if heard.hearing != self._hearing:
                continue
            if heard.error:
                raise EngineError(f"whisper failed ({heard.error}).", "asr_engine")
            self.through = max(self.through, heard.samples)
            self._agreement.add(heard.text)
            self._hypothesis = Hypothesis(self._agreement.text(), heard.confidence, heard.language)
            self._settle()

    def _settle(self) -> None:
        """Take the newest hearing whole once it has heard all there was at the pause."""
        if self._pause is not None and self.through >= self._pause:
            self._pause = None
            self._agreement.settle()
            self._hypothesis = replace(self._hypothesis, text=self._agreement.text())

    def _nothing(self) -> Hypothesis:
        return Hypothesis("", 0.0, self.tags.get(self.language, self.language))


def _cuda() -> bool:
    try:
        import ctranslate2

        return bool(ctranslate2.get_cuda_device_count())
    except Exception:  # no library, or one whose driver is missing
        return False
