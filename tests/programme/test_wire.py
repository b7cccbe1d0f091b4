"""The stage in its shell: everything it sends can travel, and a walk of random messages breaks no contract."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from broker import codec
from broker.memory_bus import MemoryBus, MemoryHub
from broker.messages import (
    Cancel,
    Commit,
    Emitted,
    Hold,
    Holding,
    KeyFrame,
    Message,
    Open,
    Picture,
    Programme,
    Report,
    Resume,
    Voice,
    Wanted,
)
from tests.programme.play import SMALL, Play, pieces, voice
from workers.programme.stage import ProgrammeStage
from workers.shell import Shell


def test_everything_that_is_sent_survives_the_wire() -> None:
    play = Play()
    play.watch(h264=1, vp8=1)
    play.say(voice(samples=96_000, last=False, turn_last=False, emotion="happy"))
    play.commit()
    play.run(700)
    play.lipsync = lambda draw: None
    play.open(committed=(1,), replaced=("tts",))
    play.run(2_000)
    kinds = {type(message).__name__ for message in play.messages}
    assert kinds == {"Programme", "Emitted", "Event", "Draw", "Credit", "Buffered"}
    for message in play.messages:
        again = codec.decode(codec.encode(message, route=7))
        assert again == replace(message, route=7)


def test_in_its_shell_it_ticks_answers_and_reports() -> None:
    hub = MemoryHub()
    bus, broker, tts = (
        MemoryBus(kind, name, hub) for kind, name in (("programme", "p"), ("broker", "b"), ("tts", "t"))
    )
    edge = MemoryBus("webrtc", "e", hub)
    edge.subscribe(bus.peer.pub, "s")
    shell = Shell("programme", bus)
    shell.stage = ProgrammeStage(SMALL)
    peers = {"broker": broker.peer, "tts": tts.peer, "programme": bus.peer, "webrtc": edge.peer}
    opened = Open(session="s", route=5, persona={}, language="en", origin_ns=0, peers=peers)
    broker.send(bus.peer, opened)
    broker.send(bus.peer, Commit(session="s", route=5, turn=1))
    tts.send(bus.peer, replace(voice(samples=9_600), session="s", route=5))
    broker.send(bus.peer, Report())
    for _ in range(40):
        for message in bus.receive(0):
            shell.receive(message)
        shell._step(max(shell.stage.due_ns or 0, 10**9))
    ticks = [m for m in edge.receive(0) if isinstance(m, Programme)]
    assert len(ticks) >= 10
    assert [tick.tick for tick in ticks] == list(range(ticks[0].tick, ticks[0].tick + len(ticks)))
    said = broker.receive(0)
    assert sum(m.samples for m in said if isinstance(m, Emitted)) == 9_600
    assert [m.facts["turn"] for m in said if isinstance(m, Holding)] == [1]
    assert not shell.counters["faults"]


def step_of(rng: random.Random, turn: int) -> list[Message]:
    """Something anyone might say next about turns around `turn`."""
    near = max(1, turn + rng.randint(-1, 1))
    choice = rng.random()
    if choice < 0.35:
        whole = voice(turn=near, sentence=rng.randint(0, 2), samples=rng.choice((0, 480, 5_000, 30_000)), words=3)
        parts: list[Message] = [*pieces(whole, rng.choice((480, 960, 4_800)))]
        return [part for part in parts if rng.random() < 0.95]
    if choice < 0.5:
        return [Commit(session="a", turn=near)]
    if choice < 0.6:
        return [Cancel(session="a", through_turn=near - 1)]
    if choice < 0.7:
        return [Hold(session="a")]
    if choice < 0.82:
        return [Resume(session="a")]
    if choice < 0.9:
        return [Wanted(session="a", edge="e", h264=rng.randint(0, 1), vp8=rng.randint(0, 1))]
    if choice < 0.94:
        return [KeyFrame(session="a", codec=rng.choice(("h264", "vp8")))]
    if choice < 0.97:
        return [Picture(session="a", picture=rng.randint(-5, 9_000), width=64, height=64, yuv=bytes(6_144))]
    return [
        Voice(session="a", turn=near, sentence=0, start_sample=rng.randint(-9, 9_999), pcm=bytes(rng.randint(0, 99)))
    ]


@pytest.mark.parametrize("seed", range(12))
def test_no_walk_of_messages_breaks_a_contract(seed: int) -> None:
    rng = random.Random(seed)
    play = Play(delay_ms=rng.choice((3, 20, 70)))
    turn, cancelled, held = 1, 0, False
    committed: set[int] = set()
    for _ in range(400):
        turn += rng.random() < 0.08
        if rng.random() < 0.03:
            play.open(replaced=(rng.choice(("tts", "llm", "lipsync")),), committed=tuple(committed), held=held)
        for message in step_of(rng, turn):
            play.say(message)
            if isinstance(message, Commit):
                committed.add(message.turn)
            elif isinstance(message, Cancel):
                cancelled = max(cancelled, message.through_turn)
                held = False
            elif isinstance(message, (Hold, Resume)):
                held = isinstance(message, Hold)
        if rng.random() < 0.02:
            play.stall(rng.uniform(0, 300))
        for message in play.run(rng.choice((0, 5, 20, 60, 200))):
            if isinstance(message, Emitted):
                assert message.turn > cancelled
                assert message.turn in committed
                assert not held
    numbers = [tick.tick for tick in play.ticks()]
    assert numbers == sorted(set(numbers)), "no tick twice, none out of order"
    for counted in ("h264_n", "vp8_n"):
        counts = [n for tick in play.ticks() if (n := getattr(tick, counted))]
        assert counts == list(range(1, len(counts) + 1)), "no encoded picture is lost"
    samples = [tick.picture_sample for tick in play.ticks() if tick.picture >= 0]
    assert samples == sorted(set(samples)), "picture times only grow"
    ends = 0
    for emitted in play.emitted():
        assert emitted.programme_sample >= ends, "one voice at a time"
        ends = emitted.programme_sample + emitted.samples
