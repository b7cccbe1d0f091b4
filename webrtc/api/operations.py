"""Everything the REST interface can do, in one table: the routes are made of it, and so is the OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from webrtc.api import asking, bodies, films, listening, playing, processes, recording, sessions
from webrtc.api.sessions import Handler

BASE = "/api/v1"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One path and method. `who`: caller (or operator), operator, anyone. `gives`: status → what it is."""

    method: str
    path: str
    about: str
    who: str
    handler: Handler | None
    """None: routed by another part of the edge."""
    body: type[Any] | None = None
    gives: tuple[tuple[int, str], ...] = ()
    media: str = "application/json"
    """Of the first answer in `gives`."""
    takes: tuple[str, ...] = ("application/json",)


_SESSION = "/sessions/{session}"


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
    )


_ABOUT = {"interrupt": "Break off what is being said.", "end": "End the conversation."}

OPERATIONS = (
    Operation(
        method="GET", path="/sessions", about="All conversations.", who="operator", handler=sessions.every,
        gives=((200, "{sessions: […]}"),),
    ),
    Operation(
        method="GET", path="/processes", about="The processes, which engine each runs and why.", who="operator",
        handler=processes.every, gives=((200, "{processes: [{name, kind, state, engine, detail, sessions}]}"),),
    ),
    Operation(
        method="GET", path=_SESSION, about="A conversation and its dialogue as heard.", who="caller",
        handler=sessions.one, gives=((200, "The conversation."),),
    ),
    _does("say", bodies.Say),
    Operation(
        method="POST", path=f"{_SESSION}/play", about=(playing.Play.__doc__ or "").strip(), who="caller",
        handler=playing.play, body=playing.Play, takes=("multipart/form-data",),
        gives=((202, "{text, seconds, aligned}: it is said when nobody speaks; events tell what comes of it."),),
    ),
    _does("chat", bodies.Chat),
    _does("interrupt", bodies.Nothing),
    _does("act", bodies.Act),
    _does("switch", bodies.Switch),
    _does("mute", bodies.Mute),
    _does("end", bodies.Nothing),
    _does("audience", bodies.Audience),
    Operation(
        method="GET", path=f"{_SESSION}/audience", about="Whether those who look on may ask.", who="anyone",
        handler=asking.taking, gives=((200, "{questions}"),),
    ),
    Operation(
        method="POST", path=f"{_SESSION}/questions", about="A question from somebody who looks on.", who="anyone",
        handler=asking.ask, body=bodies.Ask, gives=((202, "The question, with its number."),),
    ),
    Operation(
        method="GET", path=f"{_SESSION}/questions", about="All questions, and whether they are taken.", who="caller",
        handler=asking.every, gives=((200, "{mode, questions: […]}"),),
    ),
    Operation(
        method="POST", path=f"{_SESSION}/questions/{{n}}/approve", about="Have a question asked.", who="caller",
        handler=asking.judging("approve"), gives=((202, "It waits for its turn."),),
    ),
    Operation(
        method="POST", path=f"{_SESSION}/questions/{{n}}/dismiss", about="Put a question aside.", who="caller",
        handler=asking.judging("dismiss"), gives=((202, "It is not asked."),),
    ),
    Operation(
        method="GET", path=f"{_SESSION}/events",
        about="Events as they happen; with Last-Event-ID first those after it, as far as the last 30 s go. "
        "With `Upgrade: websocket` each event is a message.",
        who="caller", handler=listening.events, gives=((200, "Server-sent events."),), media="text/event-stream",
    ),
    Operation(
        method="POST", path=f"{_SESSION}/push", about=(bodies.Push.__doc__ or "").strip(), who="operator",
        handler=None, body=bodies.Push, gives=((201, "The push; its address is in Location."),),
    ),
    Operation(
        method="GET", path=f"{_SESSION}/push", about="Where a conversation is pushed, and how that goes.",
        who="operator", handler=None, gives=((200, "{pushes: […]}"),),
    ),
    Operation(
        method="DELETE", path=f"{_SESSION}/push/{{name}}", about="End a push.", who="operator", handler=None,
        gives=((204, "It has ended."),),
    ),
    Operation(
        method="POST", path=f"{_SESSION}/recording", about=(recording.Record.__doc__ or "").strip(), who="caller",
        handler=recording.begin, body=recording.Record,
        gives=((202, "{state, by, text, rule}; the event `recording` tells when it is on, or why it is not."),),
    ),
    Operation(
        method="GET", path=f"{_SESSION}/recording",
        about="Whether it is recorded: off, starting, on, over, refused or failed, and by whom; for the operator its "
        "name too. rule: every, asked or never.",
        who="caller", handler=recording.state, gives=((200, "{state, by, text, rule}"),),
    ),
    Operation(
        method="DELETE", path=f"{_SESSION}/recording", about="Record it no longer.", who="caller",
        handler=recording.end, gives=((200, "{state, by, text, rule}"),),
    ),
    Operation(
        method="GET", path="/recordings", about="All recordings, the newest first.", who="operator",
        handler=recording.every, gives=((200, "{recordings: […]}"),),
    ),
    Operation(
        method="GET", path="/recordings/{name}", about="What a recording says of itself, and its files.",
        who="operator", handler=recording.one, gives=((200, "The recording."),),
    ),
    Operation(
        method="DELETE", path="/recordings/{name}", about="Remove a recording for good.", who="operator",
        handler=recording.remove, gives=((204, "It is gone."),),
    ),
    Operation(
        method="GET", path="/recordings/{name}/{file}",
        about="A file of a recording: programme.mp4 or .webm, .vtt, transcript.jsonl, timeline.jsonl.",
        who="operator", handler=recording.file, gives=((200, "The file."), (206, "The range asked for.")),
        media="video/mp4",
    ),
    Operation(
        method="POST", path="/generate", about="Order a film of a text or of a recording.", who="operator",
        handler=films.order, body=films.Order, gives=((202, "The job; its address is in Location."),),
        takes=("application/json", "multipart/form-data"),
    ),
    Operation(
        method="GET", path="/jobs", about="All films, made and to be made.", who="operator", handler=films.jobs,
        gives=((200, "{jobs: […]}"),),
    ),
    Operation(
        method="GET", path="/jobs/{job}", about="How far a film is.", who="operator", handler=films.job_state,
        gives=((200, "The job."),),
    ),
    Operation(
        method="GET", path="/jobs/{job}/events", about="How far a film is, as it changes.", who="operator",
        handler=films.job_events, gives=((200, "Server-sent events."),), media="text/event-stream",
    ),
    Operation(
        method="DELETE", path="/jobs/{job}", about="Stop making a film, or remove one that is made.", who="operator",
        handler=films.cancel, gives=((204, "It is gone, or about to be."),),
    ),
    Operation(
        method="GET", path="/videos/{name}", about="A film (.mp4) or its captions (.vtt). Whoever has the link may.",
        who="anyone", handler=films.video, gives=((200, "The file."), (206, "The range asked for.")),
        media="video/mp4",
    ),
)  # fmt: skip
