"""One sentence's way to voice, with an engine that can begin before it has finished."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.tts.test_voices import Humming
from tests.tts.voiced import VOICES, Spoken
from workers.tts.delivery import Delivery, Piece, Voicing
from workers.tts.engine import Sound
from workers.tts.words import Token

TEXT = "one two three four five six seven eight"


class Growing(Humming):
    """Gives the first part of each clause before the whole."""

    def __init__(self, known: int) -> None:
        super().__init__()
        self._known = known

    def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> Growing.Utterance:
        whole = super().start(clause, language, voice, rate).read()
        assert whole is not None
        return self.Utterance(whole, self._known)

    class Utterance:
        def __init__(self, whole: Sound, known: int) -> None:
            self._steps = [
                None,
                Sound(pcm=whole.pcm[:known], rate_hz=whole.rate_hz, phones=whole.phones, complete=False),
                None,
                whole,
            ]

        def read(self) -> Sound | None:
            return self._steps.pop(0)

        def cancel(self) -> None:
            pass


def pieces(engine: Humming, text: str = TEXT) -> list[Piece]:
    delivery = Delivery(text, Voicing(engine=engine, voice="low", language="en"))
    read: list[Piece] = []
    for _ in range(100):
        piece = delivery.read()
        read += [piece] if piece else []
        if piece and piece.last:
            return read
    raise AssertionError("the sentence never ends")


@pytest.mark.parametrize("known", [3000, 4000, 5500, 8000, 12_799])
def test_a_clause_given_in_two_parts_sounds_as_if_given_whole(known: int) -> None:
    parts, whole = Spoken(tuple(pieces(Growing(known)))), Spoken(tuple(pieces(Humming())))
    assert len(parts.pieces) == 2
    assert np.abs(parts.pcm - whole.pcm).max() < 0.002
    assert np.abs(parts.mouth.astype(int) - whole.mouth).max() <= 4
    assert parts.words == whole.words
    assert parts.phones == whole.phones


def test_all_marks_come_with_the_first_part_and_each_part_has_its_own_mouth() -> None:
    first, rest = pieces(Growing(5500))
    assert len(first.words) == 8
    assert (rest.words, rest.phones) == ((), ())
    assert rest.start_sample == len(first.pcm) // 2
    for part in (first, rest):
        assert len(part.mouth) // 15 * 480 == len(part.pcm) // 2


def test_too_little_to_begin_with_is_waited_out() -> None:
    assert len(pieces(Growing(400))) == 1


def test_clauses_in_parts_follow_each_other() -> None:
    read = pieces(Growing(5000), "one two three four, five six seven eight nine ten.")
    assert [len(piece.words) for piece in read] == [4, 0, 6, 0]
    at = 0
    for piece in read:
        assert piece.start_sample == at
        at += len(piece.pcm) // 2


def test_a_long_clause_of_flite_begins_before_it_is_finished() -> None:
    voicing = VOICES.choose({"en": {"engine": "auto", "voice": "slt"}}, "en")
    if voicing.engine.name != "flite":
        pytest.skip("flite is not installed: apt-get install libflite1")
    delivery = Delivery("You can bring a photo of any face to this old machine.", voicing)
    first = next(piece for piece in iter(delivery.read, 0) if piece)
    assert not first.last
    assert 0.1 < len(first.pcm) / 96_000 < 0.4
    assert len(first.words) == 12
