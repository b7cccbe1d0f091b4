"""Turn machine, programme gate and page explored together, ten events deep, and by long random walks.

From silence every order of the events of an undisturbed conversation; from other beginnings as deep as `WIDTH` worlds a
layer allow, and an even sample of each layer from there on. `VISAVIS_EXPLORE` explores that many times as much.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import pytest

from broker import answering, barge_in, listening, move, sounding, unfolding
from broker.dialogue import Hearing
from broker.move import Move
from broker.sounding import cancel_all
from tests.broker import world as worlds
from tests.broker.world import Broken, World, after, changed, settled
from workers.programme.gate import Gate

DEPTH = 10
SCALE = float(os.environ.get("VISAVIS_EXPLORE", "1"))
WIDTH = int(2000 * SCALE)
"""Worlds of one layer that are gone on from; of wider layers an even sample, so that the depth is always reached."""
WHOLE = 10_000_000
"""The same where every layer is to be whole."""
HUNTING_WIDTH = 100
"""The same where something is broken on purpose and found soon."""
WALKS = int(100 * SCALE)
WALK_LENGTH = 120
REST_EVERY = 200
"""One in so many states is followed until everything has come to rest."""
LONG_S = int(1800 * max(1, SCALE))
"""The first waits for those explored beside it; all take three minutes of two fast cores, twelve of slow ones."""

ALWAYS = frozenset(("gate reads", "voice arrives", "emitted arrives", "sentence arrives", "tick", "timer", "played"))
OVER = frozenset(("gate reads", "page reads", "emitted arrives", "tick", "timer"))
SPEAKING = frozenset(("speaks", "words", "pauses", "pauses for good", "goes on", "vad ends", "final words"))


def beginnings() -> dict[str, World]:
    """Where the interesting things start."""
    asked = after("speaks", "words", "pauses", "sentence arrives", "timer")
    thinking = after("vad ends", "final words", start=asked)
    speaking = after("gate reads", "voice arrives", "tick*3", "emitted arrives*2", start=thinking)
    return {
        "silence": after(),
        "a pause with an attempt": after("speaks", "words", "pauses"),
        "a pause whose words stand": replace(after("speaks", "words"), stands=2),
        "the end of an utterance": asked,
        "an answer about to sound": thinking,
        "an answer in its second word": speaking,
        "an answer in its fourth word": after("tick*4", "emitted arrives*4", "played", start=speaking),
        "a long thought": after("types", "timer"),
        "a thought that may fail": replace(after("types"), fails=1, leaves=0),
        "an answer that may fail": replace(thinking, fails=1),
        "an answer whose broker may restart": replace(speaking, restarts=1, types=0, interrupts=0, leaves=0),
        "an answer whose persona may change": replace(speaking, switches=1, types=0, interrupts=0, leaves=0),
    }


@dataclass
class Found:
    """What an exploration has seen."""

    states: int = 1
    events: int = 0
    rests: int = 0
    depth: int = 0
    complete: int = 0
    """Layers without any sampling."""


def explore(
    start: World,
    width: int = WIDTH,
    only: frozenset[str] | None = None,
    depth: int = DEPTH,
    rest_every: int = REST_EVERY,
) -> Found:
    """Breadth first, equal states merged; of layers wider than `width` an even sample goes on.

    `only` restricts the events: the fewer there are, the more layers are complete. One state in `rest_every` is
    followed until nothing moves.
    """
    found = Found()
    seen = {hash(start.key())}
    layer: list[Callable[[], World]] = [lambda: start]
    reached_before = 1
    while layer and found.depth < depth:
        following = []
        for arrive in layer:
            world = arrive()
            for name, event in world.events():
                if only is not None and name not in only:
                    continue
                found.events += 1
                arrive = partial(world.stepped, name, event)
                reached = arrive()
                key = hash(reached.key())
                if key not in seen:
                    seen.add(key)
                    following.append(arrive)  # worlds are large, and the next layer is the largest so far
                    found.states += 1
                    if reached.rests or found.states % rest_every == 0:
                        rest(reached)
                        found.rests += 1
        found.complete += found.complete == found.depth and len(layer) == reached_before
        reached_before = len(following)
        layer = following if len(following) <= width else random.Random(found.depth).sample(following, width)
        found.depth += 1
    return found


def rest(world: World) -> None:
    """Follow a world until nothing moves. Raises Broken with the way there."""
    try:
        settled(world).check_rest()
    except Broken as broken:
        raise Broken(f"{broken} | {', '.join(world.path)}, … at rest") from broken


def walk(seed: int, length: int = WALK_LENGTH) -> World:
    """One long random conversation."""
    chance = random.Random(seed)
    world = replace(after(), speaks=12, types=3, interrupts=2, leaves=2, switches=2, stands=6, fails=3, restarts=2)
    for _ in range(length):
        choices = list(world.events())
        weights = [_weight(name) for name, _ in choices]
        name, event = chance.choices(choices, weights)[0]
        world = world.stepped(name, event)
    rest(world)
    return world


def _weight(name: str) -> float:
    """What is on its way arrives more often than people leave."""
    return {
        "tick": 4,
        "types": 0.2,
        "interrupts": 0.2,
        "leaves": 0.2,
        "switches": 0.2,
        "hums": 0.5,
        "brain fails": 0.5,
        "brain says nothing": 0.5,
        "brain breaks off": 0.5,
        "broker restarts": 0.2,
        "voice fails": 0.5,
        "played": 2,
        "timer": 2,
    }.get(name, 3)


NARROW = {
    "an answer that nobody disturbs": ("an answer about to sound", ALWAYS),
    "a word over the answer": ("an answer in its fourth word", OVER | {"speaks", "words"}),
    'an "mhm" over the answer': ("an answer in its fourth word", OVER | {"hums", "pauses"}),
    "a thought that takes long": ("a long thought", (ALWAYS | {"brain answers"}) - {"played"}),
    "a question with pauses": ("silence", SPEAKING | {"timer", "brain answers", "gate reads", "sentence arrives"}),
    "a question whose pauses stand": (
        "a pause whose words stand",
        SPEAKING | {"timer", "brain answers", "gate reads", "sentence arrives"},
    ),
    "somebody else takes over": ("an answer whose persona may change", OVER | {"switches", "voice arrives"}),
    "a thought that fails": (
        "a thought that may fail",
        (ALWAYS | {"brain answers", "brain fails", "brain says nothing", "brain breaks off", "voice fails"})
        - {"played"},
    ),
    "a question about a failing thought": (
        "an answer that may fail",
        SPEAKING
        | {"timer", "brain answers", "brain fails", "brain says nothing", "brain breaks off", "voice fails"}
        | {"gate reads", "sentence arrives"},
    ),
    "a broker that restarts under a word": (
        "an answer whose broker may restart",
        OVER | {"broker restarts", "speaks"},
    ),
    "somebody leaves and returns": ("an answer in its second word", OVER | {"leaves", "returns"}),
}
"""Fewer kinds of events, but every order of them, each ten deep."""


def explore_from(name: str) -> Found:
    """One exploration, by name."""
    if name in NARROW:
        start, only = NARROW[name]
        return explore(beginnings()[start], WHOLE, only)
    return explore(beginnings()[name], WHOLE if name == "silence" else WIDTH)


def hurry() -> None:
    """In a process that does nothing else: no garbage is looked for, and copies take a quarter of their time."""
    gc.disable()
    vars(move)["replace"] = changed


@pytest.fixture(scope="module")
def explored() -> Iterator[Callable[[str], Found]]:
    workers = min(4, os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), hurry) as pool:
        coming = {name: pool.submit(explore_from, name) for name in (*beginnings(), *NARROW)}
        yield lambda name: coming[name].result()
        pool.shutdown(cancel_futures=True)


@pytest.mark.timeout(LONG_S)
@pytest.mark.parametrize("name", beginnings())
def test_no_order_of_events_breaks_an_invariant(
    name: str, explored: Callable[[str], Found], capsys: pytest.CaptureFixture[str]
) -> None:
    found = explored(name)
    report(capsys, name, found)
    assert found.depth == DEPTH
    assert found.complete == DEPTH or name != "silence", "no layer was thinned"
    assert found.states > 1000


@pytest.mark.timeout(LONG_S)
@pytest.mark.parametrize("name", NARROW)
def test_every_order_of_some_events_keeps_every_invariant(
    name: str, explored: Callable[[str], Found], capsys: pytest.CaptureFixture[str]
) -> None:
    found = explored(name)
    report(capsys, name, found)
    assert found.complete == found.depth == DEPTH, "no layer was thinned"


def report(capsys: pytest.CaptureFixture[str], name: str, found: Found) -> None:
    """The number of states, on the terminal."""
    with capsys.disabled():
        print(
            f"\n  {name}: {found.states} states, {found.events} events, {found.depth} deep "
            f"({found.complete} completely), {found.rests} followed to rest",
            end="",
        )


def test_long_random_conversations_keep_every_invariant() -> None:
    turns = [walk(seed).machine.turn for seed in range(WALKS)]
    assert sum(turns) > 3 * WALKS, "conversations happened"


# --- broken on purpose ------------------------------------------------------------------------------------------------

Patch = pytest.MonkeyPatch


def gate_lets_the_cancelled_finish(patch: Patch) -> None:
    def cancel(self: Gate, through_turn: int) -> Gate:
        return replace(self, held=False)

    patch.setattr(Gate, "cancel", cancel)


def holds_forget_their_timer(patch: Patch) -> None:
    patch.setattr(barge_in, "let_go", lambda move: None)


def dialogue_keeps_what_was_said(patch: Patch) -> None:
    patch.setattr(Hearing, "heard", lambda self, acknowledged: self.words)


def attempts_are_accepted_unread(patch: Patch) -> None:
    patch.setattr(answering, "same_words", lambda one, other: True)


def moments_do_not_keep_the_answer_waiting(patch: Patch) -> None:
    original = sounding.let_sound

    def let_sound(move: Move) -> None:
        moment = move.state.moment
        move.set(moment=None)
        original(move)
        move.set(moment=moment)

    for module in (answering, unfolding):
        patch.setattr(module, "let_sound", let_sound)


def joined_words_are_forgotten(patch: Patch) -> None:
    patch.setattr(listening, "joined", lambda *texts: texts[-1])


def resumes_are_not_sent(patch: Patch) -> None:
    def release(move: Move, heard_sample: int = -1) -> None:
        move.set(held=False)

    patch.setattr(barge_in, "release_sound", release)


def the_page_counts_what_it_kept_silent(patch: Patch) -> None:
    patch.setattr(World, "speaker_sample", property(lambda self: self.page_sample))


def the_programme_goes_on_where_it_was(patch: Patch) -> None:
    original = worlds.resumed
    patch.setattr(worlds, "resumed", lambda programme, heard_sample: original(programme, programme.resumed_from))


def failures_end_in_silence(patch: Patch) -> None:
    def give_up(move: Move, code: str, text: str, language: str = "", speakable: bool = True) -> None:
        move.set(answer=None, moment=None)
        cancel_all(move)

    patch.setattr(unfolding, "give_up", give_up)


def a_failed_moment_stays_in_the_programme(patch: Patch) -> None:
    patch.setattr(unfolding, "say_anew", lambda move, answer: None)


def empty_attempts_are_kept(patch: Patch) -> None:
    patch.setattr(unfolding, "drop_attempt", lambda move: None)


def a_broken_answer_stays_in_the_programme(patch: Patch) -> None:
    patch.setattr(unfolding, "cancel_all", lambda move: None)


NOT_SOUNDING = r"had a voice, and nothing of it sounds"
NOT_HEARD = r"is in the dialogue and was not heard"
MUTANTS: dict[Callable[[Patch], None], str] = {
    gate_lets_the_cancelled_finish: r"turn \d+ sounds after its cancel",
    holds_forget_their_timer: r"a hold that its timer does not end",
    dialogue_keeps_what_was_said: NOT_HEARD,
    attempts_are_accepted_unread: r"asked '.*', committed for '.*'",
    moments_do_not_keep_the_answer_waiting: r"two turns may sound",
    joined_words_are_forgotten: r"was said and is lost",
    resumes_are_not_sent: NOT_SOUNDING,
    the_page_counts_what_it_kept_silent: NOT_HEARD,
    the_programme_goes_on_where_it_was: NOT_SOUNDING,
    failures_end_in_silence: r"turn .* is never answered",
    a_failed_moment_stays_in_the_programme: r"two turns may sound",
    a_broken_answer_stays_in_the_programme: r"two turns may sound|something is left undone",
    empty_attempts_are_kept: r"an answer without a word is kept",
}
"""What is broken on purpose, and what the invariant says that is there to find it."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_what_is_broken_on_purpose_is_found_by_its_own_invariant(
    mutant: Callable[[Patch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = beginnings()
    mutant(monkeypatch)
    with pytest.raises(Broken, match=MUTANTS[mutant]):
        for _ in hunts(starts):
            pass


def hunts(starts: dict[str, World]) -> Iterator[Found]:
    """Explore a little from everywhere, then every order of fewer kinds of events, then walk."""
    for start in starts.values():
        yield explore(start, HUNTING_WIDTH // 4, rest_every=12)
    for name, only in NARROW.values():
        yield explore(starts[name], HUNTING_WIDTH, only, rest_every=50)
    for seed in range(WALKS):
        walk(seed)


def test_worlds_that_differ_only_in_the_time_of_day_are_one_state() -> None:
    early = after("speaks", "words")
    late = after("speaks", "words", start=world_at(99_000))
    assert early.now_ns != late.now_ns
    assert early.key() == late.key()
    assert early.key() != after("speaks").key()


def world_at(ms: int) -> World:
    """A page that begins to play at another time."""
    now_ns = ms * 1_000_000
    fresh = after()
    return replace(
        fresh,
        now_ns=now_ns,
        machine=replace(fresh.machine, played_ns=now_ns),
        page_sample=fresh.page_sample + (now_ns - fresh.now_ns) * 48 // 1_000_000,
    )
