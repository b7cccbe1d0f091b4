"""The stage: pictures in time or not at all, for many sessions, while faces are made ready beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from broker.config import Settings, load
from broker.errors import EngineError, MissingError
from broker.messages import Close, Draw, Failed, Message, Open, Picture
from broker.visemes import CLOSED_MOUTH
from workers.lipsync.build import MOST_WARMED, build
from workers.lipsync.engine import Wanted, choose
from workers.lipsync.errors import AvatarError
from workers.lipsync.preparing import FaceKey, Preparing
from workers.lipsync.stage import WAITING_LIMIT, LipsyncStage

MS = 1_000_000


@dataclass
class PaintedFaces:
    """An engine for these tests: `file` stands for every portrait, names beginning with `bad` fail to prepare."""

    folder: Path
    name: str = "painted"
    batch: int = 1
    drawn: list[list[str]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def find(self, portrait: str) -> Path:
        path = self.folder / portrait
        if not portrait or not path.exists():
            raise AvatarError("face_unknown", f"There is no portrait called '{portrait}'. Known portraits: ann.")
        return path

    def prepare(self, portrait_path: Path, size: int) -> str:
        assert self.gate.wait(5)
        if portrait_path.name == "bad":
            raise AvatarError("no_face", "No face was found in bad; use another picture.")
        if portrait_path.name == "worse":
            raise ZeroDivisionError("nobody thought of this")
        if size > 1024:
            raise AvatarError("size", "A portrait is drawn up to 1024 pixels.")
        return f"{portrait_path.name}@{size}"

    def draw(self, wanted: list[Wanted]) -> list[bytes]:
        self.drawn.append([each.avatar for each in wanted])
        return [each.avatar.encode() for each in wanted]


@pytest.fixture
def engine(tmp_path: Path) -> PaintedFaces:
    for name in ("ann", "bob", "bad", "worse"):
        (tmp_path / name).write_text("")
    faces = PaintedFaces(tmp_path)
    faces.gate.set()
    return faces


@pytest.fixture
def stage(engine: PaintedFaces) -> Iterator[LipsyncStage]:
    stage = LipsyncStage(engine)
    yield stage
    engine.gate.set()
    stage.close()


def opened(session: str, portrait: str = "ann") -> Open:
    return Open(session=session, persona={"face": {"portrait": portrait}}, language="en", origin_ns=0, peers={})


def wish(session: str, picture: int, deadline_ms: int, size: int = 512, mouth: bytes = CLOSED_MOUTH) -> Draw:
    return Draw(
        session=session, picture=picture, mouth=mouth, face={}, width=size, height=size, deadline_ns=deadline_ms * MS
    )


def settle(stage: LipsyncStage) -> list[Message]:
    """Step until nothing is being prepared and nothing waits."""
    said: list[Message] = []
    for _ in range(60_000):  # a minute at least: three real faces are prepared in one of these tests
        if stage.due_ns is None:
            return said
        said += stage.step(0)
        if stage.due_ns:
            time.sleep(0.001)
    raise AssertionError("it never settles")


def pictures(messages: list[Message]) -> list[int]:
    return [message.picture for message in messages if isinstance(message, Picture)]


def test_a_picture_is_drawn_for_each_draw(stage: LipsyncStage) -> None:
    stage.accept(opened("a"))
    assert settle(stage) == []
    stage.accept(wish("a", 7, 40))
    assert stage.due_ns == 0
    (picture,) = stage.step(0)
    assert picture == Picture(session="a", picture=7, width=512, height=512, yuv=b"ann@512")
    assert stage.due_ns is None


def test_another_face_is_made_ready_beside_and_shown_from_one_picture_to_the_next(
    stage: LipsyncStage, engine: PaintedFaces
) -> None:
    stage.accept(opened("a", "ann"))
    settle(stage)
    engine.gate.clear()
    stage.accept(opened("a", "bob"))
    shown: list[bytes] = []
    for n in range(5):
        stage.accept(wish("a", n, 40 * n + 40))
        shown += [message.yuv for message in stage.step(0) if isinstance(message, Picture)]
    assert shown == [b"ann@512"] * 5, "the old face goes on while the new one is made"
    stage.accept(wish("a", 5, 400))
    engine.gate.set()
    while stage.counters["faces_switched"] == 0:
        shown += [message.yuv for message in stage.step(0) if isinstance(message, Picture)]
    stage.accept(wish("a", 6, 440))
    shown += [message.yuv for message in settle(stage) if isinstance(message, Picture)]
    assert len(shown) == 7, "no picture is missing"
    assert shown[-1] == b"bob@512"


def test_a_face_that_is_ready_already_is_shown_at_once(stage: LipsyncStage) -> None:
    for session, portrait in (("a", "ann"), ("b", "bob")):
        stage.accept(opened(session, portrait))
    settle(stage)
    stage.accept(opened("a", "bob"))
    stage.accept(wish("a", 1, 40))
    (picture,) = stage.step(0)
    assert isinstance(picture, Picture)
    assert picture.yuv == b"bob@512"


@pytest.mark.parametrize(("portrait", "code"), [("bad", "no_face"), ("nobody", "face_unknown")])
def test_another_face_that_cannot_be_is_told_and_the_one_before_stays(
    stage: LipsyncStage, portrait: str, code: str
) -> None:
    stage.accept(opened("a", "ann"))
    settle(stage)
    stage.accept(opened("a", portrait))
    said = settle(stage)
    assert [message.code for message in said if isinstance(message, Failed)] == [code]
    stage.accept(wish("a", 1, 40))
    (picture,) = stage.step(0)
    assert isinstance(picture, Picture)
    assert picture.yuv == b"ann@512"


def test_who_changes_their_mind_keeps_the_face_that_is_shown(stage: LipsyncStage, engine: PaintedFaces) -> None:
    stage.accept(opened("a", "ann"))
    settle(stage)
    engine.gate.clear()
    stage.accept(opened("a", "bob"))
    stage.accept(opened("a", "ann"))
    engine.gate.set()
    settle(stage)
    stage.accept(wish("a", 1, 40))
    (picture,) = stage.step(0)
    assert isinstance(picture, Picture)
    assert picture.yuv == b"ann@512"


def test_nothing_is_due_when_nothing_is_asked(stage: LipsyncStage) -> None:
    assert stage.due_ns is None
    assert stage.step(0) == []


def test_the_most_urgent_session_comes_first(stage: LipsyncStage) -> None:
    for session in "abc":
        stage.accept(opened(session))
    settle(stage)
    for session, deadline_ms in (("a", 90), ("b", 30), ("c", 60)):
        stage.accept(wish(session, 1, deadline_ms))
    order = [message.session for _ in range(3) for message in stage.step(0)]
    assert order == ["b", "c", "a"]


def test_an_engine_that_draws_many_at_once_is_given_many(stage: LipsyncStage, engine: PaintedFaces) -> None:
    engine.batch = 4
    for session, face in zip("abcdef", ["ann", "bob"] * 3, strict=True):
        stage.accept(opened(session, face))
    settle(stage)
    for session in "abcdef":
        stage.accept(wish(session, 1, 50))
    assert len(stage.step(0)) == 4
    assert len(stage.step(0)) == 2
    assert [len(batch) for batch in engine.drawn] == [4, 2]


def test_a_late_picture_is_skipped_and_counted(stage: LipsyncStage) -> None:
    stage.accept(opened("a"))
    settle(stage)
    for picture, deadline_ms in ((1, 20), (2, 60), (3, 100)):
        stage.accept(wish("a", picture, deadline_ms))
    assert pictures(stage.step(60 * MS)) == [3]
    assert stage.counters["pictures_late"] == 2
    assert stage.due_ns is None


def test_a_picture_asked_for_again_is_drawn_as_it_was_asked_last(stage: LipsyncStage) -> None:
    stage.accept(opened("a"))
    settle(stage)
    stage.accept(wish("a", 16, 40))
    stage.accept(wish("a", 17, 40))
    assert pictures(stage.step(0)) == [17]
    assert stage.counters["pictures_replaced"] == 1


def test_a_programme_that_asks_too_much_loses_its_oldest_wishes_only(stage: LipsyncStage) -> None:
    stage.accept(opened("a"))
    stage.accept(opened("b"))
    settle(stage)
    stage.accept(wish("b", 0, 1))
    for picture in range(WAITING_LIMIT + 5):
        stage.accept(wish("a", picture, 10 + picture))
    said = settle(stage)
    assert [m.picture for m in said if m.session == "a"] == list(range(5, WAITING_LIMIT + 5))  # type: ignore[attr-defined]
    assert [m.picture for m in said if m.session == "b"] == [0]  # type: ignore[attr-defined]
    assert stage.counters["pictures_crowded"] == 5


def test_while_a_face_is_made_ready_nothing_waits_and_others_are_drawn(
    stage: LipsyncStage, engine: PaintedFaces
) -> None:
    stage.accept(opened("a"))
    settle(stage)
    engine.gate.clear()
    stage.accept(opened("b", "bob"))
    stage.accept(wish("b", 1, 40))
    stage.accept(wish("a", 1, 40))
    assert [message.session for message in stage.step(0)] == ["a"]
    assert stage.counters["pictures_unprepared"] == 1
    assert stage.due_ns is not None
    assert stage.due_ns > 0
    engine.gate.set()
    settle(stage)
    stage.accept(wish("b", 2, 80))
    assert pictures(stage.step(0)) == [2]


def test_a_warmed_face_is_there_when_the_session_opens(stage: LipsyncStage, engine: PaintedFaces) -> None:
    stage.warm("ann")
    stage.warm("nobody")
    assert stage.counters["faces_not_warmed"] == 1
    deadline = time.monotonic() + 5
    while stage.due_ns is not None and time.monotonic() < deadline:
        stage.step(0)
    engine.gate.clear()  # from here on nothing new could be prepared
    stage.accept(opened("s", "ann"))
    stage.accept(wish("s", 1, 10))
    assert pictures(stage.step(0)) == [1]
    engine.gate.set()


def test_what_somebody_waits_for_is_made_before_what_is_made_beforehand(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    made: list[str] = []

    def prepare(path: Path, size: int) -> str:
        made.append(path.name)
        begun.set()
        assert go_on.wait(5)
        return path.name

    faces = Preparing(prepare)
    first, spare, promoted, wanted = (FaceKey(tmp_path / name, 0, 512) for name in ("first", "spare", "both", "wanted"))
    faces.submit(first, beforehand=True)
    assert begun.wait(5)
    faces.submit(spare, beforehand=True)
    faces.submit(promoted, beforehand=True)
    faces.submit(wanted)
    faces.submit(promoted)
    go_on.set()
    deadline = time.monotonic() + 5
    while faces.busy and time.monotonic() < deadline:
        faces.poll()
    faces.close()
    assert made == ["first", "both", "wanted", "spare"]


def test_what_nobody_waits_for_is_left_while_somebody_is_drawn_for(tmp_path: Path) -> None:
    made: list[str] = []
    faces = Preparing(lambda path, size: made.append(path.name) or path.name)
    spare, promoted, wanted = (FaceKey(tmp_path / name, 0, 512) for name in ("spare", "promoted", "wanted"))

    def settled() -> list[str]:
        deadline = time.monotonic() + 5
        while faces.busy and time.monotonic() < deadline:
            faces.poll()
        return made

    faces.occupy(True)
    faces.submit(spare, beforehand=True)
    faces.submit(promoted, beforehand=True)
    assert not faces.busy
    faces.submit(wanted)
    assert settled() == ["wanted"]
    faces.submit(promoted)
    assert settled() == ["wanted", "promoted"]
    faces.occupy(False)
    assert settled() == ["wanted", "promoted", "spare"]
    faces.close()


def test_faces_are_made_beforehand_between_two_calls(tmp_path: Path) -> None:
    SlowFaces.go_on.set()
    stage = LipsyncStage(SlowFaces(ten_personas(tmp_path, "p0")), 512)
    try:
        stage.accept(opened("s", "p1"))
        stage.warm("p2")
        settle(stage)
        assert SlowFaces.made == ["p1"]
        stage.accept(Close(session="s", reason="over"))
        settle(stage)
        assert SlowFaces.made == ["p1", "p2"]
    finally:
        stage.close()


@pytest.mark.parametrize(("portrait", "code"), [("bad", "no_face"), ("worse", "face_failed")])
def test_a_face_that_could_not_be_warmed_is_told_when_somebody_wants_it(
    stage: LipsyncStage, portrait: str, code: str
) -> None:
    stage.warm(portrait)
    assert settle(stage) == [], "nobody has asked for it"
    for session in "ab":
        stage.accept(opened(session, portrait))
        said = settle(stage)
        assert [(m.session, m.code) for m in said] == [(session, code)]  # type: ignore[attr-defined]
    stage.accept(opened("c"))
    settle(stage)
    for session in "abc":
        stage.accept(wish(session, 1, 40))
    assert [message.session for message in settle(stage)] == ["c"]


def test_a_size_that_cannot_be_made_is_told_to_each_session_that_wants_it(stage: LipsyncStage) -> None:
    for session in "ab":
        stage.accept(opened(session))
        settle(stage)
        stage.accept(wish(session, 1, 40, size=2048))
        said = settle(stage)
        assert [(m.session, m.code) for m in said] == [(session, "size")]  # type: ignore[attr-defined]


def test_an_engine_that_cannot_say_which_face_is_meant_keeps_nobody_from_starting(
    stage: LipsyncStage, engine: PaintedFaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "find", lambda portrait: 1 / 0)
    stage.warm("ann")
    assert stage.counters["faces_not_warmed"] == 1
    assert settle(stage) == []


class SlowFaces:
    """A third party's engine that says which faces it was asked to prepare, and finishes none before `go_on`."""

    name = "slow"
    batch = 1
    made: list[str]
    go_on = threading.Event()

    def __init__(self, settings: Settings) -> None:
        SlowFaces.made = []
        self._folder = settings.path("personas")

    def find(self, portrait: str) -> Path:
        if portrait == "broken":
            raise AvatarError("face_unknown", "There is no portrait called 'broken'.")
        return self._folder / f"{portrait}.toml"  # any file that is there

    def prepare(self, portrait_path: Path, size: int) -> str:
        assert SlowFaces.go_on.wait(5)
        SlowFaces.made.append(portrait_path.stem)
        return portrait_path.stem

    def draw(self, wanted: list[Wanted]) -> list[bytes]:
        return [each.avatar.encode() for each in wanted]


def ten_personas(tmp_path: Path, usual: str) -> Settings:
    folder = tmp_path / "personas"
    folder.mkdir()
    for n in range(10):
        (folder / f"p{n}.toml").write_text(f'name = "P"\n[face]\nportrait = "p{n}"\n')
    (folder / "unreadable.toml").write_text("name = \n")
    (folder / "faceless.toml").write_text('name = "F"\n[face]\nportrait = "broken"\n')
    settings = tmp_path / "visavis.toml"
    settings.write_text(
        f'[stages]\nface = "{__name__}:SlowFaces"\n[sessions]\npersona = "{usual}"\n[paths]\npersonas = "{folder}"\n'
    )
    return load(settings, {})


@pytest.mark.parametrize("usual", ["p9", "p0", "missing", "unreadable", "faceless"])
def test_the_usual_personas_face_is_there_first_whatever_is_wrong_with_it(tmp_path: Path, usual: str) -> None:
    SlowFaces.go_on.set()
    stage = build(ten_personas(tmp_path, usual))
    try:
        if usual != "faceless":
            assert SlowFaces.made[0] == ("p9" if usual == "p9" else "p0"), "it is built with the first one ready"
        assert settle(stage) == []
        assert len(SlowFaces.made) <= MOST_WARMED
        if usual == "faceless":
            stage.accept(opened("s", "broken"))
            assert [m.code for m in settle(stage)] == ["face_unknown"]  # type: ignore[attr-defined]
    finally:
        stage.close()


def test_a_start_does_not_wait_for_a_face_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.lipsync.build.FIRST_WITHIN_S", 0.05)
    SlowFaces.go_on.clear()
    stage = build(ten_personas(tmp_path, "p3"))
    try:
        assert SlowFaces.made == []
        stage.accept(opened("s", "p7"))
        SlowFaces.go_on.set()
        settle(stage)
        assert SlowFaces.made[:2] == ["p3", "p7"], "somebody waits for it"
    finally:
        SlowFaces.go_on.set()
        stage.close()


def test_an_unknown_portrait_is_said_once_with_the_known_ones(stage: LipsyncStage) -> None:
    stage.accept(opened("a", "zoe"))
    stage.accept(opened("a", "zoe"))
    stage.accept(wish("a", 1, 40))
    said = settle(stage)
    assert [type(message) for message in said] == [Failed]
    assert said[0].code == "face_unknown"  # type: ignore[attr-defined]
    assert "ann" in said[0].text  # type: ignore[attr-defined]
    assert stage.counters["pictures_without_face"] == 1


@pytest.mark.parametrize(("portrait", "code"), [("bad", "no_face"), ("worse", "face_failed")])
def test_a_portrait_that_cannot_be_prepared_is_said_to_each_session_once(
    stage: LipsyncStage, portrait: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    for session in "ab":
        stage.accept(opened(session, portrait))
    stage.accept(opened("c"))
    said = settle(stage)
    assert sorted((m.session, m.code) for m in said) == [("a", code), ("b", code)]  # type: ignore[attr-defined]
    for session in "abc":
        stage.accept(wish(session, 1, 40))
    assert [message.session for message in settle(stage)] == ["c"]


def test_another_persona_in_the_same_call_is_another_face(stage: LipsyncStage) -> None:
    stage.accept(opened("a"))
    settle(stage)
    stage.accept(opened("a", "bob"))
    settle(stage)
    stage.accept(wish("a", 1, 40))
    assert [message.yuv for message in stage.step(0) if isinstance(message, Picture)] == [b"bob@512"]


def test_another_size_is_prepared_when_it_is_asked_for(stage: LipsyncStage) -> None:
    stage.accept(opened("a"))
    settle(stage)
    stage.accept(wish("a", 1, 40, size=256))
    assert settle(stage) == []
    stage.accept(wish("a", 2, 80, size=256))
    assert [message.yuv for message in stage.step(0) if isinstance(message, Picture)] == [b"ann@256"]


def test_a_closed_session_is_drawn_no_more(stage: LipsyncStage) -> None:
    stage.accept(opened("a"))
    settle(stage)
    stage.accept(wish("a", 1, 40))
    stage.accept(Close(session="a", reason="bye"))
    assert stage.step(0) == []
    stage.accept(wish("a", 2, 80))
    assert stage.due_ns is None
    assert stage.counters["pictures_without_face"] == 1


def test_a_mouth_of_the_wrong_length_is_counted_and_nothing_breaks(stage: LipsyncStage) -> None:
    stage.accept(opened("a"))
    settle(stage)
    stage.accept(wish("a", 1, 40, mouth=b"\0"))
    stage.accept(wish("a", 2, 40))
    assert pictures(settle(stage)) == [2]
    assert stage.counters["pictures_malformed"] == 1


def test_a_picture_that_is_not_square_is_refused_in_words(stage: LipsyncStage) -> None:
    stage.accept(opened("a"))
    settle(stage)
    stage.accept(Draw(session="a", picture=1, mouth=CLOSED_MOUTH, face={}, width=640, height=360, deadline_ns=MS))
    (failed,) = settle(stage)
    assert "640 × 360" in failed.text  # type: ignore[attr-defined]


@pytest.mark.parametrize("persona", [{}, {"face": None}, {"face": {}}, {"face": {"portrait": 7}}])
def test_a_persona_without_a_face_is_an_unknown_portrait(stage: LipsyncStage, persona: dict[str, object]) -> None:
    stage.accept(Open(session="a", persona=persona, language="en", origin_ns=0, peers={}))
    assert [type(message) for message in settle(stage)] == [Failed]


def test_the_real_engine_draws_what_a_programme_asks() -> None:
    stage = build(load())
    try:
        stage.accept(opened("a", "vera"))
        settle(stage)
        stage.accept(wish("a", 3, 40))
        (picture,) = stage.step(0)
    finally:
        stage.close()
    assert isinstance(picture, Picture)
    assert len(picture.yuv) == 512 * 512 * 3 // 2
    assert picture.took_ns > 0


def test_an_unknown_engine_is_answered_with_the_known_ones() -> None:
    with pytest.raises(EngineError, match=r"no face engine 'hologram'\. Known: auto, portrait"):
        choose("hologram", load())


@pytest.mark.parametrize("name", ["nowhere.to:be", "workers.lipsync.engine:Nothing"])
def test_an_engine_of_another_project_that_is_not_here_is_named(name: str) -> None:
    with pytest.raises(MissingError, match=name):
        choose(name, load())


class GreyFaces:
    """A third party's engine: every face is a grey square."""

    name = "grey"
    batch = 4

    def __init__(self, settings: Settings) -> None:
        self.shade: int = settings.engines[f"{__name__}:GreyFaces"]["shade"]

    def find(self, portrait: str) -> Path:
        return Path(__file__)

    def prepare(self, portrait_path: Path, size: int) -> int:
        return size

    def draw(self, wanted: list[Wanted]) -> list[bytes]:
        return [bytes([self.shade]) * (each.avatar**2 * 3 // 2) for each in wanted]


def test_a_third_partys_engine_named_in_the_settings_draws(tmp_path: Path) -> None:
    path = f"{__name__}:GreyFaces"
    (tmp_path / "visavis.toml").write_text(f'[stages]\nface = "{path}"\n[engines."{path}"]\nshade = 77\n')
    stage = build(load(tmp_path / "visavis.toml", {}))
    try:
        assert (stage.engine_name, stage.engine_why) == ("grey", "grey: configured")
        stage.accept(opened("a", "anybody"))
        settle(stage)
        stage.accept(wish("a", 1, 40))
        (picture,) = stage.step(0)
    finally:
        stage.close()
    assert isinstance(picture, Picture)
    assert picture.yuv == bytes([77]) * (512 * 512 * 3 // 2)


def test_auto_says_which_face_engine_it_took_and_why() -> None:
    engine, why = choose("auto", load(environ={}))
    assert engine.name == "portrait"
    assert why


def test_nothing_is_drawn_for_a_paused_session_and_the_others_do_not_wait(stage: LipsyncStage) -> None:
    for session in ("s", "t"):
        stage.accept(opened(session))
    settle(stage)
    stage.pause(frozenset({"s"}))
    for session in ("s", "t"):
        stage.accept(wish(session, 1, 40))
    drawn = [message for message in settle(stage) if isinstance(message, Picture)]
    assert [picture.session for picture in drawn] == ["t"]
    stage.pause(frozenset())
    assert [message.session for message in settle(stage) if isinstance(message, Picture)] == ["s"]


def test_a_background_is_drawn_as_soon_as_it_is_ready_and_an_unknown_one_changes_nothing(weights: Path) -> None:
    stage = build(load())
    try:
        stage.accept(opened("s", "vera"))
        settle(stage)

        def corner(picture: int, background: str) -> int:
            """Luma of the upper left corner."""
            draw = replace(wish("s", picture, 10_000 + picture), background=background)
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                stage.accept(draw)
                found = [each for each in stage.step(0) if isinstance(each, Picture)]
                if found and (found[0].yuv[0] != own or background == "nowhere"):
                    return found[0].yuv[0]
                time.sleep(0.01)
            raise AssertionError("the background never came")

        own = -1
        own = corner(0, "")
        assert abs(corner(1, "#000000") - 16) <= 1
        assert abs(corner(2, "#ffffff") - 235) <= 1
        assert corner(3, "nowhere") == own
        assert stage.counters["backdrops_unknown"] == 1
    finally:
        stage.close()


def test_the_figure_alone_comes_with_the_picture_when_it_is_asked_for(weights: Path) -> None:
    stage = build(load())
    try:
        stage.accept(opened("s", "vera"))
        settle(stage)
        stage.accept(replace(wish("s", 1, 10_000), cutout=True))
        stage.accept(wish("s", 2, 20_000))
        with_it, without = [each for each in stage.step(0) + stage.step(0) if isinstance(each, Picture)]
        assert len(with_it.cutout) == 2 * len(with_it.yuv)
        assert without.cutout == b""
    finally:
        stage.close()
