"""Everything the REST interface can do, in one table: the routes are made of it, and so is the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broker import commands
from broker.jobs import JobTold
from broker.outputs import RecordingTold
from broker.pushing import PushTold
from broker.questions import QuestionTold
from broker.shelf import TapeTold
from webrtc.api import asking, bodies, films, listening, playing, processes, recording, sessions
from webrtc.api.sessions import Handler

BASE = "/api/v1"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One path and method. `gives`: status → what it is."""

    method: str
    path: str
    about: str
    who: str
    """caller (or operator), operator, audience (where there is a token for those who look on; or operator), anyone."""
    handler: Handler | None
    """None: routed by another part of the edge."""
    body: type[Any] | None = None
    gives: tuple[tuple[int, str], ...] = ()
    answer: Any = None
    """The type of what is told when it succeeds, as shapes.py takes it; None: a file, or nothing."""
    media: tuple[str, ...] = ("application/json",)
    """Of what is given when it succeeds."""
    takes: tuple[str, ...] = ("application/json",)


_SESSION = "/sessions/{session}"

STREAM = "text/event-stream"


def _media(types: Mapping[str, str]) -> tuple[str, ...]:
    """Without their parameters."""
    return tuple(dict.fromkeys(each.partition(";")[0] for each in types.values()))


def _does(what: str, body: type[Any]) -> Operation:
    about = (body.__doc__ or "").strip() if body is not bodies.Nothing else _ABOUT[what]
    return Operation(
        method="POST",
        path=f"{_SESSION}/{what}",
        about=about,
        who="caller",
        handler=sessions.doing(what, body),
        body=body,
        gives=((202, "It is done, or on its way; events tell what comes of it."),),
        answer=commands.DoneTold,
    )


_ABOUT = {"interrupt": "Break off what is being said.", "end": "End the conversation."}

OPERATIONS = (
    Operation(
        method="GET", path="/sessions", about="All conversations.", who="operator", handler=sessions.every,
        gives=((200, "All that run."),), answer=commands.SessionsTold,
    ),
    Operation(
        method="GET", path="/processes", about="The processes, which engine each runs and why.", who="operator",
        handler=processes.every, gives=((200, "All there are."),), answer=processes.ProcessesTold,
    ),
    Operation(
        method="GET", path=_SESSION, about="A conversation and its dialogue as heard.", who="caller",
        handler=sessions.one, gives=((200, "The conversation."),), answer=commands.ConversationTold,
    ),
    _does("say", bodies.Say),
    Operation(
        method="POST", path=f"{_SESSION}/play", about=(playing.Play.__doc__ or "").strip(), who="caller",
        handler=playing.play, body=playing.Play, takes=("multipart/form-data",),
        gives=((202, "It is said when nobody speaks; events tell what comes of it."),), answer=playing.PlayTold,
    ),
    _does("chat", bodies.Chat),
    _does("interrupt", bodies.Nothing),
    _does("act", bodies.Act),
    _does("switch", bodies.Switch),
    _does("mute", bodies.Mute),
    _does("end", bodies.Nothing),
    _does("audience", bodies.Audience),
    Operation(
        method="GET", path=f"{_SESSION}/audience", about="Whether those who look on may ask.", who="audience",
        handler=asking.taking, gives=((200, "Whether they may."),), answer=commands.TakingTold,
    ),
    Operation(
        method="POST", path=f"{_SESSION}/questions", about="A question from somebody who looks on.", who="audience",
        handler=asking.ask, body=bodies.Ask, gives=((202, "The question, with its number."),), answer=QuestionTold,
    ),
    Operation(
        method="GET", path=f"{_SESSION}/questions", about="All questions, and whether they are taken.", who="caller",
        handler=asking.every, gives=((200, "In the order in which they came."),), answer=commands.QuestionsTold,
    ),
    Operation(
        method="POST", path=f"{_SESSION}/questions/{{n}}/approve", about="Have a question asked.", who="caller",
        handler=asking.judging("approve"), gives=((202, "It waits for its turn."),), answer=commands.DoneTold,
    ),
    Operation(
        method="POST", path=f"{_SESSION}/questions/{{n}}/dismiss", about="Put a question aside.", who="caller",
        handler=asking.judging("dismiss"), gives=((202, "It is not asked."),), answer=commands.DoneTold,
    ),
    Operation(
        method="GET", path=f"{_SESSION}/events",
        about="Events as they happen; with Last-Event-ID first those after it, as far as the last 30 s go. "
        "With `Upgrade: websocket` each event is a message.",
        who="caller", handler=listening.events, gives=((200, "Server-sent events."),),
        answer=listening.EventTold, media=(STREAM,),
    ),
    Operation(
        method="POST", path=f"{_SESSION}/push", about=(bodies.Push.__doc__ or "").strip(), who="operator",
        handler=None, body=bodies.Push, gives=((201, "The push; its address is in Location."),), answer=PushTold,
    ),
    Operation(
        method="GET", path=f"{_SESSION}/push", about="Where a conversation is pushed, and how that goes.",
        who="operator", handler=None, gives=((200, "All pushes."),), answer=commands.PushesTold,
    ),
    Operation(
        method="DELETE", path=f"{_SESSION}/push/{{name}}", about="End a push.", who="operator", handler=None,
        gives=((204, "It has ended."),),
    ),
    Operation(
        method="POST", path=f"{_SESSION}/recording", about=(recording.Record.__doc__ or "").strip(), who="caller",
        handler=recording.begin, body=recording.Record,
        gives=((202, "How it goes; the event `recording` tells when it is on, or why it is not."),),
        answer=RecordingTold,
    ),
    Operation(
        method="GET", path=f"{_SESSION}/recording",
        about="Whether it is recorded: off, starting, on, over, refused or failed, and by whom; for the operator its "
        "name too. rule: every, asked or never.",
        who="caller", handler=recording.state, gives=((200, "How it goes."),), answer=RecordingTold,
    ),
    Operation(
        method="DELETE", path=f"{_SESSION}/recording", about="Record it no longer.", who="caller",
        handler=recording.end, gives=((200, "How it went."),), answer=RecordingTold,
    ),
    Operation(
        method="GET", path="/recordings", about="All recordings, the newest first.", who="operator",
        handler=recording.every, gives=((200, "All recordings."),), answer=recording.TapesTold,
    ),
    Operation(
        method="GET", path="/recordings/{name}", about="What a recording says of itself, and its files.",
        who="operator", handler=recording.one, gives=((200, "The recording."),), answer=TapeTold,
    ),
    Operation(
        method="DELETE", path="/recordings/{name}", about="Remove a recording for good.", who="operator",
        handler=recording.remove, gives=((204, "It is gone."),),
    ),
    Operation(
        method="GET", path="/recordings/{name}/{file}",
        about="A file of a recording: programme.mp4 or .webm, .vtt, transcript.jsonl, timeline.jsonl.",
        who="operator", handler=recording.file, gives=((200, "The file."), (206, "The range asked for.")),
        media=_media(recording.TYPES),
    ),
    Operation(
        method="POST", path="/generate", about="Order a film of a text or of a recording.", who="operator",
        handler=films.order, body=films.Order, gives=((202, "The job; its address is in Location."),), answer=JobTold,
        takes=("application/json", "multipart/form-data"),
    ),
    Operation(
        method="GET", path="/jobs", about="All films, made and to be made.", who="operator", handler=films.jobs,
        gives=((200, "All films."),), answer=commands.JobsTold,
    ),
    Operation(
        method="GET", path="/jobs/{job}", about="How far a film is.", who="operator", handler=films.job_state,
        gives=((200, "The job."),), answer=JobTold,
    ),
    Operation(
        method="GET", path="/jobs/{job}/events", about="How far a film is, as it changes.", who="operator",
        handler=films.job_events, gives=((200, "Server-sent events."),), answer=JobTold, media=(STREAM,),
    ),
    Operation(
        method="DELETE", path="/jobs/{job}", about="Stop making a film, or remove one that is made.", who="operator",
        handler=films.cancel, gives=((204, "It is gone, or about to be."),),
    ),
    Operation(
        method="GET", path="/videos/{name}", about="A film (.mp4) or its captions (.vtt). Whoever has the link may.",
        who="anyone", handler=films.video, gives=((200, "The file."), (206, "The range asked for.")),
        media=_media(films.TYPES),
    ),
)  # fmt: skip
