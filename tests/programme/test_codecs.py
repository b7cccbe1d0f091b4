"""What leaves is decoded again by an independent decoder and compared with what went in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from av import AudioCodecContext, Packet, VideoCodecContext
from numpy.typing import NDArray

from broker.messages import KeyFrame, Programme
from tests.programme.play import SMALL, Play, sine, voice
from workers.programme.opus import DELAY_SAMPLES, OpusEncoder
from workers.programme.video import VideoEncoder


def decoder_of(codec: str) -> VideoCodecContext:
    decoder = VideoCodecContext.create(codec, "r")
    assert isinstance(decoder, VideoCodecContext)
    return decoder


def heard(packets: list[bytes]) -> NDArray[np.float64]:
    """Decoded sound, moved back by the encoder's delay."""
    decoder = AudioCodecContext.create("libopus", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.sample_rate, decoder.layout = 48_000, "mono"
    pcm = [frame.to_ndarray().reshape(-1) for packet in packets for frame in decoder.decode(Packet(packet))]
    return np.concatenate(pcm)[DELAY_SAMPLES:].astype(np.float64)


def noise_ratio(signal: NDArray[np.float64], hz: float) -> float:
    """How far the signal is from any pure sine of this frequency: 0 is pure."""
    t = 2 * np.pi * hz * np.arange(len(signal)) / 48_000
    basis = np.stack([np.sin(t), np.cos(t)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, signal, rcond=None)
    return float(np.linalg.norm(signal - basis @ fit) / np.linalg.norm(signal))


def lit(level: int, size: int = 64) -> bytes:
    """A picture with a bright square on a gradient: easy to recognise after coding."""
    yuv = np.full((size * 3 // 2, size), 128, np.uint8)
    yuv[:size] = np.linspace(30, 60, size, dtype=np.uint8)
    yuv[16:48, 16:48] = level
    return yuv.tobytes()


def test_a_sine_through_the_programme_is_still_a_sine() -> None:
    play = Play()
    play.say(voice(samples=96_000))
    play.commit()
    play.run(2_500)
    pcm = heard([tick.opus for tick in play.ticks()])
    assert noise_ratio(pcm[9_600:90_000], 300) < 0.05
    assert abs(pcm[9_600:90_000]).max() == pytest.approx(9_000, rel=0.1)
    assert abs(pcm[100_000:]).max() < 200


def test_sound_lies_where_the_segments_say() -> None:
    noise = (np.random.default_rng(3).normal(0, 3_000, 24_000)).astype(np.int16)
    play = Play()
    play.run(205)
    play.say(replace(voice(samples=24_000), pcm=noise.tobytes()))
    play.commit()
    play.run(600)
    pcm = heard([tick.opus for tick in play.ticks()])
    start = play.emitted()[0].programme_sample
    likeness = [float(np.dot(pcm[start + 4_800 + lag :][:9_600], noise[4_800:14_400])) for lag in range(-300, 301)]
    assert abs(int(np.argmax(likeness)) - 300) <= 24, "half a millisecond"


def energy_above(pcm: NDArray[np.float64], hz: float) -> float:
    """The highest peak of what lies above `hz`."""
    spectrum = np.fft.rfft(pcm * np.hanning(len(pcm)))
    spectrum[: int(hz * len(pcm) / 48_000)] = 0
    high = np.fft.irfft(spectrum, len(pcm))
    return float(np.abs(high).max())


@pytest.mark.parametrize("phase", [0.0, 0.125, 0.25, 0.375])
def test_a_hold_makes_no_click_where_a_hard_cut_would(phase: float) -> None:
    """The sine is cut at this part of its cycle; a quarter is its crest."""
    held = 26 * 960
    tone = sine(96_000, hz=(156 + phase) * 48_000 / held)
    play = Play()
    play.say(replace(voice(samples=96_000), pcm=tone.tobytes()))
    play.commit()
    play.run(500)
    play.hold()
    play.run(500)
    assert next(tick for tick in play.ticks() if tick.held).programme_sample == held
    faded = heard([tick.opus for tick in play.ticks()])
    hard = np.where(np.arange(len(faded)) < held, tone[: len(faded)], 0).astype(np.int16)
    encoder = OpusEncoder(40)
    cut = heard([encoder.encode(hard[k : k + 960]) for k in range(0, len(hard) - 959, 960)])
    span = slice(held - 9_600, held + 9_600)
    assert energy_above(faded[span], 3_000) < 300, "3 % of the tone"
    if phase >= 0.125:
        assert energy_above(faded[span], 3_000) < 0.4 * energy_above(cut[span], 3_000)


def murmur(samples: int) -> NDArray[np.int16]:
    """Something with the harmonics and the rhythm of a voice: error correction is only for what seems to be speech."""
    t = np.arange(samples) / 48_000
    phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * 1.3 * t)) / 48_000
    buzz = sum(np.sin(k * phase) / k for k in range(1, 30))
    return np.asarray(3_500 * buzz * (0.5 - 0.5 * np.cos(2 * np.pi * 4 * t)), np.int16)


@pytest.mark.parametrize("kbps", [24, 32, 40, 48])
def test_packets_are_20_ms_mono_and_carry_error_correction(kbps: int) -> None:
    play = Play(settings=replace(SMALL, audio_kbps=kbps))
    play.say(replace(voice(samples=96_000), pcm=murmur(96_000).tobytes()))
    play.commit()
    play.run(2_000)
    spoken = [tick.opus for tick in play.ticks() if tick.speaking]
    for packet in spoken:
        config, stereo, frames = packet[0] >> 3, packet[0] >> 2 & 1, packet[0] & 3
        assert config in (9, 13, 15), "SILK wideband or hybrid, 20 ms (RFC 6716, table 2)"
        assert (stereo, frames) == (0, 0)
    # RFC 6716, 4.2.3: in a single mono frame the payload's second bit says whether a copy of the last one follows.
    assert sum(packet[1] >> 6 & 1 for packet in spoken) > 0.6 * len(spoken)
    assert 8 * 50 * sum(map(len, spoken)) / len(spoken) < 1_100 * kbps


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_pictures_come_back_in_order_and_alike(codec: str) -> None:
    encoder, decoder = VideoEncoder(codec, SMALL), decoder_of(codec)
    seen = []
    for n in range(60):
        unit, key = encoder.encode(lit(80 + 2 * n), n, key=n == 30)
        assert key == (n in (0, 30))
        seen += [int(frame.to_ndarray()[32, 32]) for frame in decoder.decode(Packet(unit))]
    assert len(seen) == 60, "one picture out for one in, none held back"
    assert max(abs(level - (80 + 2 * n)) for n, level in enumerate(seen)) < 12


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_a_viewer_can_begin_at_any_key_frame(codec: str) -> None:
    encoder, decoder = VideoEncoder(codec, SMALL), decoder_of(codec)
    units = [encoder.encode(lit(100 + n), n, key=n == 20) for n in range(40)]
    seen = [frame for unit, _ in units[20:] for frame in decoder.decode(Packet(unit))]
    assert len(seen) == 20
    assert abs(int(seen[-1].to_ndarray()[32, 32]) - 139) < 12


def nal_types(unit: bytes) -> list[int]:
    starts = [at + 3 for at in range(len(unit) - 3) if unit[at : at + 3] == b"\0\0\1"]
    return [unit[at] & 31 for at in starts]


def test_h264_is_constrained_baseline_with_parameter_sets_at_each_key_frame_and_no_other_keys() -> None:
    encoder = VideoEncoder("h264", replace(SMALL, width=512, height=512))
    for n in range(400):
        picture = lit(60 + n % 150, 512) if n != 200 else np.random.default_rng(0).bytes(512 * 768)
        unit, key = encoder.encode(picture, n, key=n == 350)
        types = nal_types(unit)
        assert (5 in types) == key == (n in (0, 350))
        assert {7, 8} <= set(types) if key else types == [1], "SPS and PPS with a key frame; one slice a picture"
        if key:
            sps = unit[unit.index(b"\0\0\1\x67") + 3 :]
            assert sps[1] == 66, "baseline"
            assert sps[2] & 0x40, "constraint_set1: 42e0 of RFC 6184"
            assert sps[3] == 31


def test_a_large_picture_says_a_higher_level() -> None:
    unit, _ = VideoEncoder("h264", replace(SMALL, width=1024, height=1024)).encode(lit(90, 1024), 0, key=True)
    assert unit[unit.index(b"\0\0\1\x67") + 6] == 40


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_the_bit_rate_stays_where_it_was_pinned(codec: str) -> None:
    settings = replace(SMALL, width=512, height=512, video_kbps=900)
    encoder, rng = VideoEncoder(codec, settings), np.random.default_rng(1)
    base = np.frombuffer(lit(128, 512), np.uint8).reshape(768, 512)
    grain = rng.integers(-40, 40, (8, 512, 512))
    sizes = []
    for n in range(75):
        noisy = base.astype(int)
        noisy[:512] += grain[n % 8]
        sizes.append(len(encoder.encode(np.clip(noisy, 16, 235).astype(np.uint8).tobytes(), n, key=False)[0]))
    rate = 8 * sum(sizes[25:]) * 25 / 50 / 1000
    assert rate < 1_150, "kbit/s, of a picture that would cost many times that"


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_what_viewers_get_of_a_session_decodes_from_its_first_unit(codec: str) -> None:
    play = Play()
    play.watch(h264=1, vp8=1)
    play.say(voice(samples=96_000))
    play.run(500)
    play.commit()
    play.run(1_000)
    play.say(KeyFrame(session="a", codec=codec))
    play.run(400)
    decoder = decoder_of(codec)
    units = [tick for tick in play.ticks() if getattr(tick, codec)]
    levels = [int(f.to_ndarray()[32, 32]) for tick in units for f in decoder.decode(Packet(getattr(tick, codec)))]
    assert len(levels) == len(units) >= 44
    open_mouths = [level for tick, level in zip(units, levels, strict=True) if spoken_at(play, tick)]
    assert np.median(levels[:8]) < 60 < np.median(open_mouths)


def spoken_at(play: Play, tick: Programme) -> bool:
    return 3_840 < tick.picture_sample - play.emitted()[0].programme_sample < 40_000
