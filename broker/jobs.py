"""Films to be made and made, as the broker knows them: whose turn it is, who makes what, and how far it is.

No sockets, no clock, no files. What a maker is to make is said to it again and again (`Make`), and it says how far it
is (`Making`): a lost message or a dead process on either side costs a moment, never the job. The files lie where
broker/films.py says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, NotRequired, TypedDict

from broker.messages import Make, Making, Peer
from broker.noted import Note

MOST_ATTEMPTS = 2
"""A job during which its maker died twice is not tried again."""


class Stage(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    MAKING = "making"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        return self in (Stage.DONE, Stage.FAILED, Stage.CANCELLED)


class JobTold(TypedDict):
    """A film, made or to be made. Its video is there when it is done."""

    job: str
    state: Annotated[str, Note("How far it is.", tuple(Stage))]
    share: Annotated[float, Note("Of the making, 0 to 1.")]
    video: NotRequired[Annotated[str, Note("The path of the MP4.")]]
    captions: NotRequired[Annotated[str, Note("The path of the WebVTT file.")]]
    seconds: NotRequired[Annotated[float, Note("Of film.")]]
    took_s: NotRequired[Annotated[float, Note("What the making took.")]]
    code: NotRequired[Annotated[str, Note("Of what was wrong.")]]
    text: NotRequired[Annotated[str, Note("What was wrong, a sentence.")]]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One film. `order` is what is wanted, in names as the request gave them; `created_s` is wall time."""

    name: str
    order: dict[str, Any]
    created_s: float = 0.0
    stage: Stage = Stage.QUEUED
    attempts: int = 0
    maker: str = ""
    """The process that makes it, and which incarnation of it."""
    share: float = 0.0
    """Of the making, 0..1."""
    code: str = ""
    text: str = ""
    """Why it failed."""
    seconds: float = 0.0
    """Of film."""
    took_s: float = 0.0
    captions: bool = False
    """There is a WebVTT file, too."""

    def told(self) -> JobTold:
        """The job for a client, plain data."""
        about = JobTold(job=self.name, state=str(self.stage), share=round(self.share, 3))
        if self.stage is Stage.DONE:
            about["video"] = f"/api/v1/videos/{self.name}.mp4"
            about["seconds"], about["took_s"] = self.seconds, self.took_s
            if self.captions:
                about["captions"] = f"/api/v1/videos/{self.name}.vtt"
        if self.code:
            about["code"], about["text"] = self.code, self.text
        return about


@dataclass
class News:
    """What has changed since the last time: to be told to those who listen, and to be written down."""

    told: dict[str, Job] = field(default_factory=dict)
    written: dict[str, Job | None] = field(default_factory=dict)
    """None: the job has been removed."""


class Jobs:
    """All jobs of an installation, by name, in the order they came."""

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self._jobs = {job.name: job for job in sorted(jobs, key=lambda job: (job.created_s, job.name))}
        self._sent: dict[str, tuple[str, int]] = {}
        self.news = News()

    def all(self) -> Sequence[Job]:
        """The oldest first."""
        return tuple(self._jobs.values())

    def get(self, name: str) -> Job | None:
        return self._jobs.get(name)

    def waiting(self) -> int:
        """Jobs that are not over."""
        return sum(not job.stage.over for job in self._jobs.values())

    def add(self, job: Job) -> Job:
        """It is to be made. Said twice it is one job."""
        if job.name not in self._jobs:
            self._put(job)
        return self._jobs[job.name]

    def cancel(self, name: str) -> Job:
        """Stop a job that is waiting or being made; forget one that is over. Raises KeyError for an unknown one."""
        job = self._jobs[name]
        if job.stage.over:
            self._forget(name)
        else:
            self._put(replace(job, stage=Stage.CANCELLED, maker=""))
        return job

    def heard(self, message: Making) -> None:
        """How far its maker is. What another attempt was about, or a job that is over, changes nothing."""
        job = self._jobs.get(message.job)
        if job is None or job.stage is not Stage.MAKING or message.attempt != job.attempts:
            return
        stage = Stage(message.state) if message.state in ("done", "failed") else Stage.MAKING
        news = replace(
            job,
            stage=stage,
            maker="" if stage.over else job.maker,
            share=min(1.0, max(0.0, message.share)),
            code=message.code,
            text=message.text,
            seconds=message.seconds,
            took_s=message.took_s,
            captions=message.captions,
        )
        if news != job:
            self._put(news, kept=stage.over)

    def left(self, peer: Peer, orderly: bool = False) -> None:
        """A maker is gone; who was asked to stop is not held to have died over its job."""
        self._sent.pop(maker_name(peer), None)
        for job in self._jobs.values():
            if job.maker == maker_name(peer):
                self._put(_unmade(job, orderly))
                return

    def unserved(self, makers: Sequence[Peer]) -> None:
        """What a maker was at that is not there (any more)."""
        there = {maker_name(peer) for peer in makers}
        for job in list(self._jobs.values()):
            if job.stage is Stage.MAKING and job.maker not in there:
                self._put(_unmade(job, orderly=False))

    def assigned(self, makers: Sequence[Peer], again: bool) -> list[tuple[Peer, Make]]:
        """What each of the makers that are ready is to make, the oldest jobs first; `again`: said before or not."""
        messages = []
        for peer in makers:
            name = maker_name(peer)
            job = self._of(name) or self._next(name)
            key = (job.name, job.attempts) if job else ("", 0)
            if again or self._sent.get(name, ("", 0)) != key:
                messages.append((peer, Make(job=key[0], attempt=key[1], order=job.order if job else {})))
            self._sent[name] = key
        return messages

    def expire(self, before_s: float) -> list[str]:
        """Forget what is over and was ordered before that wall time; the names."""
        old = [job.name for job in self._jobs.values() if job.stage.over and job.created_s < before_s]
        for name in old:
            self._forget(name)
        return old

    def _of(self, maker: str) -> Job | None:
        return next((job for job in self._jobs.values() if job.maker == maker), None)

    def _next(self, maker: str) -> Job | None:
        job = next((job for job in self._jobs.values() if job.stage is Stage.QUEUED), None)
        if job is None:
            return None
        return self._put(replace(job, stage=Stage.MAKING, maker=maker, attempts=job.attempts + 1, share=0.0))

    def _put(self, job: Job, kept: bool = True) -> Job:
        self._jobs[job.name] = self.news.told[job.name] = job
        if kept:
            self.news.written[job.name] = job
        return job

    def _forget(self, name: str) -> None:
        del self._jobs[name]
        self.news.written[name] = None


def maker_name(peer: Peer) -> str:
    """One incarnation of one process."""
    return f"{peer.name} {peer.incarnation}"


def _unmade(job: Job, orderly: bool) -> Job:
    """As it is when its maker has gone in the middle of it."""
    if orderly:
        return replace(job, stage=Stage.QUEUED, maker="", share=0.0, attempts=job.attempts - 1)
    if job.attempts >= MOST_ATTEMPTS:
        text = "Its maker died over it, twice."
        return replace(job, stage=Stage.FAILED, maker="", code="died", text=text)
    return replace(job, stage=Stage.QUEUED, maker="", share=0.0)
