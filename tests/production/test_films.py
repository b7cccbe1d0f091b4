"""Films of texts and recordings, made by the real stages."""

from __future__ import annotations

import dataclasses
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from bench.mouth_seen import MouthSeen
from bench.recorded_lips import recorded, ways
from bench.spoken_pictures import speak
from bench.visemes import TEXTS, Figures, measure
from broker.config import Settings, load
from broker.errors import ConfigError, EngineError
from broker.messages import Programme, Voice
from tests.wav import wav_bytes
from workers.lipsync.avatars import AvatarLibrary
from workers.production.make import make
from workers.production.order import Order, OrderError, order
from workers.production.recording import passages, read
from workers.production.studio import Studio
from workers.programme.settings import ProgrammeSettings

TEXT = "Mum may be happy. Five past four!"


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load()


@pytest.fixture(scope="module")
def spoken(settings: Settings) -> tuple[list[Voice], list[Programme]]:
    """What the studio makes of `TEXT`."""
    studio = Studio(settings, order(settings, text=TEXT, size=128))
    ticks = list(studio.ticks())
    return studio.voiced, ticks


@pytest.fixture(scope="module")
def recording(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same text, spoken into a file."""
    folder = tmp_path_factory.mktemp("recording")
    make(settings, order(settings, text=TEXT, size=128), folder / "film.mp4")
    return to_wav(folder / "film.mp4", folder / "voice.wav")


def to_wav(film: Path, path: Path) -> Path:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=22_050)
    with av.open(str(film)) as container, wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(22_050)
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                out.writeframes(piece.to_ndarray().tobytes())
    return path


def pictures(ticks: list[Programme]) -> list[bytes]:
    return [tick.h264 for tick in ticks if tick.h264]


def test_a_text_becomes_a_film_with_sound_pictures_and_captions(settings: Settings, tmp_path: Path) -> None:
    made = make(settings, order(settings, text=TEXT, size=128, captions=True), tmp_path / "film.mp4")
    with av.open(str(made.path)) as film:
        assert [stream.codec_context.name for stream in film.streams] == ["h264", "aac", "mov_text"]
        seconds = [float(stream.duration * stream.time_base) for stream in tuple(film.streams)[:2] if stream.duration]
        assert abs(seconds[0] - made.seconds) < 0.05
        assert abs(seconds[0] - seconds[1]) < 0.03
        frames = sum(1 for _ in film.decode(video=0))
    assert abs(frames / 25 - made.seconds) < 0.05
    assert "Mum may be happy." in made.path.with_suffix(".vtt").read_text()


def test_a_voice_that_cannot_be_had_fails_the_films_that_need_it(settings: Settings) -> None:
    wanted = order(settings, text="Papa.", size=128)
    voices = {"en": {"engine": "auto"}, "es": {"engine": "nope"}}
    persona = wanted.persona | {"languages": ["en", "es"], "voices": voices}
    english = dataclasses.replace(wanted, persona=persona)
    assert list(Studio(settings, english).ticks())
    with pytest.raises(EngineError, match="no speech engine is called 'nope'"):
        list(Studio(settings, dataclasses.replace(english, language="es")).ticks())


def test_the_sound_in_the_film_is_where_the_words_are(settings: Settings, tmp_path: Path) -> None:
    """Both containers of sound: Opus as it left the encoder and AAC made of it."""
    onsets = {}
    for sound in ("aac", "opus"):
        wanted = order(settings, text="Papa.", size=128, sound=sound)
        made = make(settings, wanted, tmp_path / f"{sound}.mp4")
        with av.open(str(made.path)) as film:
            first = None
            for frame in film.decode(audio=0):
                loud = np.flatnonzero(np.abs(frame.to_ndarray().reshape(-1).astype(float)) > _threshold(frame))
                if len(loud):
                    assert frame.time is not None
                    first = frame.time + loud[0] / 48_000
                    break
        assert first is not None
        onsets[sound] = first - made.cues[0].start_sample / 48_000
    assert all(-0.01 < late < 0.15 for late in onsets.values()), onsets
    assert abs(onsets["aac"] - onsets["opus"]) < 0.02, onsets


def _threshold(frame: av.AudioFrame) -> float:
    return 0.05 * (32_768 if frame.format.name.startswith("s16") else 1.0)


def test_identical_input_gives_identical_times_and_mouths(
    settings: Settings, spoken: tuple[list[Voice], list[Programme]]
) -> None:
    voiced, ticks = spoken
    studio = Studio(settings, order(settings, text=TEXT, size=128))
    again = list(studio.ticks())
    assert [phone for voice in studio.voiced for phone in voice.phones] == [
        phone for voice in voiced for phone in voice.phones
    ]
    assert [tick.words for tick in again] == [tick.words for tick in ticks]
    assert b"".join(tick.mouth for tick in again) == b"".join(tick.mouth for tick in ticks)


def test_an_identical_voice_gives_identical_pictures(settings: Settings, recording: Path) -> None:
    def shown() -> list[bytes]:
        return pictures(list(Studio(settings, order(settings, recording=recording, text=TEXT, size=128)).ticks()))

    first = shown()
    assert len(first) > 40
    assert shown() == first


@pytest.mark.parametrize("kind", ["mp3", "flac"])
def test_a_recording_may_be_compressed(recording: Path, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"voice.{kind}"
    with av.open(str(recording)) as plain, av.open(str(path), "w") as out:
        stream = out.add_stream({"mp3": "libmp3lame", "flac": "flac"}[kind], rate=22_050, layout="mono")
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=22_050, frame_size=stream.frame_size)
        for frame in plain.decode(audio=0):
            for piece in resampler.resample(frame):
                out.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    wanted, found = read(recording), read(path)
    assert abs(len(found) - len(wanted)) < 4_800
    length = min(len(found), len(wanted))
    # MP3 begins with its encoder's delay; otherwise it is the same voice.
    fits = [float(np.corrcoef(np.roll(found[:length], -by), wanted[:length])[0, 1]) for by in range(0, 2_400, 16)]
    assert max(fits) > 0.9


def test_a_recordings_words_are_found_where_they_are(
    settings: Settings, recording: Path, spoken: tuple[list[Voice], list[Programme]]
) -> None:
    """Aligned by its text, the recording's words start where the synthesiser had put them."""
    studio = Studio(settings, order(settings, recording=recording, text=TEXT, size=128))
    list(studio.ticks())
    found = [word for voice in studio.voiced for word in voice.words]
    offset = next(tick.programme_sample for tick in spoken[1])
    known = [word for tick in spoken[1] for word in tick.words]
    assert [word.text for word in found] == [word[3] for word in known]
    errors = [abs(word.start_sample - (start[4] - offset)) / 48 for word, start in zip(found, known, strict=True)]
    assert float(np.median(errors)) < 30, errors
    assert max(errors) < 120, errors


@pytest.fixture(scope="module")
def lips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figures]:
    """The mouth in the pictures of recorded sentences, against the sounds that the synthesiser put into them."""
    programme, voice = ProgrammeSettings(), {"engine": "flite", "voice": "slt"}
    live = [(text, speak(text, "en", voice, programme)) for text in (TEXTS["en"][0], TEXTS["en"][3])]
    made = ways(recorded(live), programme, tmp_path_factory.mktemp("lips"))
    library = AvatarLibrary.of(load())
    seen = MouthSeen(library, library.path_of("vera"))
    return {"text": measure("vera", seen, made.aligned), "alone": measure("vera", seen, made.guessed)}


@pytest.mark.parametrize(("way", "closed"), [("text", 0.9), ("alone", 0.5)], ids=["with its text", "without"])
def test_a_recorded_p_b_and_m_close_the_lips_in_time(lips: dict[str, Figures], way: str, closed: float) -> None:
    """Loosely; `bin/bench recorded_lips` has the figures."""
    found = lips[way]
    assert found.bilabials >= 20
    assert found.touched >= closed * found.bilabials, found
    assert found.vowels_shut < 0.3 * found.vowels, found
    assert abs(found.lag_targets_ms) <= 40, found
    assert found.agreement > 0.5, found


def test_a_text_that_does_not_fit_its_recording_does_not_end_it(settings: Settings, recording: Path) -> None:
    wrong = "Nothing of this is said in that recording, and it is far too much for it as well. " * 4
    ticks = list(Studio(settings, order(settings, recording=recording, text=wrong, size=128)).ticks())
    assert any(tick.speaking for tick in ticks)


def test_what_is_begun_and_fails_leaves_no_file(settings: Settings, tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def stop(share: float) -> None:
        if share > 0.2:
            raise Enough

    with pytest.raises(Exception, match="could not be made"):
        make(settings, order(settings, text=TEXT, size=128), tmp_path / "film.mp4", stop)
    assert list(tmp_path.iterdir()) == []


def _playlist(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n")


def _text(path: Path) -> None:
    path.write_text("hello")


def _silence(path: Path) -> None:
    path.write_bytes(wav_bytes(np.zeros(8_000, np.int16), 8_000))


def _cut_short(path: Path) -> None:
    path.write_bytes(wav_bytes(np.zeros(8_000, np.int16), 8_000)[:30])


@pytest.mark.parametrize("write", [_playlist, _text, _silence, _cut_short])
def test_what_is_no_voice_is_refused_in_words(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path / "in.wav")
    with pytest.raises(OrderError, match=r"in\.wav"):
        read(tmp_path / "in.wav")


def test_long_recordings_are_cut_where_it_is_quiet() -> None:
    samples = np.full(48_000 * 50, 0.1, np.float32)
    quiet = [48_000 * 18, 48_000 * 36]
    for place in quiet:
        samples[place : place + 14_400] = 0
    parts = passages(samples)
    assert [part.start_sample for part in parts[1:]] == [pytest.approx(place + 7_200, abs=4_800) for place in quiet]
    assert all(part.start_sample % 480 == 0 and len(part.samples) % 480 == 0 for part in parts)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": "  "}, "nothing to say"),
        ({"text": "a", "size": 100}, "multiple of 16"),
        ({"text": "a", "size": 2048}, "between 128 and 1024"),
        ({"text": "a" * 20_001}, "20000"),
        ({"text": "a", "fps": 500}, "5 to 50"),
        ({"text": "a", "sound": "midi"}, "aac or opus"),
    ],
)
def test_what_cannot_be_made_is_said_before(settings: Settings, fields: dict[str, object], reason: str) -> None:
    with pytest.raises(OrderError, match=reason):
        order(settings, **fields)  # type: ignore[arg-type]


def test_an_unknown_persona_or_face_is_answered_with_the_known_ones(settings: Settings) -> None:
    with pytest.raises(ConfigError, match=r"Known personas: .*host"):
        order(settings, persona="nobody", text="a")
    wanted: Order = order(settings, portrait="nobody", text="a")
    with pytest.raises(Exception, match=r"Known portraits: .*vera"):
        list(Studio(settings, dataclasses.replace(wanted, size=128)).ticks())
