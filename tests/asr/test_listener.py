"""When transcripts are due, with a recogniser whose words are the samples it was fed."""

from __future__ import annotations

import itertools

from broker.messages import Message, MicFrame, Transcript
from workers.asr.engine import PIECE, Hypothesis
from workers.asr.listener import PATIENCE_NS, Listener


class Counting:
    """Hears one word for every 1600 samples (100 ms)."""

    def __init__(self, slow: bool = False) -> None:
        self.through = 0
        self.took_ns = 0
        self.is_ready = True
        self.utterances = 0
        self.forgotten = 0
        self.largest = 0
        self.slow = slow
        self.fed = 0

    def ready(self) -> bool:
        return self.is_ready

    def begin(self) -> None:
        self.utterances += 1
        self.through = self.fed = 0

    def feed(self, pcm: bytes) -> None:
        self.largest = max(self.largest, len(pcm) // 2)
        self.fed += len(pcm) // 2
        if not self.slow:
            self.through = self.fed

    def settle(self) -> None:
        pass

    def busy(self) -> bool:
        return self.through < self.fed

    def words(self) -> Hypothesis:
        return Hypothesis(" ".join(f"w{n}" for n in range(self.through // 1600)), 1.0, "en")

    def end(self, keep: bool = True) -> None:
        self.forgotten += not keep

    def close(self) -> None:
        pass


class Mistaken(Counting):
    """Makes a word of a chair."""

    def words(self) -> Hypothesis:
        return Hypothesis("uh", 1.0, "en")


def frames(utterance: int, first: int, count: int) -> list[MicFrame]:
    return [
        MicFrame(session="s", mic_sample=first + 320 * n, pcm=bytes(640), utterance=utterance) for n in range(count)
    ]


def work(listener: Listener, now_ns: int = 0) -> list[Transcript]:
    said: list[Message] = []
    idle = 0
    while idle < 3:  # what is waited for from elsewhere does not come by asking more often
        idle = 0 if listener.waiting else idle + 1
        said += listener.work(now_ns)
    return [m for m in said if isinstance(m, Transcript)]


def test_the_pause_is_told_when_all_sound_up_to_it_was_heard_whatever_came_first() -> None:
    sound = frames(0, 0, 50)
    for announced_after in (0, 10, 50):
        listener = Listener("s", Counting(), "en")
        said = []
        for n, frame in enumerate(sound):
            if n == announced_after:
                listener.paused(0, 14_000, 100)
            listener.file(frame)
            said += work(listener)
        if announced_after == 50:
            listener.paused(0, 14_000, 100)
            said += work(listener)
        last = said[-1]
        assert last.through_sample >= 14_000 + 1600
        assert last.text.startswith("w0 w1 w2 w3 w4 w5 w6 w7 w8")


def test_the_final_words_are_those_of_the_pause() -> None:
    listener = Listener("s", Counting(), "en")
    listener.paused(0, 8_000, 100)
    for frame in frames(0, 0, 30):
        listener.file(frame)
    at_pause = work(listener)[-1]
    assert at_pause.pause_sample == 8_000, "told beforehand: whoever ends the utterance there need not ask"
    for frame in frames(0, 9_600, 40):
        listener.file(frame)
    assert work(listener) == []
    listener.ended(0, 8_000, at_once=False)
    final = work(listener)
    assert [(t.final, t.text) for t in final] == [(True, at_pause.text)]


def test_noise_taken_for_words_does_not_stand_for_a_pause() -> None:
    listener = Listener("s", Mistaken(), "en")
    listener.paused(0, 8_000, 100)
    for frame in frames(0, 0, 30):
        listener.file(frame)
    at_pause = work(listener)[-1]
    assert (at_pause.text, at_pause.pause_sample) == ("uh", -1)
    listener.ended(0, 8_000, at_once=False)
    assert [(t.final, t.text) for t in work(listener)] == [(True, "")]


def test_words_after_the_end_belong_to_the_next_utterance() -> None:
    listener = Listener("s", Counting(), "en")
    for frame in frames(0, 0, 100):
        listener.file(frame)
    listener.ended(0, 8_000, at_once=False)
    final = work(listener)[-1]
    assert final.final
    assert final.through_sample == 8_000 + 1536
    for frame in frames(1, 9_600, 20):
        listener.file(frame)
    listener.ended(1, 16_000, at_once=True)
    final = work(listener)[-1]
    assert (final.utterance, final.final, final.start_sample) == (1, True, 9_600)


def test_going_on_forgets_the_pause_and_words_flow_again() -> None:
    listener = Listener("s", Counting(), "en")
    listener.paused(0, 3_200, 100)
    for frame in frames(0, 0, 20):
        listener.file(frame)
    work(listener)
    listener.resumed(0)
    for frame in frames(0, 6_400, 30):
        listener.file(frame)
    texts = [t.text for t in work(listener)]
    assert len(texts) > 3
    assert not any(t.final for t in work(listener))


def test_frames_of_the_next_utterance_wait_for_the_end_of_this_one() -> None:
    recogniser = Counting()
    listener = Listener("s", recogniser, "en")
    for frame in frames(0, 0, 20) + frames(1, 6400, 20):
        listener.file(frame)
    work(listener)
    assert recogniser.utterances == 1
    listener.ended(0, 4000, at_once=False)
    listener.ended(1, 12_800, at_once=True)
    assert [t.utterance for t in work(listener) if t.final] == [0, 1]


def test_an_end_waits_for_sound_on_its_way_but_not_for_ever() -> None:
    listener = Listener("s", Counting(), "en")
    for frame in frames(0, 0, 20):
        listener.file(frame)
    listener.ended(0, 16_000, at_once=False)
    assert not any(t.final for t in work(listener, 0))
    assert any(t.final for t in work(listener, PATIENCE_NS))


def test_an_utterance_without_any_sound_is_empty() -> None:
    listener = Listener("s", Counting(), "en")
    listener.ended(3, 16_000, at_once=False)
    work(listener, 0)
    final = work(listener, PATIENCE_NS)
    assert [(t.utterance, t.text, t.final) for t in final] == [(3, "", True)]


def test_a_slow_recogniser_is_waited_for() -> None:
    recogniser = Counting(slow=True)
    listener = Listener("s", recogniser, "en")
    listener.paused(0, 3200, 100)
    for frame in frames(0, 0, 20):
        listener.file(frame)
    assert work(listener) == []
    assert listener.polling
    recogniser.through = recogniser.fed
    assert [t.final for t in work(listener)] == [False]


def test_a_recogniser_that_is_behind_says_how_far_it_is_after_the_pause_and_the_end_are_known() -> None:
    listener = Listener("s", Counting(), "en")
    for frame in frames(0, 0, 60):
        listener.file(frame)
    listener.paused(0, 16_000, 100)
    listener.ended(0, 16_000, at_once=False)
    *so_far, stands, final = work(listener)
    assert len(so_far) > 3
    assert all(t.pause_sample < 0 and not t.final and t.through_sample < 16_000 for t in so_far), "nothing stands yet"
    assert stands.pause_sample == 16_000
    assert final.final
    assert final.text.split()[: len(so_far[-1].text.split())] == so_far[-1].text.split()


def test_a_recogniser_that_is_not_ready_yet_loses_nothing() -> None:
    recogniser = Counting()
    recogniser.is_ready = False
    listener = Listener("s", recogniser, "en")
    for frame in frames(0, 0, 50):
        listener.file(frame)
    assert listener.work(0) == []
    recogniser.is_ready = True
    listener.ended(0, 14_000, at_once=True)
    assert work(listener)[-1].text == "w0 w1 w2 w3 w4 w5 w6 w7"


def test_pieces_are_bounded() -> None:
    recogniser = Counting()
    listener = Listener("s", recogniser, "en")
    listener.file(MicFrame(session="s", mic_sample=0, pcm=bytes(64_000), utterance=0))
    work(listener)
    assert recogniser.largest == PIECE


def test_what_is_heard_again_replaces_what_was_heard() -> None:
    recogniser = Counting()
    listener = Listener("s", recogniser, "en")
    for frame in frames(2, 0, 30):
        listener.file(frame)
    work(listener)
    listener.begin_again(2)
    for frame in frames(2, 0, 30):
        listener.file(frame)
    listener.ended(2, 6400, at_once=False)
    final = work(listener)[-1]
    assert final.final
    assert final.text == "w0 w1 w2 w3"
    assert recogniser.forgotten == 1


def test_done_utterances_stay_done_and_holes_keep_the_clock() -> None:
    listener = Listener("s", Counting(), "en")
    for frame in itertools.chain(frames(0, 0, 5), frames(0, 3200, 15)):
        listener.file(frame)
    listener.ended(0, 6_000, at_once=False)
    assert work(listener)[-1].through_sample >= 6_000
    for frame in frames(0, 8000, 5):
        listener.file(frame)
    listener.ended(0, 6_000, at_once=False)
    assert work(listener) == []
