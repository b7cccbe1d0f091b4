"""Messages survive the wire; what is not a message is refused by name."""

from __future__ import annotations

import dataclasses
import typing

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker import codec, messages
from broker.errors import WireError
from broker.messages import FLOW, KINDS, MicFrame, Transcript, Voice, Word

PEER = messages.Peer(kind="tts", name="tts-0", incarnation="ab", data="ipc://d", control="ipc://c")
MESSAGES = list(FLOW)


def sample(hint: object, name: str) -> object:
    """A value of a field's type that is not its default."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint is messages.Peer:
        return PEER
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return filled(hint)
    if origin is tuple:
        if parts[-1] is Ellipsis:
            return (sample(parts[0], name), sample(parts[0], name))
        return tuple(sample(part, name) for part in parts)
    if origin is dict:
        return {"a": sample(parts[1], name)}
    if type(None) in parts:
        return sample(parts[0], name)
    if hint is typing.Any:
        return ["é", 1, {"deep": [2.5, None, True]}]
    return {str: f"{name} ü", int: -(2**40), float: 0.25, bool: True, bytes: b"\x00\xff" * 3}[hint]  # type: ignore[index]


def filled(cls: type) -> object:
    hints = typing.get_type_hints(cls)
    return cls(**{field.name: sample(hints[field.name], field.name) for field in dataclasses.fields(cls)})


@pytest.mark.parametrize("cls", MESSAGES, ids=lambda cls: cls.__name__)
def test_every_message_comes_back_as_it_went(cls: type[messages.Message]) -> None:
    message = filled(cls)
    assert isinstance(message, messages.Message)
    assert codec.decode(codec.encode(message)) == message


def test_every_message_type_has_a_flow() -> None:
    types = {c for c in vars(messages).values() if isinstance(c, type) and issubclass(c, messages.Message)}
    assert types - {messages.Message} == set(FLOW)


def test_flows_name_known_kinds() -> None:
    named = {kind for flow in FLOW.values() for sender, receivers in flow.items() for kind in (sender, *receivers)}
    assert named <= set(KINDS)


def test_bytes_travel_as_frames_of_their_own() -> None:
    frames = codec.encode(MicFrame(session="s", mic_sample=0, pcm=b"\x01" * 640))
    assert frames[2] == b"\x01" * 640
    assert len(frames[1]) < 100


def test_the_shell_can_set_the_route_while_encoding() -> None:
    assert codec.decode(codec.encode(MicFrame(session="s", mic_sample=0, pcm=b""), route=7)).route == 7


def test_a_newer_field_is_ignored_and_an_older_message_takes_defaults() -> None:
    header = msgpack.packb({"session": "s", "mic_sample": 3, "from_the_future": 1})
    assert codec.decode([b"MicFrame", header, b""]) == MicFrame(session="s", mic_sample=3, pcm=b"")


def test_what_has_its_default_is_not_sent() -> None:
    tick = messages.Programme(session="s", tick=3, programme_sample=2880, opus=b"x", mouth=b"", face={"blink": 0.5})
    frames = codec.encode(tick)
    assert msgpack.unpackb(frames[1]) == {"session": "s", "tick": 3, "programme_sample": 2880, "face": {"blink": 0.5}}
    assert codec.decode(frames) == tick


@pytest.mark.parametrize(
    ("frames", "names"),
    [
        ([], "two frames"),
        ([b"MicFrame"], "two frames"),
        ([b"Nonsense", b"\x80"], "Nonsense"),
        ([b"Message", b"\x80"], "Message"),
        ([b"Word", b"\x80"], "Word"),
        ([b"MicFrame", b"\x80"], "MicFrame has 3 frames"),
        ([b"MicFrame", b"\xc1", b""], "not msgpack"),
        ([b"MicFrame", b"\x93\x01\x02\x03", b""], "not a map"),
        ([b"MicFrame", msgpack.packb({"mic_sample": "x"}), b""], "MicFrame.mic_sample is str"),
        ([b"MicFrame", msgpack.packb({"mic_sample": True}), b""], "MicFrame.mic_sample is bool"),
        ([b"MicFrame", msgpack.packb({}), b""], "MicFrame.mic_sample is missing"),
        ([b"Hold", msgpack.packb({"reason": 4})], "Hold.reason"),
        ([b"Voice", msgpack.packb({"words": [3]}), b"", b""], "Word"),
    ],
)
def test_what_is_not_a_message_is_named(frames: list[bytes], names: str) -> None:
    with pytest.raises(WireError, match=names):
        codec.decode(frames)


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_no_bytes_raise_anything_but_a_wire_error(frames: list[bytes]) -> None:
    for first in (b"Voice", b"Open", b"Programme", b"Alive"):
        try:
            message = codec.decode([first, *frames])
        except WireError:
            continue
        assert type(message).__name__ == first.decode()


def test_nested_parts_become_their_types_again() -> None:
    word = Word(index=0, text="hello", start_sample=0, end_sample=9)
    voice = Voice(session="s", turn=1, sentence=0, start_sample=0, pcm=b"", words=(word,))
    decoded = codec.decode(codec.encode(voice))
    assert isinstance(decoded, Voice)
    assert decoded.words == (word,)


def test_messages_are_history() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Transcript(utterance=0, n=0, text="", final=True, language="en").text = "x"  # type: ignore[misc]
