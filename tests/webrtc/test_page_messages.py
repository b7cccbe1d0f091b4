"""What a page says is checked field by field; what is wrong is told in a sentence."""

from __future__ import annotations

import json

import pytest

from broker.messages import Act
from webrtc import page_messages
from webrtc.errors import PageError
from webrtc.page_messages import Candidate, Heard, Hello, Text, parse


def test_a_first_hello_and_a_resuming_one() -> None:
    assert parse('{"type":"hello","persona":"host","mode":"text"}') == Hello(persona="host", mode="text")
    resumed = parse('{"type":"hello","session":"abcDEF-_1234","token":"secret"}')
    assert isinstance(resumed, Hello)
    assert resumed.session == "abcDEF-_1234"


def test_the_other_messages() -> None:
    assert parse('{"type":"played","rtp":4294967295,"t":12}') == Heard(rtp=4294967295, t=12.0)
    assert parse('{"type":"candidate","candidate":null}') == Candidate(candidate=None)
    assert parse('{"type":"text","text":"Hi","id":"1"}') == Text(text="Hi", id="1")
    assert parse('{"type":"front","front":"avatar3d"}') == page_messages.Front(front="avatar3d")
    assert isinstance(parse('{"type":"interrupt","newer":1}'), page_messages.Stop)


def test_a_letter_of_two_halves_is_whole() -> None:
    assert parse('{"type":"text","text":"\\ud83d\\ude00"}') == Text(text="😀")


def test_an_act_and_a_switch() -> None:
    act = parse('{"type":"act","emotion":"happy","for_ms":500,"gaze":"left","motion":0,"background":"#10aaFF"}')
    assert isinstance(act, page_messages.Act)
    assert act.message("s") == Act(
        session="s", emotion="happy", for_ms=500, gaze="left", motion=0.0, background="#10aaFF"
    )
    assert parse('{"type":"act","gesture":"nod"}') == page_messages.Act(gesture="nod")
    assert parse('{"type":"act","background":"transparent"}') == page_messages.Act(background="transparent")
    assert parse('{"type":"switch","persona":"campus"}') == page_messages.Switch(persona="campus")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "null",
        "[]",
        "{}",
        '{"type":1}',
        '{"type":"shout"}',
        '{"type":"offer"}',
        '{"type":"offer","sdp":7}',
        '{"type":"hello","mode":"smell"}',
        '{"type":"front","front":"4d"}',
        '{"type":"hello","session":"../../etc","token":"x"}',
        '{"type":"hello","session":"abcdefgh"}',
        '{"type":"hello","mouth":"yes"}',
        '{"type":"played","rtp":-1,"t":0}',
        '{"type":"played","rtp":4294967296,"t":0}',
        '{"type":"played","rtp":1.5,"t":0}',
        '{"type":"played","rtp":true,"t":0}',
        '{"type":"ping","t":NaN}',
        '{"type":"ping","t":Infinity}',
        '{"type":"ping","t":' + "9" * 400 + "}",
        '{"type":"mute","muted":1}',
        '{"type":"text","text":"   "}',
        '{"type":"act"}',
        '{"type":"act","emotion":"furious"}',
        '{"type":"act","emotion":"happy","strength":1.5}',
        '{"type":"act","emotion":"happy","strength":"very"}',
        '{"type":"act","emotion":"happy","for_ms":-1}',
        '{"type":"act","emotion":"happy","for_ms":99999999}',
        '{"type":"act","emotion":"happy","for_ms":0.5}',
        '{"type":"act","gesture":"wave"}',
        '{"type":"act","gaze":"everywhere"}',
        '{"type":"act","motion":2}',
        '{"type":"act","motion":-0.5}',
        '{"type":"act","motion":NaN}',
        '{"type":"act","background":"url(http://x)"}',
        '{"type":"act","background":"#12345"}',
        '{"type":"switch"}',
        '{"type":"switch","persona":7}',
        '{"type":"hello","persona":"\\ud800"}',
        '{"type":"hello","language":"a\\udfff"}',
        '{"type":"text","text":"half \\ud83d of it"}',
        '{"type":"text","text":"hi","id":"\\udcff"}',
        '{"type":"switch","language":"\\udbff"}',
        '{"type":"offer","sdp":"v=0\\ud800"}',
        '{"type":"shout\\ud800"}',
        "[" * 90_000,
        '{"type":"text","text":"' + "\\u0000",
    ],
)
def test_nonsense_is_a_bad_message(text: str) -> None:
    with pytest.raises(PageError) as refused:
        parse(text)
    assert refused.value.code == "bad_message"
    assert refused.value.text.endswith(".")


@pytest.mark.parametrize(
    "message",
    [
        {"type": "text", "text": "a" * (page_messages.LONGEST_TEXT + 1)},
        {"type": "text", "text": "hi", "id": "x" * 300},
        {"type": "hello", "persona": "p" * 300},
        {"type": "offer", "sdp": "v=0" + "a" * 90_000},
        {"type": "offer", "sdp": "v=0" + "a" * 200_000},
    ],
)
def test_what_is_too_long_is_said_to_be(message: dict[str, str]) -> None:
    with pytest.raises(PageError) as refused:
        parse(json.dumps(message))
    assert refused.value.code == "too_large"
