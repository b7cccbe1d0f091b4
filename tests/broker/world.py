"""Turn machine, programme gate and page as three automata joined by channels, with a person, a vad, an asr and a brain.

Channels as they are: control and data inboxes are separate, each ordered and without loss; acknowledgements may be
lost, late or out of order. Time passes only where it matters: a tick of the programme, or the machine's next deadline.
Half a word of voice leaves in a tick, so that words are cut. Every method that changes the world returns a new one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeVar, get_args, get_type_hints

from broker.backchannel import same_words
from broker.dialogue import Hearing, SpokenWord
from broker.messages import (
    Ask,
    Attend,
    Cancel,
    Commit,
    Emitted,
    EndUtterance,
    Event,
    Failed,
    Hold,
    Interrupt,
    Message,
    Played,
    Resume,
    Sentence,
    Speak,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    Transcript,
    Typed,
    Word,
)
from broker.turn_state import Presence, committed_turns, in_hand
from broker.turns import Accept, Action, Away, Leaving, Restarted, Returned, Taken, Timer, TurnState, due_ns, step
from workers.programme.gate import Gate

Frozen = TypeVar("Frozen")

MS = 1_000_000
TICK_MS = 60
HALF_WORD_SAMPLES = TICK_MS * 48
PAGE_DELAY_SAMPLES = 2 * HALF_WORD_SAMPLES
ANSWER_WORDS = frozenset(f"t{turn}{letter}" for turn in range(1000) for letter in "abcd")
WORDS = 4
"""Words of an answer: enough for it to be joined (under three) and interrupted."""


def changed(value: Frozen, **changes: Any) -> Frozen:
    """`dataclasses.replace` in a quarter of its time, of which an exploration spends most."""
    new = object.__new__(type(value))
    vars(new).update(vars(value), **changes)
    return new


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass(frozen=True)
class Voiced:
    """A sentence's voice in the programme."""

    turn: int
    words: tuple[str, ...]
    first_word: int
    halves: int = 0
    """Half words that have left."""
    half_ends: tuple[int, ...] = ()
    """The programme's sample at the end of each of them, as it left last."""
    breaks_off: bool = False
    """Nobody has said that it is the turn's last."""


@dataclass(frozen=True)
class Programme:
    """The gate and the voice behind it."""

    gate: Gate = field(default_factory=Gate)
    voice: tuple[Voiced, ...] = ()
    cancelled_through: int = 0
    """What it has been told, whatever the gate makes of it."""
    order: tuple[int, ...] = ()
    """Turns that have sounded, each when it began."""
    over: Voiced | None = None
    """The voice that finished last: a hold may come while its end is on its way."""
    resumed_from: int = -1


@dataclass(frozen=True)
class Person:
    """Who speaks, and the vad and asr that hear it."""

    doing: str = "silent"
    """silent, speaking or paused."""
    utterance: int = -1
    words: tuple[str, ...] = ()
    finals: tuple[tuple[int, str], ...] = ()
    """Utterances that are over and whose final words have not been sent."""


@dataclass(frozen=True)
class World:
    machine: TurnState
    now_ns: int
    programme: Programme = Programme()
    person: Person = Person()
    to_gate: tuple[Message, ...] = ()
    to_voice: tuple[Voiced, ...] = ()
    to_vad: tuple[int, ...] = ()
    emitted: tuple[Emitted, ...] = ()
    sentences: tuple[tuple[int, int], ...] = ()
    """Copies of sentences under way to the broker: turn and number of words. 0: the brain broke off behind it, and both
    are read at once. Who says an answer anew between the two asks the brain to go on, and this one cannot."""
    thinking: tuple[int, ...] = ()
    """Turns that the brain was asked for."""
    asked: tuple[tuple[int, str], ...] = ()
    played: tuple[tuple[str, int], ...] = ()
    """Words that have left the programme and the page has not played, each with its end."""
    to_page: tuple[tuple[bool, int], ...] = ()
    """Whether to be silent, and the programme's sample when that was said."""
    silent_at: int = -1
    """The page is silent because of a hold, and had played so far; -1: it is not."""
    deaf_through: int = 0
    """Of what lies before this, nothing more will be heard."""
    heard: frozenset[str] = frozenset()
    page_sample: int = 0
    older_sample: int = 0
    present: bool = True
    owed: frozenset[str] = frozenset()
    """Words of accepted utterances that no accepted turn answers yet."""
    unanswered: frozenset[int] = frozenset()
    """Accepted turns that have not come to an answer, an apology or a newer turn."""
    speaks: int = 2
    types: int = 1
    interrupts: int = 1
    leaves: int = 1
    switches: int = 0
    fails: int = 0
    """So many times the brain or the voice has nothing for a turn but a `Failed`, or the brain an empty sentence."""
    restarts: int = 0
    stands: int = 0
    """So many pauses whose words the recogniser vouches for."""
    mute: frozenset[int] = frozenset()
    """Turns that were given up because no sound came of them; like `path`, no difference between worlds."""
    path: tuple[str, ...] = ()
    """How it came to this; two worlds that differ only in it are one."""

    # --- what may happen next -----------------------------------------------------------------------------------------

    def events(self) -> Iterator[tuple[str, Callable[[], World]]]:
        """Everything that can happen now, by name."""
        if self.to_gate:
            yield "gate reads", self.gate_reads
        if self.to_voice:
            yield "voice arrives", self.voice_arrives
        if self.emitted:
            yield "emitted arrives", self.emitted_arrives
        if self.sentences:
            yield "sentence arrives", self.sentence_arrives
        if self.thinking:
            yield "brain answers", self.brain_answers
        if self.thinking and self.fails:
            yield "brain fails", self.brain_fails
            yield "brain says nothing", self.brain_says_nothing
            yield "brain breaks off", self.brain_breaks_off
        if self.to_voice and self.fails:
            yield "voice fails", self.voice_fails
        if self.to_vad:
            yield "vad ends", self.vad_ends
        if self.person.finals:
            yield "final words", self.final_words
        if self.moves():
            yield "tick", self.tick
        if due_ns(self.machine) is not None:
            yield "timer", self.timer
        if self.to_page:
            yield "page reads", self.page_reads
        if self.present and self.speaker_sample > self.machine.acknowledged:
            yield "played", self.page_plays
        if self.older_sample and self.machine.presence is Presence.HERE:
            yield "played late", self.page_played_late
        yield from self.person_may()

    def stepped(self, name: str, event: Callable[[], World]) -> World:
        """The world after one event. Raises Broken with the way there."""
        path = (*self.path, name)
        try:
            return changed(event(), path=path)
        except Broken as broken:
            raise Broken(f"{broken} | {', '.join(path)}") from broken

    def moves(self) -> bool:
        """Whether a tick makes a difference: something sounds, or the page has yet to play what has left."""
        gate = self.programme.gate
        return bool(self.played) or any(each.turn == gate.sounding for each in self.programme.voice)

    def person_may(self) -> Iterator[tuple[str, Callable[[], World]]]:
        if self.person.doing == "silent" and self.speaks:
            yield "speaks", lambda: self.speak("words")
            yield "hums", lambda: self.speak("mhm")
        if self.person.doing == "speaking":
            yield "words", self.provisional
            yield "pauses", self.pause
            if self.stands:
                yield "pauses for good", self.pause_for_good
        if self.person.doing == "paused" and len(self.person.words) < 2:
            yield "goes on", self.go_on
        if self.types:
            yield "types", self.type_text
        if self.interrupts and in_hand(self.machine):
            yield "interrupts", self.interrupt
        if self.switches:
            yield "switches", self.switch
        if self.restarts:
            yield "broker restarts", self.broker_restarts
        if self.leaves and self.present:
            yield "leaves", self.leave
        if not self.present:
            yield "returns", self.come_back

    # --- the machine --------------------------------------------------------------------------------------------------

    def tell(self, event: object) -> World:
        """The machine reads one event; what it wants goes into the channels."""
        before = self.machine
        state, actions = step(before, event, self.now_ns)
        world = changed(self, machine=state)
        for action in actions:
            world = world.carry_out(action)
        if (before.hold is None) != (state.hold is None):
            said = (state.hold is not None, self.now_ns * 48 // MS)
            world = changed(world, to_page=(*world.to_page, said))
        world.check_machine()
        return world

    def carry_out(self, action: Action) -> World:
        match action:
            case Ask():
                self.check_new_turn(action.turn)
                thinking, asked = (*self.thinking, action.turn), (*self.asked, (action.turn, action.text))
                world = changed(self, thinking=thinking, asked=asked)
                # That it takes its time is no different from its sentence and its voice being long under way.
                return world if self.fails else world.brain_answers()
            case Speak():
                if not action.from_word:
                    self.check_new_turn(action.turn)
                words = tuple(f"{word}" for word in action.text.split())
                voiced = Voiced(action.turn, words[action.from_word :], action.from_word)
                asked = self.asked if action.from_word else (*self.asked, (action.turn, ""))
                return changed(self, to_voice=(*self.to_voice, voiced), asked=asked)
            case Commit() | Cancel() | Hold() | Resume():
                return changed(self, to_gate=(*self.to_gate, action))
            case EndUtterance():
                return changed(self, to_vad=(*self.to_vad, action.utterance))
            case Accept() | Attend():
                return self
            case Event():
                self.check_event(action)
                return self.keep_account(action)
        raise Broken(f"an action nobody carries out: {action}")

    def keep_account(self, event: Event) -> World:
        """What the machine owes the person, by what it says that it has done."""
        data = event.data
        if event.kind == "heard" and data["final"]:
            return self.owes(data["text"])
        if event.kind == "error" and event.turn:  # an apology, spoken or shown
            mute = self.mute | ({event.turn} if data["code"] == "no_voice" else set())
            return changed(self, unanswered=self.unanswered - {event.turn}, mute=mute)
        if event.kind != "turn":
            return self
        match data["what"]:
            case "committed":  # a newer turn: nothing older need be answered
                answered = frozenset(data["text"].split())
                return changed(self, owed=self.owed - answered, unanswered=frozenset({event.turn}))
            case "finished" | "interrupted" if data["heard"]:  # one of which nothing was heard is no answer
                return changed(self, unanswered=self.unanswered - {event.turn})
            case "cancelled" if event.turn in self.unanswered:
                others = self.unanswered - {event.turn}
                if "again" in data:
                    return changed(self, unanswered=others | {data["again"]})
                return changed(self, unanswered=others).owes(data["text"]) if data.get("joined") else self
        return self

    def owes(self, text: str) -> World:
        return changed(self, owed=self.owed | frozenset(text.split()))

    def excused(self, text: str) -> World:
        """Who asks for silence, or for somebody else, takes back what is and what waited to be answered."""
        return changed(self, owed=self.owed - frozenset(text.split()), unanswered=frozenset())

    def timer(self) -> World:
        due = due_ns(self.machine)
        assert due is not None
        now_ns = max(due, self.now_ns)
        world = changed(self, now_ns=now_ns).page_moves()
        for _ in range(4):  # what one deadline sets going may be due at once
            world = world.tell(Timer())
            after = due_ns(world.machine)
            if after is None or after > now_ns:
                return world
        raise Broken("a deadline that its own timer does not settle")

    # --- programme and page -------------------------------------------------------------------------------------------

    def gate_reads(self) -> World:
        message, rest = self.to_gate[0], self.to_gate[1:]
        programme = self.programme
        gate = programme.gate
        match message:
            case Commit():
                programme = changed(programme, gate=gate.commit(message.turn))
                if len(programme.gate.committed) > 1:
                    raise Broken(f"two turns may sound: {sorted(programme.gate.committed)}")
            case Cancel():
                through = max(programme.cancelled_through, message.through_turn)
                gate = gate.cancel(message.through_turn)
                voice = tuple(each for each in programme.voice if not gate.stale(each.turn))
                programme = changed(programme, gate=gate, voice=voice, cancelled_through=through)
            case Hold():
                programme = changed(programme, gate=gate.hold())
            case Resume():
                programme = resumed(programme, message.heard_sample)
        return changed(self, to_gate=rest, programme=programme)

    def voice_arrives(self) -> World:
        voiced, rest = self.to_voice[0], self.to_voice[1:]
        programme = self.programme
        if not programme.gate.stale(voiced.turn):
            programme = changed(programme, voice=(*programme.voice, voiced))
        return changed(self, to_voice=rest, programme=programme)

    def tick(self) -> World:
        """The programme's clock: half a word leaves, if one may."""
        sample = self.now_ns * 48 // MS
        programme = self.programme
        turn = programme.gate.sounding
        world = changed(self, now_ns=self.now_ns + TICK_MS * MS)
        sounding = next((each for each in programme.voice if each.turn == turn), None) if turn else None
        if sounding is None:
            return world.page_moves()
        if turn <= programme.cancelled_through:
            raise Broken(f"turn {turn} sounds after its cancel")
        if programme.order[-1:] != (turn,):
            if turn in programme.order:
                raise Broken(f"turn {turn} goes on after another turn has sounded")
            programme = changed(programme, order=(*programme.order, turn))
        at, half = divmod(sounding.halves, 2)
        start = at * 2 * HALF_WORD_SAMPLES
        over = sounding.halves + 1 == 2 * len(sounding.words)
        word = Word(
            index=sounding.first_word + at,
            text=sounding.words[at],
            start_sample=start,
            end_sample=start + 2 * HALF_WORD_SAMPLES,
        )
        emitted = Emitted(
            turn=turn,
            sentence=0,
            start_sample=start + half * HALF_WORD_SAMPLES,
            programme_sample=sample,
            samples=HALF_WORD_SAMPLES,
            words=() if half else (word,),
            last=over,
            turn_last=over and not sounding.breaks_off,
            resumed_from=programme.resumed_from,
        )
        half_ends = (*sounding.half_ends[: sounding.halves], sample + HALF_WORD_SAMPLES)
        moved = changed(sounding, halves=sounding.halves + 1, half_ends=half_ends)
        left = () if over else (moved,)
        others = tuple(each for each in programme.voice if each is not sounding)
        gate = programme.gate.finish(turn) if emitted.turn_last else programme.gate
        world = changed(
            world,
            programme=changed(programme, voice=left + others, gate=gate, over=moved if over else programme.over),
            emitted=(*world.emitted, emitted),
            played=world.played + (((sounding.words[at], sample + HALF_WORD_SAMPLES),) if half else ()),
        )
        return world.page_moves()

    def page_moves(self) -> World:
        """The page's speaker follows the programme; a page that is not there hears nothing."""
        sample = max(self.page_sample, self.now_ns * 48 // MS - PAGE_DELAY_SAMPLES)
        due = [number for number, (_, told) in enumerate(self.to_page) if told <= sample]
        if due:  # words of the broker are no slower than sound
            return self.page_reads().page_moves()
        listens = self.present and self.silent_at < 0
        deaf = self.deaf_through + 2 * HALF_WORD_SAMPLES  # a word is heard from its start or not at all
        heard = {word for word, end in self.played if deaf <= end <= sample} if listens else set()
        played = tuple((word, end) for word, end in self.played if end > sample)
        return changed(self, page_sample=sample, heard=self.heard | heard, played=played)

    @property
    def speaker_sample(self) -> int:
        """How far the page says that it was heard."""
        return self.page_sample if self.silent_at < 0 else self.silent_at

    def page_reads(self) -> World:
        (silent, _), rest = self.to_page[0], self.to_page[1:]
        if silent:
            return changed(self, to_page=rest, silent_at=self.page_sample)
        if self.silent_at < 0:
            return changed(self, to_page=rest)
        return changed(self, to_page=rest, silent_at=-1, deaf_through=self.page_sample)

    def page_silent_at_once(self) -> World:
        """The person asks for silence on the page: it says how far it was heard, and plays nothing that has left."""
        world = self if self.present and self.speaker_sample <= self.machine.acknowledged else self.page_plays()
        return changed(world, deaf_through=self.now_ns * 48 // MS)

    def page_plays(self) -> World:
        world = changed(self, older_sample=self.machine.acknowledged)
        return world.tell(Played(programme_sample=self.speaker_sample))

    def page_played_late(self) -> World:
        return changed(self, older_sample=0).tell(Played(programme_sample=self.older_sample))

    def emitted_arrives(self) -> World:
        return changed(self, emitted=self.emitted[1:]).tell(self.emitted[0])

    # --- the brain ----------------------------------------------------------------------------------------------------

    def brain_answers(self) -> World:
        turn, rest = self.thinking[0], self.thinking[1:]
        voiced = Voiced(turn, spoken_words(turn), 0)
        return changed(
            self,
            thinking=rest,
            sentences=(*self.sentences, (turn, WORDS)),
            to_voice=(*self.to_voice, voiced),
        )

    def broker_restarts(self) -> World:
        """A successor reads the state, opens the route again and then goes on; what was sent before has arrived."""
        world = self
        while world.to_gate:
            world = world.gate_reads()
        state = world.machine
        gate = world.programme.gate.reopen(committed_turns(state), state.cancelled_through, state.held)
        programme = changed(world.programme, gate=gate)
        return changed(world, programme=programme, restarts=self.restarts - 1).tell(Restarted())

    def brain_fails(self) -> World:
        turn, rest = self.thinking[0], self.thinking[1:]
        failed = Failed(turn=turn, code="llm_failed", text="Sorry.", kind="llm")
        return changed(self, thinking=rest, fails=self.fails - 1).tell(failed)

    def brain_says_nothing(self) -> World:
        """An answer of which no word can be spoken."""
        turn, rest = self.thinking[0], self.thinking[1:]
        empty = Sentence(turn=turn, n=0, text="", language="en", last=True)
        return changed(self, thinking=rest, fails=self.fails - 1).tell(empty)

    def brain_breaks_off(self) -> World:
        """It has a sentence that is not the last, and then it fails."""
        turn, rest = self.thinking[0], self.thinking[1:]
        voiced = Voiced(turn, spoken_words(turn), 0, breaks_off=True)
        return changed(
            self,
            thinking=rest,
            fails=self.fails - 1,
            sentences=(*self.sentences, (turn, 0)),
            to_voice=(*self.to_voice, voiced),
        )

    def voice_fails(self) -> World:
        """The broker may hear of it before it reads the sentence."""
        turn, rest = self.to_voice[0].turn, self.to_voice[1:]
        failed = Failed(turn=turn, code="tts_failed", text="Sorry.", kind="tts")
        return changed(self, to_voice=rest, fails=self.fails - 1).tell(failed)

    def sentence_arrives(self) -> World:
        turn, words = self.sentences[0]
        sentence = Sentence(turn=turn, n=0, text=" ".join(spoken_words(turn)), language="en", last=bool(words))
        world = changed(self, sentences=self.sentences[1:]).tell(sentence)
        return world if words else world.tell(Failed(turn=turn, code="llm_cut", text="Sorry.", kind="llm"))

    # --- the person ---------------------------------------------------------------------------------------------------

    def speak(self, kind: str) -> World:
        number = self.person.utterance + 1
        words = ("mhm",) if kind == "mhm" else (f"u{number}a",)
        person = changed(self.person, doing="speaking", utterance=number, words=words)
        world = changed(self, person=person, speaks=self.speaks - 1)
        return world.tell(SpeechStarted(utterance=number, mic_sample=number * 100_000))

    def provisional(self) -> World:
        return self.tell(self.transcript(final=False))

    def pause(self) -> World:
        """The pause and the words up to it; the asr may be slower than the vad, but the machine must not mind."""
        world = changed(self, person=changed(self.person, doing="paused"))
        mic_sample = self.mic_sample()
        paused = SpeechPaused(utterance=self.person.utterance, mic_sample=mic_sample, silence_ms=100, p_end=0.9)
        return world.tell(paused).tell(self.transcript(final=False))

    def pause_for_good(self) -> World:
        """The same, with words that stand: no final ones are waited for."""
        world = changed(self, stands=self.stands - 1, person=changed(self.person, doing="paused"))
        mic_sample = self.mic_sample()
        paused = SpeechPaused(utterance=self.person.utterance, mic_sample=mic_sample, silence_ms=100, p_end=0.9)
        return world.tell(paused).tell(changed(self.transcript(final=False), pause_sample=mic_sample))

    def go_on(self) -> World:
        number = self.person.utterance
        words = (*self.person.words, f"u{number}b")
        world = changed(self, person=changed(self.person, doing="speaking", words=words))
        return world.tell(SpeechResumed(utterance=number, mic_sample=self.mic_sample() + 3200))

    def vad_ends(self) -> World:
        """The vad reads of the end; speech that went on meanwhile is a new utterance."""
        number, rest = self.to_vad[0], self.to_vad[1:]
        world = changed(self, to_vad=rest)
        person = self.person
        if number != person.utterance or person.doing == "silent":
            return world
        said = person.words[:-1] if person.doing == "speaking" and len(person.words) > 1 else person.words
        finals = (*person.finals, (number, " ".join(said)))
        if person.doing == "paused" or said == person.words:
            return changed(world, person=changed(person, doing="silent", finals=finals))
        onward = changed(person, utterance=number + 1, words=(f"u{number + 1}a",), finals=finals, doing="speaking")
        world = changed(world, person=onward)
        return world.tell(SpeechStarted(utterance=number + 1, mic_sample=(number + 1) * 100_000))

    def final_words(self) -> World:
        (number, text), rest = self.person.finals[0], self.person.finals[1:]
        world = changed(self, person=changed(self.person, finals=rest))
        wanted = world.machine.ending is not None and world.machine.ending.number == number
        if wanted and text != "mhm":
            world = world.owes(text)
        return world.tell(
            Transcript(
                utterance=number, n=100, text=text, final=True, language="en", through_sample=number * 100_000 + 50_000
            )
        )

    def type_text(self) -> World:
        world = self.page_silent_at_once() if in_hand(self.machine) and self.present else self
        return changed(world, types=self.types - 1, owed=frozenset({"typed"})).tell(Typed(text="typed"))

    def interrupt(self) -> World:
        world = self.page_silent_at_once() if self.present else self
        waiting = self.machine.waiting.text if self.machine.waiting else ""
        return changed(world, interrupts=self.interrupts - 1).excused(waiting).tell(Interrupt())

    def switch(self) -> World:
        """Another persona takes over and greets."""
        taken = Taken(
            settings=self.machine.settings, languages=("en",), language="en", expressions=(), greeting="Good day"
        )
        waiting = self.machine.waiting.text if self.machine.waiting else ""
        return changed(self, switches=self.switches - 1).excused(waiting).tell(Leaving()).tell(taken)

    def leave(self) -> World:
        return changed(self, leaves=self.leaves - 1, present=False).tell(Away())

    def come_back(self) -> World:
        """A page that is back plays from now on."""
        world = changed(self, present=True, played=(), to_page=(), silent_at=-1, page_sample=self.now_ns * 48 // MS)
        return world.tell(Returned()).tell(Played(programme_sample=world.page_sample))

    def mic_sample(self) -> int:
        return self.person.utterance * 100_000 + 16_000 * len(self.person.words)

    def transcript(self, final: bool) -> Transcript:
        return Transcript(
            utterance=self.person.utterance,
            n=len(self.person.words),
            text=" ".join(self.person.words),
            final=final,
            language="en",
            through_sample=self.mic_sample(),
        )

    # --- what must always hold ----------------------------------------------------------------------------------------

    def check_new_turn(self, turn: int) -> None:
        if any(turn <= known for known, _ in self.asked):
            raise Broken(f"turn {turn} is given out twice or goes back")

    def check_event(self, event: Event) -> None:
        told_all = self.machine.presence is Presence.HERE and self.machine.acknowledged >= self.page_sample
        cut = told_all and event.kind == "turn" and event.data["what"] == "interrupted"
        if cut and event.turn > self.machine.cancelled_through and "leaves" not in self.path:
            raise Broken(f"turn {event.turn} was not cancelled and yet {event.data['heard']!r} is all that was heard")
        if event.kind != "turn" or event.data["what"] != "committed":
            return
        asked = dict(self.asked)[event.turn]
        if not same_words(asked, event.data["text"]):
            raise Broken(f"asked {asked!r}, committed for {event.data['text']!r}")

    def check_machine(self) -> None:
        """What holds after every step of the machine."""
        state = self.machine
        if state.attempt and in_hand(state):
            raise Broken("an attempt beside an answer")
        if any(each and each.came_to_nothing for each in (state.attempt, state.answer)):
            raise Broken("an answer without a word is kept")
        if state.carried and not (state.utterance or state.ending):
            raise Broken(f"the words {state.carried!r} are carried nowhere")
        if state.hold:
            due = due_ns(state)
            if due is None or due > state.hold.until_ns:
                raise Broken("a hold without a timer")
            after, _ = step(state, Timer(), state.hold.until_ns)
            if after.hold:
                raise Broken("a hold that its timer does not end")
        spoken = [word for line in state.dialogue if line.role == "avatar" for word in line.text.split()]
        spoken = [word for word in spoken if word in ANSWER_WORDS]
        if len(spoken) != len(set(spoken)):
            raise Broken(f"said twice: {spoken}")
        for word in spoken:
            if word not in self.heard:
                raise Broken(f"{word!r} is in the dialogue and was not heard")

    def check_rest(self) -> None:
        """What holds when everything has been delivered and nobody does anything any more."""
        state = self.machine
        if in_hand(state) or state.attempt or state.waiting or state.ending or state.carried or state.says:
            raise Broken("something is left undone")
        if self.programme.gate.held:
            raise Broken("the programme is held for ever")
        if self.owed:
            raise Broken(f"{sorted(self.owed)} was said and is lost")
        if self.unanswered:
            raise Broken(f"turn {sorted(self.unanswered)} is never answered")

    @property
    def rests(self) -> bool:
        """Everything has been delivered, and nothing happens until the person does something."""
        under_way = self.to_gate or self.to_voice or self.emitted or self.sentences or self.thinking or self.to_vad
        busy = under_way or self.person.finals or self.played or self.person.doing != "silent" or self.to_page
        quiet = due_ns(self.machine) is None and not self.programme.gate.sounding
        return quiet and not busy and self.present and self.machine.presence is Presence.HERE

    # --- merging ------------------------------------------------------------------------------------------------------

    def key(self) -> tuple[object, ...]:
        """Equal for worlds that differ only in what time it is."""
        shift = self.now_ns * 48 // MS
        return (
            relative(self.machine, self.now_ns, shift),
            relative(self.programme, self.now_ns, shift),
            self.person,
            tuple(relative(each, self.now_ns, shift) for each in self.to_gate),
            self.to_voice,
            self.to_vad,
            tuple(relative(each, self.now_ns, shift) for each in self.emitted),
            (self.sentences, self.thinking, self.heard, self.present, self.owed, self.unanswered),
            (
                self.speaks,
                self.types,
                self.interrupts,
                self.leaves,
                self.switches,
                self.stands,
                self.fails,
                self.restarts,
            ),
            tuple((word, end - shift) for word, end in self.played),
            self.page_sample - shift,
            tuple((silent, told - shift) for silent, told in self.to_page),
            self.silent_at - shift if self.silent_at >= 0 else 0,
            max(self.deaf_through - shift, -480_000) if self.deaf_through else 0,
            max(self.older_sample - shift, -480_000) if self.older_sample else 0,
        )


CLOCKED = frozenset(
    (
        "acknowledged",
        "programme_sample",
        "deaf_from",
        "resumed_from",
        "heard_sample",
        "finished_sample",
        "half_ends",
    )
)


REPORTED = frozenset(("asked_ns", "first_ns"))
"""Instants that are told and that nothing is decided by."""


@dataclass(frozen=True)
class Plan:
    """How an object becomes a tuple: the fields that are taken as they are, instants, and objects that have some."""

    plain: Callable[[Any], Any]
    instants: tuple[tuple[str, bool], ...]
    """Each with whether it is in ns, not in samples of the programme."""
    deeper: tuple[str, ...]


def relative(value: Any, now_ns: int, sample: int) -> Any:
    """A dataclass as nested tuples, instants and programme samples counted from now."""
    cls = type(value)
    if cls is tuple:
        return tuple([relative(each, now_ns, sample) for each in value]) if value else value
    if cls not in _PLANS:
        _PLANS[cls] = _plan(cls)
    plan = _PLANS[cls]
    if plan is None:
        return value
    held = vars(value)
    parts = [cls, plan.plain(value)]
    for name, in_ns in plan.instants:
        part = held[name]
        if type(part) is tuple:
            parts.append(tuple([each - sample for each in part]))
        else:
            parts.append(part if part in (0, -1) else part - (now_ns if in_ns else sample))
    parts += [relative(held[name], now_ns, sample) for name in plan.deeper]
    return tuple(parts)


_PLANS: dict[type, Plan | None] = {}


def _plan(cls: type) -> Plan | None:
    """None: it has no instant in it."""
    if not dataclasses.is_dataclass(cls):
        return None
    instants = _instants(cls)
    others = {name: hint for name, hint in get_type_hints(cls).items() if name not in ("settings", *REPORTED)}
    deeper = tuple(name for name, hint in others.items() if name not in instants and _has_instants(hint))
    if not instants and not deeper:
        return None
    plain = [name for name in others if name not in instants and name not in deeper]
    return Plan(attrgetter(*plain) if plain else lambda value: (), tuple(instants.items()), deeper)


def _instants(cls: type) -> dict[str, bool]:
    samples = CLOCKED | ({"end_sample"} if cls in (Hearing, SpokenWord) else frozenset())
    names = [each.name for each in dataclasses.fields(cls) if each.name not in REPORTED]
    return {name: name.endswith("_ns") for name in names if name.endswith("_ns") or name in samples}


def _has_instants(hint: Any) -> bool:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return bool(_instants(hint)) or any(map(_has_instants, get_type_hints(hint).values()))
    return any(map(_has_instants, get_args(hint)))


def resumed(programme: Programme, heard_sample: int) -> Programme:
    """The programme goes on from the first word that was not wholly heard, in a voice that was over too."""
    gate = programme.gate.resume()
    over = programme.over if heard_sample >= 0 else None
    resumed_from = max(programme.resumed_from, heard_sample)
    if not programme.gate.held:
        return changed(programme, resumed_from=resumed_from)
    voice = tuple(changed(each, halves=unheard_from(each, heard_sample)) for each in programme.voice)
    if over and over.half_ends[-1] > heard_sample and over.turn in gate.finished:
        voice += (changed(over, halves=unheard_from(over, heard_sample)),)
        gate = gate.unfinish(over.turn)
    return changed(programme, gate=gate, voice=voice, resumed_from=resumed_from)


def unheard_from(voiced: Voiced, heard_sample: int) -> int:
    """The half word that a voice goes on with: the start of the first word that was not wholly heard."""
    unheard = (n for n, end in enumerate(voiced.half_ends[: voiced.halves]) if 0 <= heard_sample < end)
    halves = next(unheard, voiced.halves)
    return halves - halves % 2


def spoken_words(turn: int) -> tuple[str, ...]:
    """The words of the brain's answer in a turn; no other turn has them."""
    return tuple(f"t{turn}{letter}" for letter in "abcd"[:WORDS])


def settled(world: World, steps: int = 600) -> World:
    """The world when the person does no more and everything else takes its course. The page listens."""
    mute = world.mute
    if not world.present:
        world = world.come_back()
    for _ in range(steps):
        if world.person.doing == "speaking":
            world = world.pause()
        for channel in (
            "gate reads",
            "voice arrives",
            "emitted arrives",
            "sentence arrives",
            "vad ends",
            "final words",
        ):
            possible = dict(world.events())
            while channel in possible:
                world = possible[channel]()
                possible = dict(world.events())
        possible = dict(world.events())
        if "brain answers" in possible:
            world = possible["brain answers"]()
            continue
        due = due_ns(world.machine)
        if due is not None and due <= world.now_ns + TICK_MS * MS:
            world = world.timer()
        elif due is None and world.machine.presence is Presence.HERE and not world.programme.gate.sounding:
            if world.mute > mute:
                raise Broken(f"turn {sorted(world.mute - mute)} had a voice, and nothing of it sounds")
            return world
        else:
            world = world.tick()
        if world.present and world.page_sample > world.machine.acknowledged:
            world = world.page_plays()
    raise Broken("it never comes to rest")


def fresh() -> World:
    """A page that has just begun to play, its greeting done."""
    now_ns = 10_000 * MS
    machine = TurnState(presence=Presence.HERE, played_ns=now_ns)
    return World(machine=machine, now_ns=now_ns).page_moves()


def after(*names: str, start: World | None = None) -> World:
    """The world after these events; `name*n` repeats one."""
    world = start or fresh()
    for name in names:
        event, _, times = name.partition("*")
        for _ in range(int(times or 1)):
            possible = dict(world.events())
            assert event in possible, f"{event!r} cannot happen; possible: {sorted(possible)}"
            world = possible[event]()
    return world
