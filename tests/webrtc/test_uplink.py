"""The microphone: contiguous whatever is lost, no delay while nothing is, silence when the page stops sending."""

from __future__ import annotations

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.webrtc.opus_encoder import chirps, encode, tone
from webrtc.denoise import Denoiser
from webrtc.opus_decoder import OpusDecoder
from webrtc.uplink import FRAME, PACKET_BURST, SAMPLE_BURST, MicSound, Uplink

MS = 1_000_000
A_PACKET = 2
"""Frames in the 20 ms that browsers send unless they are asked for 10."""


class Untouched:
    """A cleaner that leaves the sound as it is, so that tests can compare."""

    def clean(self, pcm: bytes) -> bytes:
        return pcm


def uplink(mic_sample: int = 0) -> Uplink:
    return Uplink(OpusDecoder(), Untouched(), mic_sample)


def samples(frames: list[MicSound]) -> NDArray[np.int16]:
    return np.frombuffer(b"".join(frame.pcm for frame in frames), np.int16)


def contiguous(frames: list[MicSound]) -> bool:
    starts = [frame.mic_sample for frame in frames]
    return starts == list(range(starts[0], starts[0] + FRAME * len(frames), FRAME)) and all(
        len(frame.pcm) == 2 * FRAME for frame in frames
    )


def feed(mic: Uplink, packets: list[bytes], lost: set[int] = frozenset(), source: int = 7) -> list[MicSound]:  # type: ignore[assignment]
    """Packets 20 ms apart, with time passing between them in steps of 10 ms."""
    frames: list[MicSound] = []
    for n, payload in enumerate(packets):
        now_ns = n * 20 * MS
        frames += mic.tick(now_ns)
        if n not in lost:
            frames += mic.packet(source, (65530 + n) % 65536, (2**32 - 4800 + 960 * n) % 2**32, payload, now_ns)
        frames += mic.tick(now_ns + 10 * MS)
    return frames


def test_each_packet_is_heard_whole_and_at_once() -> None:
    mic = uplink()
    for n, payload in enumerate(encode(tone(1.0))):
        assert len(mic.packet(7, n, 960 * n, payload, n * 20 * MS)) == A_PACKET


def test_packets_of_10_ms_are_a_frame_each_and_recovered_like_longer_ones() -> None:
    whole, holed = uplink(), uplink()
    sent, got = [], []
    for n, payload in enumerate(encode(chirps(2.0), packet_ms=10)):
        sent += whole.packet(7, n, 480 * n, payload, n * 10 * MS)
        got += holed.packet(7, n, 480 * n, payload, n * 10 * MS) if n != 80 else []
        got += holed.tick(n * 10 * MS)
    got += holed.tick(3000 * MS)
    assert contiguous(sent)
    assert len(sent) == 200
    assert [frame.mic_sample // FRAME for frame in got if frame.concealed] == [80]
    hole = slice(80 * FRAME, 81 * FRAME)
    true, guess = samples(sent).astype(float)[hole], samples(got).astype(float)[hole]
    assert np.sqrt(np.mean((true - guess) ** 2)) < 0.6 * np.sqrt(np.mean(true**2)), "a hole of silence would be 1.0"


def test_a_tone_comes_out_at_16_khz_with_its_pitch_and_level() -> None:
    out = samples(feed(uplink(), encode(tone(1.0, hz=440)))).astype(float)[4000:12000]
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    assert abs(np.argmax(spectrum) * 16_000 / len(out) - 440) < 3
    assert 0.8 < np.sqrt(np.mean(out**2)) * np.sqrt(2) / 8000 < 1.2


def test_a_lost_packet_is_made_up_marked_and_does_not_delay_what_follows() -> None:
    mic = uplink()
    frames = feed(mic, encode(chirps(2.0)), lost={40})
    assert contiguous(frames)
    assert len(frames) == 100 * A_PACKET
    assert [frame.mic_sample // FRAME for frame in frames if frame.concealed] == [80, 81]
    assert mic.counters["mic_lost"] == 1
    following = mic.packet(7, (65530 + 100) % 65536, (2**32 - 4800 + 96_000) % 2**32, encode(tone(0.1))[0], 2001 * MS)
    assert len(following) == A_PACKET


def test_what_is_lost_is_recovered_from_the_next_packet() -> None:
    whole = samples(feed(uplink(), encode(chirps(2.0)))).astype(float)
    holed = samples(feed(uplink(), encode(chirps(2.0)), lost={40})).astype(float)
    hole = slice(80 * FRAME, 82 * FRAME)
    error = np.sqrt(np.mean((whole[hole] - holed[hole]) ** 2)) / np.sqrt(np.mean(whole[hole] ** 2))
    assert error < 0.6, "a hole of silence would be 1.0"


@pytest.mark.parametrize("seed", range(8))
def test_loss_reordering_and_duplicates_leave_the_count_contiguous(seed: int) -> None:
    chance = random.Random(seed)
    packets = encode(chirps(4.0))
    arrivals = []
    for n, payload in enumerate(packets):
        if chance.random() > 0.05:
            arrivals.append((n * 20 * MS + chance.choice([0, 0, 0, 25, 35]) * MS, n, payload))
        if chance.random() < 0.03:
            arrivals.append((n * 20 * MS + chance.randrange(70) * MS, n, payload))
    mic, frames = uplink(), []
    for now_ns, n, payload in sorted(arrivals):
        while (due_ns := mic.due_ns) is not None and due_ns <= now_ns:
            frames += mic.tick(due_ns)
        frames += mic.packet(7, n, 960 * n, payload, now_ns)
    assert contiguous(frames)
    assert abs(len(frames) - A_PACKET * len(packets)) <= 3 * A_PACKET


def test_two_percent_loss_leaves_the_delay_where_it_was() -> None:
    chance = random.Random(1)
    packets = encode(chirps(20.0))
    lost = {n for n in range(len(packets)) if n and chance.random() < 0.02}
    assert lost
    mic, behind = uplink(), []
    for n, payload in enumerate(packets):
        now_ns = n * 20 * MS
        mic.tick(now_ns)
        if n not in lost:
            mic.packet(7, n, 960 * n, payload, now_ns)
        behind.append((n + 1) - mic.mic_sample // (A_PACKET * FRAME))
    assert sorted(behind)[len(behind) // 2] == 0
    assert max(behind) <= 4, "at a gap: one lost packet, or two in a row, and two that wait for it"
    assert behind[-1] == 0


def test_dtx_becomes_silence_of_the_same_length() -> None:
    mic = uplink()
    packets = encode(tone(0.4))
    frames = []
    for n, payload in enumerate(packets[:10]):
        frames += mic.packet(7, n, 960 * n, payload, n * 20 * MS)
    for now_ns in range(200 * MS, 580 * MS, 5 * MS):
        frames += mic.tick(now_ns)
    frames += mic.packet(7, 10, 960 * 29, packets[10], 580 * MS)
    assert contiguous(frames)
    assert len(frames) == 30 * A_PACKET
    quiet = samples(frames[10 * A_PACKET : 29 * A_PACKET])
    assert not quiet.any()
    assert not any(frame.concealed for frame in frames)


def test_a_page_that_stops_sending_leaves_two_seconds_of_silence_and_then_nothing() -> None:
    mic = uplink()
    feed(mic, encode(tone(0.2)))
    frames = []
    for now_ns in range(200 * MS, 5000 * MS, 10 * MS):
        frames += mic.tick(now_ns)
    assert len(frames) == 200
    assert mic.due_ns is None
    again = feed(mic, encode(tone(0.2)), source=8)
    assert contiguous(frames + again)


def test_a_new_connection_continues_the_count() -> None:
    mic = uplink(mic_sample=32_000)
    first = feed(mic, encode(tone(0.2)), source=1)
    second = feed(mic, encode(tone(0.2)), source=2)
    assert first[0].mic_sample == 32_000
    assert contiguous(first + second)


def test_bytes_that_are_not_opus_are_counted_and_harmless() -> None:
    mic = uplink()
    good = encode(tone(0.2))
    chance = random.Random(3)
    for n in range(200):
        mic.packet(7, n, 960 * n, chance.randbytes(chance.randrange(1, 60)), n * 20 * MS)
    assert mic.counters["mic_malformed"] > 0
    frames = []
    for n, payload in enumerate(good, 200):
        frames += mic.packet(7, n, 960 * n, payload, n * 20 * MS)
    assert contiguous(frames)


@pytest.mark.parametrize("step", [1, 7, 961, 2**31, 2**31 - 1, 2**32 - 960])
def test_timestamps_that_make_no_sense_are_survived(step: int) -> None:
    mic = uplink()
    frames = []
    for n, payload in enumerate(encode(tone(0.5))):
        if n != 5:
            frames += mic.packet(7, n, step * n % 2**32, payload, n * 20 * MS)
            frames += mic.tick(n * 20 * MS + 50 * MS)
    assert contiguous(frames)


def test_noise_is_suppressed_and_speech_kept() -> None:
    chance = np.random.default_rng(0)
    speech = chirps(4.0).astype(float)
    speech[:96_000] = 0
    noisy = (speech + chance.normal(0, 400, len(speech))).clip(-32768, 32767).astype(np.int16)
    out = samples(feed(Uplink(OpusDecoder(), Denoiser()), encode(noisy))).astype(float)
    assert np.sqrt(np.mean(out[16_000:31_000] ** 2)) < 130, "400 before, less what is above 8 kHz"
    assert np.sqrt(np.mean(out[36_000:] ** 2)) > 0.5 * np.sqrt(np.mean(speech[108_000:] ** 2))


def test_sound_faster_than_speech_is_left_out_and_counted() -> None:
    mic = uplink()
    packets = encode(tone(1.0))
    flood = [payload for _ in range(60) for payload in packets]
    frames = [
        frame
        for n, payload in enumerate(flood)
        for frame in mic.packet(7, n % 65536, 960 * n % 2**32, payload, n * MS // 1_000)
    ]
    assert len(frames) == SAMPLE_BURST // FRAME
    assert contiguous(frames)
    assert mic.stats()["mic_too_fast"] == len(flood) - len(frames) // A_PACKET
    after = mic.packet(7, len(flood), 960 * len(flood), packets[0], 10_000 * MS)
    assert len(after) >= A_PACKET, "who slows down is heard again"


def test_a_flood_of_tiny_packets_is_not_even_decoded() -> None:
    mic = uplink()
    [a_packet] = encode(tone(0.02))[:1]
    for n in range(10_000):
        mic.packet(7, n, 0, a_packet, n)
    assert mic.stats()["mic_packets"] <= PACKET_BURST
    assert mic.stats()["mic_too_fast"] >= 10_000 - PACKET_BURST - 1
