"""pocketsphinx 5, biased to the persona: words while one speaks, a decoder for each session. English only.

One pass of search (`fwdflat` and `bestpath` off): the words stand a few milliseconds after the last sound, not 60.
The speaker's cepstral mean stays with the session.
"""

from __future__ import annotations

import ctypes
import logging
import math
import re
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from broker.errors import EngineError, MissingError, VisavisError
from broker.languages import primary
from workers.documents import printable

from .biased_model import BiasedModel, build
from .engine import Hypothesis
from .libpocketsphinx import library, model_folder
from .pronounce import Pronounce
from .speaker import AVERAGE, SpeakerMean
from .vocabulary import own_pronunciations, persona_sentences

logger = logging.getLogger(__name__)

DOMAIN_WEIGHT: Final = 0.5
"""Of the persona's language model in the interpolation (bench/asr.py: 0.3 to 0.6 differ by less than a point)."""
LANGUAGE_WEIGHT: Final = 8.0
"""Of the language model against the sound; the library's is 6.5. On a stranger's 90 questions by six voices (none of
those that bench/asr.py reports): 31.6 to 27.8 % word errors in quiet, 56.5 to 52.3 in noise, a third less to search;
with 9.5 it was 31.2 and 51.9."""
WORD_PENALTY: Final = 0.3
"""The library's 0.65 lets noise and breath become short words (word error rate 17.1 against 16.3 %)."""
LOG_BASE: Final = 1.0001
MOST_STATES: Final = 5000
"""Active at a time. Unbounded, the search of noise takes ten times as long as that of speech; speech loses nothing."""
ADAPT_EVERY: Final = 16_000
"""Samples after which the speaker's mean is brought up to date, within an utterance too."""
FRAME: Final = 160
MOST_SPARE: Final = 2
"""Decoders kept for the next session of a persona: making one takes 0.3 s, each holds some 40 MB."""


class PocketsphinxEngine:
    """The models, shared, and the thread that prepares decoders."""

    name = "pocketsphinx"

    def __init__(self, weights: Path, cache: Path, knowledge: Path, bias: bool = True) -> None:
        """The models are inside the wheel: `weights` is not needed. Without `bias`: general English only.

        Raises MissingError.
        """
        try:
            self._library = library()
        except ImportError as exc:
            raise MissingError(
                f"pocketsphinx is missing or unusable ({exc}): pip install 'pocketsphinx>=5.1,<6'."
            ) from exc
        self._cache, self._knowledge, self._bias = cache / "asr", knowledge, bias
        self._maker = ThreadPoolExecutor(1, "pocketsphinx-maker")
        self._lock = threading.Lock()
        self._awaited = 0
        """Decoders that sessions wait for."""
        self._spare: dict[BiasedModel, list[Decoder]] = {}
        self._interpolated: dict[BiasedModel, int] = {}
        self._general = 0
        self._logmath: int | None = None

    def open(self, persona: dict[str, Any], language: str) -> PocketsphinxRecogniser:
        if primary(language) != "en":
            raise EngineError(
                f"pocketsphinx understands English only, not {language!r}. "
                "`bin/models pull whisper-small` brings an engine that does.",
                "asr_language",
            )
        with self._lock:
            self._awaited += 1
        coming = self._maker.submit(self._decoder, persona)
        coming.add_done_callback(self._no_longer_awaited)
        return PocketsphinxRecogniser(self, coming)

    def prepare(self, persona: dict[str, Any], language: str) -> None:
        """A decoder is made beside for a session to come; who takes over a dead process's session has it at once."""
        if primary(language) == "en":
            self._maker.submit(self._make_spare, persona)

    def close(self) -> None:
        self._maker.shutdown(cancel_futures=True)

    def take_back(self, decoder: Decoder) -> None:
        """A session is over: its decoder waits for the next one of the same persona."""
        with self._lock:
            spare = self._spare.setdefault(decoder.model, [])
            if len(spare) < MOST_SPARE:
                spare.append(decoder)

    def _no_longer_awaited(self, _: Future[Decoder]) -> None:
        with self._lock:
            self._awaited -= 1

    def _make_spare(self, persona: dict[str, Any]) -> None:
        if self._awaited:  # behind those that sessions wait for
            self.prepare(persona, "en")
            return
        try:
            self.take_back(self._decoder(persona))
        except VisavisError as error:  # told when a session needs it
            logger.warning("ears not prepared", extra={"persona": persona.get("id"), "reason": str(error)})

    def _decoder(self, persona: dict[str, Any]) -> Decoder:
        """The persona's; where its words break what prepares it, one that knows none of them. Raises EngineError."""
        lacks = ""
        for known in (persona, {}):
            try:
                decoder = self._decoder_for(known)
            except VisavisError:
                raise
            except Exception as error:
                logger.exception("vocabulary left out", extra={"persona": known.get("id")})
                why = f"{type(error).__name__}: {str(error)[:200]}"
                lacks = lacks or printable(f"Its words are not listened for, but everyday English is ({why}).")
            else:
                decoder.lacks = lacks
                return decoder
        raise EngineError(f"pocketsphinx cannot be prepared. {lacks}")

    def _decoder_for(self, persona: dict[str, Any]) -> Decoder:
        folder = str(persona.get("knowledge", {}).get("folder") or "")
        knowledge = self._knowledge / folder if folder and self._bias else None
        sentences = persona_sentences(persona if self._bias else {}, knowledge)
        own_said = own_pronunciations(persona) if self._bias else {}
        model = build(sentences, model_folder(), self._cache, _synthesiser_g2p(), own_said)
        with self._lock:
            spare = self._spare.get(model)
            if spare:
                return spare.pop()
        return Decoder(self._library, model, self._language_model(model), self._general)

    def _language_model(self, model: BiasedModel) -> int:
        """The persona's model and the general one, interpolated; shared by the decoders of this process.

        Only the maker thread comes here, and the stage's thread is the only one that decodes with what it returns.
        """
        if model not in self._interpolated:
            lib = self._library
            self._logmath = self._logmath or lib.logmath_init(LOG_BASE, 0, 0)
            config = decoder_config(lib, model)  # reading with a configuration applies its weights to the model
            parts = [model.language_model, model_folder() / "en-us.lm.bin"]
            read = [lib.ngram_model_read(config, str(path).encode(), 0, self._logmath) for path in parts]
            lib.ps_config_free(config)
            if not all(read):
                raise EngineError(f"The language model {model.language_model} cannot be read.")
            domain = DOMAIN_WEIGHT if self._bias else 0.001
            weights = (ctypes.c_float * 2)(domain, 1 - domain)
            names = (ctypes.c_char_p * 2)(b"persona", b"general")
            made = lib.ngram_model_set_init(None, (ctypes.c_void_p * 2)(*read), names, weights, 2)
            self._general = self._general or lib.ngram_model_retain(read[1])
            for part in read:  # the set keeps its own references
                lib.ngram_model_free(part)
            self._interpolated[model] = made
        return self._interpolated[model]


class Decoder:
    """A decoder of the C library with one search in it."""

    def __init__(self, lib: ctypes.CDLL, model: BiasedModel, language_model: int, general: int) -> None:
        self._lib = lib
        self.model = model
        self.lacks = ""
        """Why the words of the persona it is for are not in it; empty if they are."""
        self._general = general
        self._stop = lib.ngram_wid(general, b"</s>")
        config = decoder_config(lib, model)
        self._handle = lib.ps_init(config)
        lib.ps_config_free(config)
        if not self._handle:
            raise EngineError(f"pocketsphinx cannot be set up with {model.dictionary}.")
        if lib.ps_add_lm(self._handle, b"persona", language_model) or lib.ps_activate_search(self._handle, b"persona"):
            raise EngineError(f"pocketsphinx does not take the language model {model.language_model}.")

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._lib.ps_free(self._handle)

    def start(self) -> None:
        # Forgets the noise of the utterance before: whoever hears this one again hears the same.
        self._lib.ps_start_stream(self._handle)
        self._lib.ps_start_utt(self._handle)

    def feed(self, pcm: bytes) -> None:
        self._lib.ps_process_raw(self._handle, pcm, len(pcm) // 2, 0, 0)

    def end(self) -> None:
        self._lib.ps_end_utt(self._handle)

    def text(self) -> str:
        spelled = self._lib.ps_get_hyp(self._handle, None) or b""
        return re.sub(r"\(\d+\)", "", spelled.decode())

    def ends(self, text: str) -> float | None:
        """ln P(sentence end | the last two words) by the general model: "my computer" ends one, "of the" does not."""
        last = [self._lib.ngram_wid(self._general, word.encode()) for word in reversed(text.split()[-2:])]
        if not last:
            return None
        used = ctypes.c_int32()
        history = (ctypes.c_int32 * len(last))(*last)
        found = self._lib.ngram_ng_prob(self._general, self._stop, history, len(last), ctypes.byref(used))
        return float(found) * math.log(LOG_BASE)

    def segments(self) -> list[tuple[str, int, int]]:
        """(word or filler, 10 ms frames, acoustic score) of the best path; scores are relative to each frame's best."""
        lib, found = self._lib, []
        first, last, acoustic, linguistic, back = (ctypes.c_int() for _ in range(5))
        segment = lib.ps_seg_iter(self._handle)
        while segment:
            lib.ps_seg_frames(segment, ctypes.byref(first), ctypes.byref(last))
            lib.ps_seg_prob(segment, ctypes.byref(acoustic), ctypes.byref(linguistic), ctypes.byref(back))
            found.append((lib.ps_seg_word(segment).decode(), last.value - first.value + 1, acoustic.value))
            segment = lib.ps_seg_next(segment)
        return found

    def reported_mean(self) -> bytes:
        """The cepstral mean over what was heard since it was set, with the library's memory in it."""
        return bytes(self._lib.ps_get_cmn(self._handle, 1))

    def set_mean(self, mean: bytes) -> None:
        self._lib.ps_set_cmn(self._handle, mean)


class PocketsphinxRecogniser:
    """One session's decoder."""

    def __init__(self, engine: PocketsphinxEngine, decoder: Future[Decoder]) -> None:
        self._engine = engine
        self._coming = decoder
        self._decoder: Decoder | None = None
        self._speaker = self._before = SpeakerMean(AVERAGE)
        self._adapted_through = 0
        self._open = False
        self.through = 0
        self.took_ns = 0

    @property
    def lacks(self) -> str:
        return self._decoder.lacks if self._decoder else ""

    def ready(self) -> bool:
        if self._decoder is None and self._coming.done():
            self._decoder = self._coming.result()
        return self._decoder is not None

    def begin(self) -> None:
        assert self._decoder is not None
        self._before = replace(self._speaker, frames=0)
        self._speaker = replace(self._before)
        self._decoder.set_mean(self._speaker.text())
        self._decoder.start()
        self._open = True
        self.through = self._adapted_through = 0

    def feed(self, pcm: bytes) -> None:
        assert self._decoder is not None
        started_ns = time.perf_counter_ns()
        self._decoder.feed(pcm)
        self.through += len(pcm) // 2
        if self.through - self._adapted_through >= ADAPT_EVERY:
            self._adapt()
        self.took_ns += time.perf_counter_ns() - started_ns

    def settle(self) -> None:
        pass

    def busy(self) -> bool:
        return False

    def words(self) -> Hypothesis:
        assert self._decoder is not None
        text = self._decoder.text()
        return Hypothesis(text, confidence(self._decoder.segments()), "en", self._decoder.ends(text))

    def end(self, keep: bool = True) -> None:
        if self._open and self._decoder is not None:
            if keep:
                self._adapt()
            else:
                self._speaker = self._before
            self._decoder.end()
        self._open = False

    def _adapt(self) -> None:
        assert self._decoder is not None
        frames = (self.through - self._adapted_through) // FRAME
        self._speaker.heard(self._decoder.reported_mean(), frames)
        self._decoder.set_mean(self._speaker.text())
        self._adapted_through = self.through

    def close(self) -> None:
        self.end()
        if self._decoder is not None:
            self._engine.take_back(self._decoder)
            self._decoder = None
        else:
            self._coming.cancel()


SILENCE: Final = frozenset(("<s>", "</s>", "<sil>"))


def confidence(segments: list[tuple[str, int, int]]) -> float:
    """The share of what sounds that is words; the rest the decoder itself took for noise, breath or coughing.

    Acoustic scores are of no use here: white noise scores better than speech (-17 a frame against -30).
    """
    words = sum(frames for name, frames, _ in segments if name[0] not in "<[+")
    other = sum(frames for name, frames, _ in segments if name[0] in "<[+" and name not in SILENCE)
    return words / (words + other) if words else 0.0


def decoder_config(lib: ctypes.CDLL, model: BiasedModel) -> int:
    """A configuration the caller frees."""
    config = int(lib.ps_config_init(None))
    lib.ps_config_set_str(config, b"hmm", str(model_folder() / "en-us").encode())
    lib.ps_config_set_str(config, b"dict", str(model.dictionary).encode())
    lib.ps_config_set_str(config, b"lm", None)
    lib.ps_config_set_bool(config, b"fwdflat", 0)
    lib.ps_config_set_bool(config, b"bestpath", 0)
    lib.ps_config_set_int(config, b"maxhmmpf", MOST_STATES)
    lib.ps_config_set_float(config, b"lw", LANGUAGE_WEIGHT)
    lib.ps_config_set_float(config, b"wip", WORD_PENALTY)
    return config


def _synthesiser_g2p() -> Pronounce | None:
    """The tts stage's rules for unknown words, where it has some."""
    try:
        from workers.tts.g2p import g2p
    except ImportError:
        return None

    def say(word: str) -> tuple[str, ...]:
        phones = " ".join(re.sub(r"\d", "", phone) for phone in g2p(word, "en"))
        return (phones,) if phones else ()

    return say
