"""What listeners are told of the voice that leaves: words for captions, phonemes and visemes."""

from __future__ import annotations

from broker.messages import Event, Phone
from workers.programme.answer import Segment

Caption = tuple[int, int, int, str, int, int]
"""Turn, sentence, index, text, programme_sample, samples."""


def captions(segment: Segment, programme_sample: int) -> list[Caption]:
    """The words that start in this segment, each once even if it is said again after a hold.

    `programme_sample`: the start of the tick.
    """
    track = segment.track
    fresh = [word for word in segment.words if word.index not in track.captioned]
    track.captioned.update(word.index for word in fresh)
    zero = programme_sample + segment.offset - segment.start_sample
    return [
        (
            track.turn,
            track.sentence,
            word.index,
            word.text,
            zero + word.start_sample,
            word.end_sample - word.start_sample,
        )
        for word in fresh
    ]


def announced(segment: Segment, programme_sample: int, fresh: bool) -> list[Event]:
    """Two events with every phone from this segment on, or only those that have arrived since the last announcement.

    `programme_sample` in them is where sample 0 of the sentence lies, so an item sounds at that plus its start.
    """
    track = segment.track
    begin = fresh or segment.start_sample == 0
    phones = (
        [p for p in track.phones if p.end_sample > segment.start_sample] if begin else track.phones[track.announced :]
    )
    track.announced = len(track.phones)
    if not phones:
        return []
    zero = programme_sample + segment.offset - segment.start_sample
    spoken = [[phone.phone, phone.start_sample, phone.end_sample] for phone in phones]
    return [
        Event(kind=kind, turn=track.turn, data={"sentence": track.sentence, "programme_sample": zero, "items": items})
        for kind, items in (("phonemes", spoken), ("visemes", _shapes(phones)))
    ]


def _shapes(phones: list[Phone]) -> list[list[object]]:
    """Neighbours of one shape are one item."""
    items: list[list[object]] = []
    for phone in phones:
        if items and items[-1][0] == phone.viseme and items[-1][2] == phone.start_sample:
            items[-1][2] = phone.end_sample
        else:
            items.append([phone.viseme, phone.start_sample, phone.end_sample])
    return items
