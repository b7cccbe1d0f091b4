"""Opus or AAC and H.264 packets to fragmented MP4 (ISO/IEC 14496-12): a header, then fragments that each stand alone.

Whatever was written stays playable when the writer dies. Times are 48 kHz samples from the start of the file, exact for
both tracks; a hole in the programme is a longer duration, nothing is put in.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from workers.outputs.avc import AvcConfig

RATE_HZ = 48_000
"""The time scale of the file and of both tracks."""

VIDEO, AUDIO = 1, 2
"""Track numbers."""

TICK_SAMPLES = 960
AAC_SAMPLES = 1024
KEY_FLAGS, OTHER_FLAGS = 0x02000000, 0x01010000
"""sample_flags: depends on no other; depends on others and is no sync sample (14496-12, 8.8.3.1)."""

MATRIX = struct.pack("!9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One packet at its time."""

    time: int
    data: bytes
    key: bool = True


@dataclass
class Track:
    """What waits for the next fragment, and how long the last sample of all is."""

    number: int
    usual: int
    waiting: list[Sample] = field(default_factory=list)
    keys: list[tuple[int, int]] = field(default_factory=list)
    """(time, offset in the file) of fragments that begin with a key frame."""


class FragmentedMp4:
    """The bytes of one file or stream. `video`: the decoder configuration; None for sound only.

    `aac`: the AudioSpecificConfig of AAC sound; empty for Opus. `live`: it has no end that could be told, and no index.
    """

    def __init__(self, video: AvcConfig | None, fps: int = 25, aac: bytes = b"", live: bool = False) -> None:
        self._video = video
        self._live = live
        self._aac = aac
        self._sound = Track(number=AUDIO, usual=AAC_SAMPLES if aac else TICK_SAMPLES)
        self._pictures = Track(number=VIDEO, usual=RATE_HZ // fps)
        self._sequence = 0

    def header(self, duration: int = 0) -> bytes:
        """ftyp and moov; `duration` in samples once it is known. The same length whatever it is."""
        kinds = box(b"ftyp", b"iso6", u32(0), b"iso6", b"iso5", b"mp41", b"cmfc")
        traks = [trak(VIDEO, duration, _picture_media(self._video))] if self._video else []
        traks.append(trak(AUDIO, duration, _aac_media(self._aac) if self._aac else _opus_media()))
        tracks = [VIDEO, AUDIO] if self._video else [AUDIO]
        extends = [full(b"trex", 0, 0, u32(track), u32(1), u32(0), u32(0), u32(0)) for track in tracks]
        mvex = box(b"mvex", *([] if self._live else [full(b"mehd", 1, 0, u64(duration))]), *extends)
        return kinds + box(b"moov", _mvhd(duration), *traks, mvex)

    def sound(self, time: int, packet: bytes) -> None:
        self._sound.waiting.append(Sample(time=time, data=packet))

    def picture(self, time: int, access_unit: bytes, key: bool) -> None:
        """`access_unit` with lengths (avc.sample)."""
        self._pictures.waiting.append(Sample(time=time, data=access_unit, key=key))

    def cut(self, before: int, offset: int = 0) -> bytes:
        """A fragment of all that waits from before this time; empty for nothing. `offset`: its place in the file."""
        parts = [(track, _taken(track, before)) for track in (self._pictures, self._sound)]
        parts = [(track, samples) for track, samples in parts if samples]
        if not parts:
            return b""
        for track, samples in parts:
            if track.number == VIDEO and samples[0][0].key and not self._live:
                track.keys.append((samples[0][0].time, offset))
        self._sequence += 1
        size = len(self._moof(parts, 0))
        data = b"".join(sample.data for _, samples in parts for sample, _ in samples)
        return self._moof(parts, size + 8) + box(b"mdat", data)

    def ending(self, duration: int, offset: int) -> tuple[bytes, bytes]:
        """For a file that is complete: the header that takes the first one's place, and what follows at the end."""
        return self.header(duration), self._index()

    def _index(self) -> bytes:
        """mfra: where one can start to play."""
        entries = b"".join(u64(time) + u64(at) + bytes((1, 1, 1)) for time, at in self._pictures.keys)
        tfra = full(b"tfra", 1, 0, u32(VIDEO), u32(0), u32(len(self._pictures.keys)), entries)
        return box(b"mfra", tfra, full(b"mfro", 0, 0, u32(len(tfra) + 24)))

    def _moof(self, parts: list[tuple[Track, list[tuple[Sample, int]]]], data_at: int) -> bytes:
        trafs = []
        for track, samples in parts:
            trafs.append(_traf(track.number, samples, data_at))
            data_at += sum(len(sample.data) for sample, _ in samples)
        return box(b"moof", full(b"mfhd", 0, 0, u32(self._sequence)), *trafs)


def _taken(track: Track, before: int) -> list[tuple[Sample, int]]:
    """Samples from before a time, with their durations; the rest goes on waiting."""
    taken = [sample for sample in track.waiting if sample.time < before]
    if not taken:
        return []
    rest = track.waiting[len(taken) :]
    ends = [sample.time for sample in [*taken[1:], *rest[:1]]]
    if not rest:
        ends.append(taken[-1].time + track.usual)
    track.waiting = rest
    return [(sample, end - sample.time) for sample, end in zip(taken, ends, strict=True)]


# --- boxes -----------------------------------------------------------------------------------------------------------


def u16(value: int) -> bytes:
    return struct.pack("!H", value)


def u32(value: int) -> bytes:
    return struct.pack("!I", value)


def u64(value: int) -> bytes:
    return struct.pack("!Q", value)


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return u32(len(body) + 8) + kind + body


def full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, u32(version << 24 | flags), *parts)


def _mvhd(duration: int) -> bytes:
    times = u64(0) + u64(0) + u32(RATE_HZ) + u64(duration)
    return full(b"mvhd", 1, 0, times, u32(0x10000), u16(0x100), bytes(10), MATRIX, bytes(24), u32(AUDIO + 1))


def trak(number: int, duration: int, media: tuple[bytes, bytes, bytes, tuple[int, int]]) -> bytes:
    """`media`: handler, media header, sample entry, size in pixels."""
    handler, header, entry, (width, height) = media
    volume = u16(0x100 if number == AUDIO else 0)
    size = u32(width << 16) + u32(height << 16)
    times = u64(0) + u64(0) + u32(number) + u32(0) + u64(duration)
    tkhd = full(b"tkhd", 1, 3, times, bytes(8), u16(0), u16(0), volume, u16(0), MATRIX, size)
    mdhd = full(b"mdhd", 1, 0, u64(0), u64(0), u32(RATE_HZ), u64(duration), u16(0x55C4), u16(0))
    hdlr = full(b"hdlr", 0, 0, u32(0), handler, bytes(12), b"Visavis\0")
    dinf = box(b"dinf", full(b"dref", 0, 0, u32(1), full(b"url ", 0, 1)))
    empty = [full(kind, 0, 0, u32(0)) for kind in (b"stts", b"stsc")]
    stbl = box(
        b"stbl",
        full(b"stsd", 0, 0, u32(1), entry),
        *empty,
        full(b"stsz", 0, 0, u32(0), u32(0)),
        full(b"stco", 0, 0, u32(0)),
    )
    return box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, box(b"minf", header, dinf, stbl)))


def _picture_media(config: AvcConfig) -> tuple[bytes, bytes, bytes, tuple[int, int]]:
    width, height = config.size
    fixed = bytes(6) + u16(1) + bytes(16) + u16(width) + u16(height) + u32(0x480000) + u32(0x480000) + u32(0)
    entry = box(b"avc1", fixed, u16(1), bytes(32), u16(24), u16(0xFFFF), box(b"avcC", config.record()))
    return b"vide", full(b"vmhd", 0, 1, bytes(8)), entry, (width, height)


def _opus_media() -> tuple[bytes, bytes, bytes, tuple[int, int]]:
    """Mono Opus. PreSkip is 0: the encoder's delay is in the times already, where every player minds it."""
    head = bytes((0, 1)) + u16(0) + u32(RATE_HZ) + u16(0) + b"\0"
    fixed = bytes(6) + u16(1) + bytes(8) + u16(1) + u16(16) + u32(0) + u32(RATE_HZ << 16)
    return b"soun", full(b"smhd", 0, 0, u32(0)), box(b"Opus", fixed, box(b"dOps", head)), (0, 0)


def _aac_media(config: bytes) -> tuple[bytes, bytes, bytes, tuple[int, int]]:
    """Mono AAC-LC; the descriptors are those of ISO/IEC 14496-1, 7.2.6, and 14496-14, 5.6."""
    specific = descriptor(5, config)
    decoder = descriptor(4, bytes((0x40, 0x15)) + bytes(3) + u32(0) + u32(0) + specific)
    stream = descriptor(3, u16(0) + b"\0" + decoder + descriptor(6, b"\2"))
    fixed = bytes(6) + u16(1) + bytes(8) + u16(1) + u16(16) + u32(0) + u32(RATE_HZ << 16)
    return b"soun", full(b"smhd", 0, 0, u32(0)), box(b"mp4a", fixed, full(b"esds", 0, 0, stream)), (0, 0)


def descriptor(tag: int, body: bytes) -> bytes:
    """Less than 128 bytes of it."""
    return bytes((tag, len(body))) + body


def _traf(number: int, samples: list[tuple[Sample, int]], data_at: int) -> bytes:
    tfhd = full(b"tfhd", 0, 0x020000, u32(number))
    tfdt = full(b"tfdt", 1, 0, u64(samples[0][0].time))
    rows = b"".join(
        u32(duration) + u32(len(sample.data)) + u32(KEY_FLAGS if sample.key else OTHER_FLAGS)
        for sample, duration in samples
    )
    return box(b"traf", tfhd, tfdt, full(b"trun", 0, 0x000701, u32(len(samples)), u32(data_at), rows))
