"""What the control API may have done: who may, and each command as the event or message that brings it about.

sessions                              every session, for the operator
order {job, order, created_s}         a film is to be made, whose files lie there already: for the operator
jobs                                  all films, made and to be made: for the operator
job, unorder {job}                    how far one is; stop it, or forget one that is over: for the operator
look                                  one session and its dialogue
events {since}                        what is kept of its events after number `since`
say {text, language, interrupt}       the avatar says it, when nobody speaks or at once
play {upload, text, language, interrupt}  as `say`, with a recording for a voice (broker/uploads.py)
chat {text, id}                       as if the caller had typed it
interrupt                             as the button
act, switch {fields of the message}   the face; who it is
mute {muted}                          whether the microphone is listened to
end                                   the session is over
ask {name, text, asker}               a question from somebody who looks on: whoever knows the session may
taking                                whether questions are taken: whoever knows the session may
questions                             all questions, for the host
approve, dismiss {n}                  the host decides about one
audience {questions}                  off, moderated or open
recording                             whether it is recorded, and may be
record {format, sound}                record it from now on
unrecord                              no longer
push {url, token}                     to a media server, by RTMP, by WHIP or into Janus: for the operator
pushes                                where it is pushed, and how that goes
unpush {id}                           no longer
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Protocol, TypedDict

from broker import outputs, pushing
from broker.acting import problem
from broker.answering import SAYS_LIMIT
from broker.clock import NS_PER_S
from broker.errors import ConfigError
from broker.events import EventLog
from broker.jobs import Job, Jobs, JobTold
from broker.limits import Buckets
from broker.makers import Makers
from broker.messages import Act, Command, Done, Interrupt, Message, SetMode, Switch, Typed
from broker.noted import Note
from broker.outputs import OutputTold, RecordingTold
from broker.push_address import RTMP, flaw, kind_of
from broker.pushing import PushTold
from broker.questions import MODES, QuestionError, Questions, QuestionTold
from broker.registry import Registry
from broker.sessions import Session
from broker.turn_state import PHASES, phase
from broker.turns import Say
from broker.uploads import NAME

FOR_EVERYBODY = frozenset({"ask", "taking"})

MICROPHONES = ("voice", "text")
"""What `mode` may be."""

MOST_EVENTS = 5_000
"""In one answer."""


class SessionTold(TypedDict):
    """A conversation in a list."""

    session: str
    persona: str
    name: Annotated[str, Note("The persona's.")]
    portrait: str
    language: str
    languages: list[str]
    mode: Annotated[str, Note("voice: the microphone is listened to.", MICROPHONES)]
    state: Annotated[str, Note("away: the caller's page is gone, it may come back.", PHASES)]
    lines: Annotated[int, Note("Of its dialogue.")]
    questions: Annotated[str, Note("Whether those who look on may ask.", MODES)]
    recording: Annotated[bool, Note("It is recorded.")]
    age_s: int


class LineTold(TypedDict):
    """What somebody said; the avatar's as far as it was heard."""

    role: Annotated[str, Note("", ("user", "avatar"))]
    text: str
    interrupted: bool


class ConversationTold(SessionTold):
    """A conversation, and its dialogue as heard."""

    dialogue: list[LineTold]


class SessionsTold(TypedDict):
    sessions: list[SessionTold]


class JobsTold(TypedDict):
    jobs: list[JobTold]


class TakingTold(TypedDict):
    questions: Annotated[str, Note("Whether those who look on may ask.", MODES)]


class QuestionsTold(TypedDict):
    mode: Annotated[str, Note("Whether those who look on may ask.", MODES)]
    questions: list[QuestionTold]


class PushesTold(TypedDict):
    pushes: list[PushTold]


class DoneTold(TypedDict):
    """Nothing besides: events tell what comes of it."""


class House(Protocol):
    """What a command needs of the broker's decisions; see control.py."""

    sessions: dict[str, Session]
    events: EventLog
    registry: Registry
    jobs: Jobs
    makers: Makers
    askers: Buckets
    settings: Any
    """`refused_words`, `recording` and `films_waiting`, of control.ControlSettings."""

    def accept(self, message: Message, now_ns: int) -> None: ...

    def tell_machine(self, session: Session, event: object, now_ns: int) -> None: ...

    def planned(self, session: Session, switch: Switch) -> None: ...

    def question(self, session: Session, questions: Questions, n: int, now_ns: int) -> None: ...

    def end(self, session: Session, now_ns: int) -> None: ...


class Refusal(Exception):
    """A command that cannot be done, with its code and a sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def obeyed(house: House, command: Command, now_ns: int) -> Done:
    """Do it; the answer for the edge."""
    try:
        data = _obeyed(house, command, now_ns)
    except (Refusal, QuestionError) as refusal:
        return Done(session=command.session, id=command.id, code=refusal.code, text=str(refusal))
    return Done(session=command.session, id=command.id, data=dict(data))


def _obeyed(house: House, command: Command, now_ns: int) -> Mapping[str, Any]:
    if command.what in _OPERATORS_HANDLERS:
        if not command.operator:
            raise Refusal("forbidden", "This needs the operator's token.")
        return _OPERATORS_HANDLERS[command.what](house, command.data, now_ns)
    if command.what in _OUTPUT_HANDLERS:
        return _OUTPUT_HANDLERS[command.what](house, _session(house, command), command, now_ns)
    handler = _HANDLERS.get(command.what)
    if handler is None:
        raise Refusal("bad_request", f"There is no command {command.what[:40]!r}.")
    return handler(house, _session(house, command), command.data, now_ns) or {}


def row(session: Session, now_ns: int) -> SessionTold:
    """A session for a list, as plain data."""
    persona, state = session.record.persona, session.state
    return {
        "session": session.id,
        "persona": str(persona.get("id", "")),
        "name": str(persona.get("name", "")),
        "portrait": str((persona.get("face") or {}).get("portrait", "")),
        "language": state.language,
        "languages": list(state.languages),
        "mode": state.mode,
        "state": "away" if session.caller_gone_ns else phase(state),
        "lines": len(state.dialogue),
        "questions": session.record.questions.mode,
        "recording": outputs.current(session.record.outputs) is not None,
        "age_s": max(0, now_ns - state.origin_ns) // NS_PER_S,
    }


def _session(house: House, command: Command) -> Session:
    """The session, for somebody who may. Who may not learns nothing of whether there is one."""
    session = house.sessions.get(command.session)
    its_own = session is not None and _is_caller(session, command)
    allowed = its_own or command.operator or command.what in FOR_EVERYBODY
    if not allowed:
        raise Refusal("forbidden", "This needs the token of the conversation's caller, or the operator's.")
    if session is None:
        raise Refusal("unknown", "There is no such conversation (any more).")
    return session


def _is_caller(session: Session, command: Command) -> bool:
    known = session.record.token_hash
    return bool(known) and secrets.compare_digest(known.encode(), command.token_hash.encode())


Data = Mapping[str, Any]


def _sessions(house: House, data: Data, now_ns: int) -> SessionsTold:
    return {"sessions": [row(session, now_ns) for session in house.sessions.values()]}


def _order(house: House, data: Data, now_ns: int) -> JobTold:
    if house.jobs.waiting() >= house.settings.films_waiting:
        text = f"{house.settings.films_waiting} films wait to be made already; try again when some are."
        raise Refusal("busy", text)
    created_s = float(data.get("created_s", 0.0))
    return house.jobs.add(Job(name=str(data["job"]), order=dict(data["order"]), created_s=created_s)).told()


def _jobs(house: House, data: Data, now_ns: int) -> JobsTold:
    return {"jobs": [job.told() for job in house.jobs.all()]}


def _job(house: House, data: Data, now_ns: int) -> JobTold:
    job = house.jobs.get(str(data.get("job", "")))
    if job is None:
        raise Refusal("unknown", "There is no such job (any more).")
    return job.told()


def _unorder(house: House, data: Data, now_ns: int) -> JobTold:
    told = _job(house, data, now_ns)
    house.jobs.cancel(told["job"])
    return told


OutputHandler = Callable[["House", Session, Command, int], Mapping[str, Any]]


def _look(house: House, session: Session, data: Data, now_ns: int) -> ConversationTold:
    lines = [LineTold(role=line.role, text=line.text, interrupted=line.interrupted) for line in session.state.dialogue]
    return {**row(session, now_ns), "dialogue": lines}


def _events(house: House, session: Session, data: Data, now_ns: int) -> dict[str, Any]:
    kept = house.events.since(int(data.get("since", 0)), session.id)[-MOST_EVENTS:]
    return {"events": [[event.seq, event.kind, event.turn, event.data] for event in kept]}


def _say(house: House, session: Session, data: Data, now_ns: int) -> None:
    language = str(data.get("language", ""))
    if language and language not in session.state.languages:
        raise Refusal(
            "bad_request", f"This persona speaks {', '.join(session.state.languages)}, not {language[:20]!r}."
        )
    if data.get("interrupt"):
        house.tell_machine(session, Interrupt(), now_ns)
    if len(session.state.says) >= SAYS_LIMIT:
        raise Refusal("busy", f"{SAYS_LIMIT} things wait to be said already; try again when some are.")
    house.tell_machine(session, _said(data, language), now_ns)


def _said(data: Data, language: str) -> Say:
    return Say(text=str(data.get("text", "")), language=language, upload=str(data.get("upload", "")))


def _play(house: House, session: Session, data: Data, now_ns: int) -> None:
    if not NAME.fullmatch(str(data.get("upload", ""))):
        raise Refusal("bad_request", "There is no such recording.")
    _say(house, session, data, now_ns)


def _chat(house: House, session: Session, data: Data, now_ns: int) -> None:
    house.tell_machine(session, Typed(text=str(data.get("text", "")), id=str(data.get("id", ""))), now_ns)


def _interrupt(house: House, session: Session, data: Data, now_ns: int) -> None:
    house.tell_machine(session, Interrupt(), now_ns)


def _mute(house: House, session: Session, data: Data, now_ns: int) -> None:
    house.tell_machine(session, SetMode(mode="text" if data.get("muted") else "voice"), now_ns)


def _act(house: House, session: Session, data: Data, now_ns: int) -> None:
    act = Act(session=session.id, **data)
    if wrong := problem(act):
        raise Refusal("bad_request", wrong)
    _as_its_page(house, session, act, now_ns)


def _switch(house: House, session: Session, data: Data, now_ns: int) -> None:
    switch = Switch(session=session.id, **data)
    try:
        house.planned(session, switch)
    except ConfigError as error:
        raise Refusal("switch", str(error)) from error
    _as_its_page(house, session, switch, now_ns)


def _ask(house: House, session: Session, data: Data, now_ns: int) -> QuestionTold:
    name, text = str(data.get("name", "")), str(data.get("text", ""))
    if not house.askers.take(str(data.get("asker", "")), now_ns):
        raise Refusal("rate", "That was many questions in a short time. Please wait a little.")
    questions, question = session.record.questions.ask(name, text, house.settings.refused_words)
    house.question(session, questions, question.n, now_ns)
    return question.told()


def _taking(house: House, session: Session, data: Data, now_ns: int) -> TakingTold:
    return {"questions": session.record.questions.mode}


def _questions(house: House, session: Session, data: Data, now_ns: int) -> QuestionsTold:
    questions = session.record.questions
    return {"mode": questions.mode, "questions": [each.told() for each in questions.asked]}


def _judge(approve: bool) -> Callable[[House, Session, Data, int], None]:
    def judge(house: House, session: Session, data: Data, now_ns: int) -> None:
        n = int(data.get("n", 0))
        house.question(session, session.record.questions.judge(n, approve), n, now_ns)

    return judge


def _audience(house: House, session: Session, data: Data, now_ns: int) -> None:
    mode = str(data.get("questions", ""))
    if mode not in MODES:
        raise Refusal("bad_request", f"questions is one of {', '.join(MODES)}.")
    house.question(session, replace(session.record.questions, mode=mode), 0, now_ns)


def _recording(house: House, session: Session, command: Command, now_ns: int) -> RecordingTold:
    rules, last = house.settings.recording, outputs.newest(session.record.outputs)
    state = last.told() if last else OutputTold(state="off", by="", text="")
    told: RecordingTold = {**state, "rule": outputs.rule(rules, session.record.persona)}
    if last and command.operator and "name" in last.data:
        told["name"] = str(last.data["name"])
    return told


def _record(house: House, session: Session, command: Command, now_ns: int) -> RecordingTold:
    rules = house.settings.recording
    if outputs.rule(rules, session.record.persona) == "never":
        raise Refusal("off", "Conversations are not recorded here.")
    if not command.operator and not rules.callers:
        raise Refusal("forbidden", "Only the operator of this server records conversations.")
    if not house.registry.ready("outputs"):
        raise Refusal("not_ready", "The recorder is not running; try again in a moment.")
    if outputs.current(session.record.outputs) is None:
        by = "caller" if _is_caller(session, command) else "operator"
        wanted = (str(command.data.get(key, "")) for key in ("format", "sound"))
        house.makers.make(session, outputs.recording(rules, by, *wanted), now_ns)
    return _recording(house, session, command, now_ns)


def _unrecord(house: House, session: Session, command: Command, now_ns: int) -> RecordingTold:
    running = outputs.current(session.record.outputs)
    if running and running.by != "caller" and not command.operator:
        text = "The operator of this server records this conversation. Whoever does not want that ends the call."
        raise Refusal("forbidden", text)
    if running:
        house.makers.unmake(session, running, now_ns)
    return _recording(house, session, command, now_ns)


def _push(house: House, session: Session, command: Command, now_ns: int) -> PushTold:
    url = str(command.data.get("url", ""))
    if wrong := flaw(url):
        raise Refusal("bad_request", wrong)
    if kind_of(url) == RTMP and not house.registry.ready("outputs"):
        raise Refusal("not_ready", "The process that pushes is not running; try again in a moment.")
    if pushing.full(session.record.outputs, url):
        raise Refusal("busy", f"A conversation is pushed to at most {pushing.MOST} places.")
    house.makers.make(session, pushing.pushed("operator", url, str(command.data.get("token", ""))), now_ns)
    return pushing.rows(session.record.outputs)[-1]


def _pushes(house: House, session: Session, command: Command, now_ns: int) -> PushesTold:
    return {"pushes": pushing.rows(session.record.outputs)}


def _unpush(house: House, session: Session, command: Command, now_ns: int) -> dict[str, Any]:
    wanted = str(command.data.get("id", ""))
    push = next((each for each in pushing.going(session.record.outputs) if each.id == wanted), None)
    if push is None:
        raise Refusal("unknown", "There is no such push (any more).")
    house.makers.unmake(session, push, now_ns)
    return {}


def _operators(handler: OutputHandler) -> OutputHandler:
    """For the operator only: the caller's token is not enough."""

    def checked(house: House, session: Session, command: Command, now_ns: int) -> Mapping[str, Any]:
        if not command.operator:
            raise Refusal("forbidden", "This needs the operator's token.")
        return handler(house, session, command, now_ns)

    return checked


def _end(house: House, session: Session, data: Data, now_ns: int) -> None:
    house.end(session, now_ns)


def _as_its_page(house: House, session: Session, message: Message, now_ns: int) -> None:
    """As if the page had sent it; but whoever is away stays away."""
    gone_ns = session.caller_gone_ns
    house.accept(message, now_ns)
    session.caller_gone_ns = gone_ns


_OPERATORS_HANDLERS: dict[str, Callable[[House, Data, int], Mapping[str, Any]]] = {
    "sessions": _sessions,
    "order": _order,
    "jobs": _jobs,
    "job": _job,
    "unorder": _unorder,
}
"""These are about no one session."""

_HANDLERS: dict[str, Callable[[House, Session, Data, int], Mapping[str, Any] | None]] = {
    "look": _look,
    "events": _events,
    "say": _say,
    "play": _play,
    "chat": _chat,
    "interrupt": _interrupt,
    "mute": _mute,
    "act": _act,
    "switch": _switch,
    "end": _end,
    "ask": _ask,
    "taking": _taking,
    "questions": _questions,
    "approve": _judge(True),
    "dismiss": _judge(False),
    "audience": _audience,
}

_OUTPUT_HANDLERS: dict[str, OutputHandler] = {
    "recording": _recording,
    "record": _record,
    "unrecord": _unrecord,
    "push": _operators(_push),
    "pushes": _operators(_pushes),
    "unpush": _operators(_unpush),
}
"""These go by who asks."""
