"""Films in the broker: whose turn it is, who makes what, and what deaths, losses and restarts leave of it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from broker.jobs import Job, Jobs, Stage
from broker.messages import Command, Done, Event, Listen, Make, Making, Message, Told
from broker.store import Store
from tests.broker.test_control import TOKEN, House, one, peer, to

MAKER = peer("production")
ORDER = {"text": "Hello."}


def command(world: House, what: str, operator: bool = True, **data: Any) -> Done:
    return one(
        world(Command(id="1", edge=peer("webrtc"), what=what, token_hash=TOKEN, operator=operator, data=data)), Done
    )


def order(world: House, name: str, created_s: float = 0.0) -> Done:
    return command(world, "order", job=name, order=ORDER, created_s=created_s)


def tick(world: House) -> list[tuple[str, Message]]:
    return world.run(lambda: world.control.tick(world.now_ns))


def makes(sent: list[tuple[str, Message]]) -> list[tuple[str, str, int]]:
    return [(name, make.job, make.attempt) for name, make in to(sent, Make)]


def state(world: House, name: str) -> str:
    return str(command(world, "job", job=name).data.get("state", "gone"))


def making(world: House, name: str, attempt: int = 1, state: str = "making", **more: Any) -> list[tuple[str, Message]]:
    return world(Making(job=name, attempt=attempt, state=state, **more)) + tick(world)


def test_films_are_made_one_after_the_other_by_each_maker() -> None:
    world = House()
    for name in ("a", "b", "c"):
        assert order(world, name).data["state"] == "queued"
    assert makes(tick(world)) == []
    world.alive(MAKER)
    world.alive(peer("production", 2))
    assert makes(tick(world)) == [("production-1", "a", 1), ("production-2", "b", 1)]
    assert makes(tick(world)) == [], "said once"
    making(world, "a", share=0.5)
    assert command(world, "job", job="a").data == {"job": "a", "state": "making", "share": 0.5}
    done = making(world, "a", state="done", share=1.0, seconds=2.0, took_s=1.0, captions=True)
    assert makes(done) == [("production-1", "c", 1)]
    assert command(world, "job", job="a").data == {
        "job": "a", "state": "done", "share": 1.0, "video": "/api/v1/videos/a.mp4", "seconds": 2.0, "took_s": 1.0,
        "captions": "/api/v1/videos/a.vtt",
    }  # fmt: skip
    assert [each["job"] for each in command(world, "jobs").data["jobs"]] == ["a", "b", "c"]


def test_what_is_to_be_made_is_said_again_in_case_it_got_lost() -> None:
    world = House()
    world.alive(MAKER)
    order(world, "a")
    tick(world)
    again = makes(world.wait(1.1))
    assert again
    assert set(again) == {("production-1", "a", 1)}
    making(world, "a", state="done")
    assert ("production-1", "", 0) in makes(world.sent)


def test_who_listens_hears_of_every_change() -> None:
    world = House()
    world.alive(MAKER)
    order(world, "a")
    order(world, "b")
    tick(world)
    world(Listen(session="a", edge=peer("webrtc", 2)))
    making(world, "a", share=0.25)
    making(world, "a", share=0.25)
    making(world, "a", state="failed", code="audio", text="There is no sound in it.")
    told = [message for name, message in to(world.sent, Told) if name == "webrtc-2"]
    assert [(each.kind, each.data["state"], each.data["share"]) for each in told] == [
        ("job", "making", 0.25),
        ("job", "failed", 0.0),
    ]
    assert told[-1].data["text"] == "There is no sound in it."
    assert all(event.session in ("a", "b") for event in world.published if event.kind == "job")


def test_a_film_whose_maker_died_is_made_by_its_successor_once_more() -> None:
    world = House()
    world.alive(MAKER)
    order(world, "a")
    tick(world)
    making(world, "a", share=0.7)
    world.lose(MAKER)
    assert (state(world, "a"), world.control.jobs.all()[0].share) == ("queued", 0.0)
    second = peer("production", incarnation="b")
    world.alive(second)
    assert makes(tick(world)) == [("production-1", "a", 2)]
    making(world, "a", attempt=1, state="done")
    assert state(world, "a") == "making", "the dead one's last words count no more"
    world.alive(peer("production", incarnation="c"))
    assert command(world, "job", job="a").data["code"] == "died"
    assert makes(tick(world)) == []


def test_who_is_asked_to_stop_has_not_died_over_it() -> None:
    world = House()
    order(world, "a")
    for incarnation in "abcd":
        maker = peer("production", incarnation=incarnation)
        world.alive(maker)
        assert makes(tick(world)) == [("production-1", "a", 1)]
        world.alive(maker, state="stopping")
        world.lose(maker)
        assert state(world, "a") == "queued"


def test_a_film_is_cancelled_while_it_waits_and_while_it_is_made_and_forgotten_when_it_is_over() -> None:
    world = House()
    world.alive(MAKER)
    order(world, "a")
    order(world, "b")
    tick(world)
    assert command(world, "unorder", job="b").data["state"] == "queued"
    assert command(world, "unorder", job="a").data["state"] == "making"
    assert makes(tick(world)) == [("production-1", "", 0)]
    making(world, "a", state="done")
    assert (state(world, "a"), state(world, "b")) == ("cancelled", "cancelled")
    assert command(world, "unorder", job="a").code == ""
    assert command(world, "job", job="a").code == "unknown"
    assert command(world, "unorder", job="a").code == "unknown"


def test_only_the_operator_orders_and_not_without_end() -> None:
    world = House(films_waiting=2)
    for what in ("order", "jobs", "job", "unorder"):
        assert command(world, what, operator=False, job="a", order=ORDER).code == "forbidden"
    assert order(world, "a").code == ""
    assert order(world, "b").code == ""
    assert order(world, "c").code == "busy"
    command(world, "unorder", job="a")
    assert order(world, "c").code == ""


def test_what_is_old_and_over_is_forgotten() -> None:
    world = House()
    for name, created_s in (("a", 10.0), ("b", 20.0), ("c", 10.0)):
        order(world, name, created_s)
    command(world, "unorder", job="a")
    command(world, "unorder", job="b")
    assert world.control.forget_films(15.0) == ["a"]
    assert [job.name for job in world.control.jobs.all()] == ["b", "c"]


@pytest.mark.parametrize("maker_lives", [True, False])
def test_films_outlive_the_broker(tmp_path: Path, maker_lives: bool) -> None:
    before = House(Store(tmp_path / "v.sqlite"))
    before.alive(MAKER)
    for n, name in enumerate(("made", "going", "waiting", "gone")):
        order(before, name, float(n))
    for name in ("gone", "gone"):
        command(before, "unorder", job=name)
    tick(before)
    making(before, "made", state="done", seconds=3.0)
    making(before, "going", share=0.5)
    assert state(before, "going") == "making"

    after = House(Store(tmp_path / "v.sqlite"), instances=0)
    after.run(lambda: after.control.restore(after.now_ns))
    after.up(2)
    if maker_lives:
        after.alive(MAKER)
    assert [(job.name, job.stage) for job in after.control.jobs.all()] == [
        ("made", Stage.DONE), ("going", Stage.MAKING), ("waiting", Stage.QUEUED),
    ]  # fmt: skip
    assert after.control.jobs.all()[0].told()["seconds"] == 3.0
    assert makes(tick(after)) == [], "who lives has time to say so"
    sent = after.wait(2.1)
    if maker_lives:
        assert set(makes(sent)) == {("production-1", "going", 1)}
        making(after, "going", state="done")
        assert state(after, "going") == "done"
    else:
        assert state(after, "going") == "queued"
        after.alive(peer("production", incarnation="b"))
        assert makes(tick(after)) == [("production-1", "going", 2)]


def test_a_job_that_cannot_be_read_costs_the_others_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "v.sqlite")
    world = House(store)
    order(world, "a")
    store.save_jobs({"b": b"\xc1 no such thing"})
    after = House(store, instances=0)
    after.control.restore(after.now_ns)
    assert [job.name for job in after.control.jobs.all()] == ["a"]


@pytest.mark.parametrize("seed", range(40))
def test_every_film_ends_whatever_gets_lost_and_whoever_dies(seed: int) -> None:
    """Makers that lose one message in five either way, die, and are replaced; no two are ever at the same attempt."""
    dice = random.Random(seed)
    jobs = Jobs()
    makers: dict[str, tuple[str, tuple[str, int], Making | None]] = {}
    born, owners = 0, dict[tuple[str, int], str]()
    for n in range(6):
        jobs.add(Job(name=f"j{n}", order={}))
    for step in range(4_000):
        if all(job.stage.over for job in jobs.all()):
            break
        while len(makers) < 2:
            born += 1
            free = next(name for name in ("production-1", "production-2") if name not in makers)
            makers[free] = (f"{born}", ("", 0), None)
        peers = [peer("production", int(name[-1]), makers[name][0]) for name in sorted(makers)]
        for to_whom, make in jobs.assigned(peers, again=step % 10 == 0):
            if dice.random() < 0.2:
                continue
            incarnation, key, said = makers[to_whom.name]
            if key != (make.job, make.attempt):
                key, said = (make.job, make.attempt), None
                if make.job:
                    assert owners.setdefault(key, incarnation) == incarnation, "two make the same"
                    said = Making(job=make.job, attempt=make.attempt, state="making")
            makers[to_whom.name] = (incarnation, key, said)
            if said and dice.random() > 0.2:
                jobs.heard(said)
        for name, (incarnation, key, said) in list(makers.items()):
            if dice.random() < 0.02:
                del makers[name]
                jobs.left(peer("production", int(name[-1]), incarnation))
            elif said and dice.random() < 0.1:
                said = Making(job=key[0], attempt=key[1], state="done", share=1.0)
                makers[name] = (incarnation, key, said)
                if dice.random() > 0.2:
                    jobs.heard(said)
    assert {job.stage for job in jobs.all()} <= {Stage.DONE, Stage.FAILED}
    assert all(job.code == "died" and job.attempts == 2 for job in jobs.all() if job.stage is Stage.FAILED)


def test_the_events_of_films_are_numbered_with_all_others() -> None:
    world = House()
    order(world, "a")
    tick(world)
    seqs = [event.seq for event in world.published]
    assert seqs == sorted(set(seqs))
    assert [event.data["state"] for event in world.published if isinstance(event, Event) and event.kind == "job"] == [
        "queued"
    ]
