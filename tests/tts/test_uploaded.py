"""A voice that exists already: spoken as it is granted, and again from the word where a crash cut it."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.messages import Failed, Open, Phone, Speak, Voice, Word
from broker.uploads import Uploads, write
from tests.tts.test_stage import grant, run, samples, voices_of
from workers.tts.stage import TtsStage
from workers.tts.uploaded import Uploaded
from workers.tts.voices import Voices


def voice() -> list[Voice]:
    """Two pieces of half a second; four words of a quarter each; sample n is n % 1000."""
    pieces = []
    for n in range(2):
        first = n * 24_000
        words = tuple(
            Word(index=k, text=f"w{k}", start_sample=12_000 * k, end_sample=12_000 * (k + 1) - 480)
            for k in (2 * n, 2 * n + 1)
        )
        phones = tuple(
            Phone(phone="aa", viseme="aa", start_sample=w.start_sample, end_sample=w.end_sample) for w in words
        )
        pcm = b"".join((k % 1000).to_bytes(2, "little") for k in range(first, first + 24_000))
        mouth = bytes([n + 1] * 15 * 50)
        pieces.append(
            Voice(
                turn=0,
                sentence=0,
                start_sample=first,
                pcm=pcm,
                words=words,
                phones=phones,
                mouth=mouth,
                mouth_from=first // 480,
                last=n == 1,
                text="w0 w1 w2 w3" if n == 0 else "",
                language="en",
            )
        )
    return pieces


def stage(folder: Path) -> TtsStage:
    made = TtsStage(Voices(), Uploads(folder))
    made.accept(Open(session="s", route=7, persona={"voices": {}}, language="en", origin_ns=0, peers={}))
    return made


def speak(name: str, from_word: int = 0) -> Speak:
    return Speak(
        session="s", turn=1, n=0, text="w0 w1 w2 w3", language="en", last=True, upload=name, from_word=from_word
    )


def test_it_is_sent_as_far_as_is_granted_and_is_the_whole_turn(tmp_path: Path) -> None:
    place = Uploads(tmp_path).place("s")
    write(place, voice())
    tts = stage(tmp_path)
    tts.accept(speak(place.name))
    sent = run(tts)
    assert samples(sent) == 48_000, "the first second is granted"
    assert [word.text for each in voices_of(sent) for word in each.words] == ["w0", "w1", "w2", "w3"]
    assert b"".join(each.pcm for each in voices_of(sent)) == b"".join(each.pcm for each in voice())
    assert voices_of(sent)[-1].last
    assert voices_of(sent)[-1].turn_last


def test_it_waits_for_credit(tmp_path: Path) -> None:
    place = Uploads(tmp_path).place("s")
    longer = voice()[:1]
    for n in range(1, 8):
        longer.append(
            Voice(
                turn=0,
                sentence=0,
                start_sample=24_000 * n,
                pcm=bytes(48_000),
                mouth=bytes(750),
                mouth_from=50 * n,
                last=n == 7,
            )
        )
    write(place, longer)
    tts = stage(tmp_path)
    tts.accept(speak(place.name))
    assert samples(run(tts)) == 48_000
    grant(tts, 0, 60_000)
    assert samples(run(tts)) == 12_000


def test_it_goes_on_from_a_word_with_times_that_count_from_there() -> None:
    again = Uploaded(voice(), from_word=1)
    first, second = again.read(), again.read()
    assert (first.start_sample, len(first.pcm) // 2, len(first.mouth)) == (0, 12_000, 15 * 25)
    assert first.pcm == voice()[0].pcm[24_000:]
    assert [(word.index, word.start_sample) for word in first.words] == [(1, 0)]
    assert (second.start_sample, second.last) == (12_000, True)
    assert [(word.index, word.start_sample) for word in second.words] == [(2, 12_000), (3, 24_000)]
    assert [phone.start_sample for phone in first.phones] == [0]


def test_when_all_words_were_said_only_the_end_is_left() -> None:
    again = Uploaded(voice(), from_word=4)
    piece = again.read()
    assert piece.last
    assert len(piece.pcm) // 2 == 480
    assert not piece.words


@pytest.mark.parametrize("name", ["", "nothing-is-called", "../../etc/passwd", "a" * 16])
def test_one_that_is_not_there_fails_the_turn_in_words(tmp_path: Path, name: str) -> None:
    tts = stage(tmp_path)
    tts.accept(speak(name or "x"))
    (failed,) = [message for message in run(tts) if isinstance(message, Failed)]
    assert (failed.turn, failed.code) == (1, "upload")
    assert failed.text.endswith(".")
