"""What the tts tests share: which engines are here, and a sentence spoken whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from broker.errors import MissingError
from broker.messages import Phone, Word
from workers.tts.delivery import Delivery, Piece
from workers.tts.voices import Voices

VOICES = Voices()
"""One for all tests: what it holds is the libraries, and they are the process's anyway."""

SPEAKERS = (
    ("flite", "slt", "en"),
    ("flite", "rms", "en"),
    ("flite", "awb", "en"),
    ("flite", "kal16", "en"),
    ("espeak", "en-us", "en"),
    ("espeak", "f3", "en"),
    ("espeak", "es", "es"),
    ("espeak", "cmn", "zh"),
)

TEXTS = {
    "en": (
        "Hello, my name is Bob, and I may be happy to help you.",
        "The public library opens at 9:30 in the morning because people begin to come by then, as a rule!",
        "Maybe Pam bought a big umbrella (made of paper); my brother Peter put it by the lamp.",
    ),
    "es": (
        "Hola, me llamo Pablo y puedo ayudarte a buscar un buen hotel.",
        "La biblioteca pública abre a las 9:30 porque el público prefiere venir temprano.",
    ),
    "zh": ("你好，我的名字叫明明，很高兴帮助你。", "图书馆早上9:30开门，学生可以免费借100本书。"),
}


@dataclass(frozen=True)
class Spoken:
    """A whole sentence: its pieces joined."""

    pieces: tuple[Piece, ...]

    @property
    def pcm(self) -> npt.NDArray[np.float64]:
        return np.frombuffer(b"".join(piece.pcm for piece in self.pieces), "<i2").astype(np.float64) / 32768

    @property
    def words(self) -> list[Word]:
        return [word for piece in self.pieces for word in piece.words]

    @property
    def phones(self) -> list[Phone]:
        return [phone for piece in self.pieces for phone in piece.phones]

    @property
    def mouth(self) -> npt.NDArray[np.uint8]:
        return np.frombuffer(b"".join(piece.mouth for piece in self.pieces), np.uint8).reshape(-1, 15)


def speak(
    text: str, language: str = "en", engine: str = "auto", voice: str = "auto", rate: float = 1.0, from_word: int = 0
) -> Spoken:
    """Say a text with one voice, or skip the test where the engine's library is not installed."""
    try:
        voicing = VOICES.choose({language: {"engine": engine, "voice": voice}}, language, text, rate)
    except MissingError as exc:
        pytest.skip(str(exc))
    delivery = Delivery(text, voicing, from_word)
    pieces: list[Piece] = []
    for _ in range(5000):
        piece = delivery.read()
        if piece:
            pieces.append(piece)
        if piece and piece.last:
            return Spoken(tuple(pieces))
    raise AssertionError("the sentence never ends")


def level_db(pcm: npt.NDArray[np.float64]) -> float:
    """Root mean square level, dB of full scale."""
    return float(10 * np.log10(np.mean(pcm**2) + 1e-12)) if len(pcm) else -120.0


def spans(items: Sequence[Word] | Sequence[Phone]) -> list[tuple[int, int]]:
    return [(item.start_sample, item.end_sample) for item in items]
