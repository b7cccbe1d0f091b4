"""A call and somebody who looks on in Firefox: spoken and typed turns, sound from the loudspeaker, pictures, captions.

Its sound goes through a sound card that we hear. Firefox brings no H.264 of its own, so pictures come as VP8.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bench.spoken import speak, trimmed
from tests.stack.caller import AUDIBLE_RMS, Recording, wav_bytes
from tests.stack.doors import KEY, Push
from tests.stack.firefox import PROGRAM, Firefox, Tab
from tests.stack.lips import DARK, OPEN, mouth_box, openings, phones
from tests.stack.listener import Listener
from tests.stack.running import Stack, free_port
from tests.stack.sound_card import THERE, SoundCard
from webrtc.janus_server import janus

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not PROGRAM, reason="needs Firefox: apt-get install firefox-esr"),
    pytest.mark.skipif(not THERE, reason="needs a sound card without hardware: apt-get install pulseaudio"),
]

PER_SECOND = 100
"""Values of loudness."""
PICTURE = 1920
"""Samples from one picture to the next: a slow browser may show the one after."""
ANSWERS = 3
"""So many are asked for until enough pictures of vowels were seen: a Firefox beside all else shows few."""


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def reads(tab: Tab, heard: str) -> bool:
    """Whether the captions are the end of what was heard."""
    shown = words(tab.evaluate("document.querySelector('#captions').innerText"))
    return bool(shown) and words(heard)[-len(shown) :] == shown


@dataclass
class Call:
    tab: Tab
    card: SoundCard
    listener: Listener
    firefox: Firefox

    def turns(self, *what: str) -> list[dict[str, Any]]:
        return [message for message in self.tab.messages("turn") if message["what"] in what]

    def await_turn(self, since: int, *what: str) -> dict[str, Any]:
        """The first turn message after `since` of them that says one of `what`."""
        return dict(self.tab.until(lambda: self.turns(*what)[since:], f"no turn {what} came")[0])

    def heard_s(self, since: int) -> float:
        """For how long the loudspeaker has sounded since this sample."""
        return float(np.sum(self.card.loudness(since) > AUDIBLE_RMS)) / PER_SECOND

    def type(self, text: str) -> None:
        self.tab.evaluate("document.querySelector('#text').focus()")
        self.tab.type(text)
        self.tab.click("#send")

    def say(self, text: str) -> None:
        self.card.say(wav_bytes(trimmed(speak(text, "slt")), 16_000))


@pytest.fixture(scope="module")
def call(stack: Stack) -> Iterator[Call]:
    with SoundCard() as card, Firefox(card.environment) as firefox, Listener(stack.settings) as listener:
        tab = firefox.tab().open(f"{stack.url}?persona=campus")
        tab.until(lambda: tab.evaluate("!!document.querySelector('#personas > *')"), "nobody to talk to")
        tab.click("#start")
        tab.until(lambda: tab.state() == "speaking", "the call did not start")
        yield Call(tab, card, listener, firefox)


def test_it_connects_and_greets_with_voice_and_moving_pictures_in_vp8(call: Call) -> None:
    greeting = call.await_turn(0, "finished")
    assert greeting["heard"] == greeting["text"]
    assert call.heard_s(0) > 0.15 * len(words(greeting["heard"])), "as much sound as the words need"
    assert call.tab.evaluate("document.querySelector('video#avatar').videoWidth") > 0
    assert len(call.tab.evaluate("eyewitness.pictures")) > 20
    assert call.tab.evaluate("eyewitness.codecs('video')") == ["video/VP8"]


def test_a_spoken_question_comes_through_the_microphone_and_is_answered(call: Call) -> None:
    since, done = call.card.now, len(call.turns("finished"))
    call.tab.evaluate("eyewitness.box = " + json.dumps(mouth_box("robin")))
    call.say("when is the library open on weekends")
    turn = call.await_turn(done, "finished")
    question = next(m for m in call.turns("committed") if m["turn"] == turn["turn"])
    assert "library" in words(question["text"])
    assert turn["heard"] == turn["text"], "an undisturbed answer is heard whole"
    assert call.heard_s(since) > 0.15 * len(words(turn["heard"]))


def test_captions_show_what_was_heard(call: Call) -> None:
    turn = call.turns("finished")[-1]
    call.tab.until(lambda: reads(call.tab, turn["heard"]), "what is read is not what was said")
    entered = [word for message in call.tab.messages("words") for word in message["words"] if word[0] == turn["turn"]]
    assert words(" ".join(word[3] for word in entered)) == words(turn["heard"])


def test_pictures_follow_the_programme_and_the_mouth_is_open_in_vowels(call: Call) -> None:
    call.tab.evaluate("eyewitness.box = " + json.dumps(mouth_box("robin")))
    silent, in_vowels = np.zeros(0), np.zeros(0)
    for _ in range(ANSWERS):
        seen, done = len(call.tab.evaluate("eyewitness.pictures")), len(call.turns("finished"))
        call.type("When is the library open on weekends?")
        spoken = phones(call.listener.of("phonemes", call.await_turn(done, "finished")["turn"]))
        time.sleep(1.0)  # of silence after it
        pictures = call.tab.evaluate(f"eyewitness.pictures.slice({seen})")
        recording = Recording(pictures=[(ms, 0.0, rtp, mouth, ms) for ms, rtp, mouth in pictures])
        at, mouth = openings(recording, call.tab.messages("session")[0]["video_offset"])
        assert np.all(np.diff(at) > 0), "pictures come in programme order"
        silent = np.append(silent, mouth[(at < spoken[0][1] - 9600) | (at > spoken[-1][2] + 19_200)])
        for name, a, b in spoken:
            if name in OPEN:
                in_vowels = np.append(in_vowels, mouth[(at >= a) & (at < b + PICTURE)])
        if len(silent) and len(in_vowels) >= 3:
            break
    assert len(silent), "pictures of silence"
    assert len(in_vowels) >= 3, "pictures of vowels"
    assert np.mean(in_vowels) > max(DARK, 3 * np.mean(silent)), "the mouth is open in open vowels"


def test_a_page_that_becomes_narrow_keeps_the_end_of_the_conversation_in_sight(call: Call) -> None:
    ends = "(({ scrollHeight, scrollTop, clientHeight }) => [scrollHeight - clientHeight, scrollTop])"
    panel = f"{ends}(document.querySelector('#dialogue-panel'))"
    call.tab.resize(390, 844)
    try:
        call.tab.until(lambda: call.tab.evaluate(panel)[0] > 100, "the conversation is not longer than its panel")
        call.tab.until(lambda: abs(np.subtract(*call.tab.evaluate(panel))) <= 1, "its end is not in sight")
    finally:
        call.tab.resize(1280, 800)


def test_the_button_interrupts_and_what_was_heard_is_kept(call: Call) -> None:
    cut = len(call.turns("interrupted"))
    since = call.card.now
    call.type("How do I apply for a place at the university?")
    call.tab.until(lambda: call.heard_s(since) > 1, "no answer is heard")
    call.tab.click("#interrupt")
    stopped = call.await_turn(cut, "interrupted")
    heard = words(stopped["heard"])
    assert 0 < len(heard) < len(words(stopped["text"]))
    assert words(stopped["text"])[: len(heard)] == heard
    call.tab.until(lambda: call.card.loudness(call.card.now - 48_000).max() < AUDIBLE_RMS, "it is not silent", 20)


def test_a_viewer_sees_hears_and_reads(call: Call, stack: Stack) -> None:
    session = call.tab.messages("session")[0]["session"]
    viewer = call.firefox.tab((1280, 800)).open(f"{stack.url}view/{session}")
    viewer.until(lambda: viewer.state() == "listening", "the viewer page is not live")
    viewer.until(lambda: len(viewer.evaluate("eyewitness.pictures")) > 10, "no picture moves")
    assert viewer.evaluate("eyewitness.codecs('video')") == ["video/VP8"]
    done = len(call.turns("finished"))
    call.type("How much is the tuition per term?")
    answer = call.await_turn(done, "finished")
    viewer.until(lambda: reads(viewer, answer["heard"]), "what is read is not what was said")
    asked = "document.querySelector('#asked').innerText"
    viewer.until(lambda: "tuition" in words(viewer.evaluate(asked)), "the question is not read")
    loud = np.array(viewer.evaluate("eyewitness.levels")) > AUDIBLE_RMS
    assert np.sum(loud) >= 25, "the answer was heard"
    assert viewer.console == []
    viewer.close()


@pytest.mark.skipif(not shutil.which("janus"), reason="needs Janus: apt-get install janus")
def test_a_page_behind_janus_says_that_it_has_no_words_and_where_they_are(call: Call, stack: Stack) -> None:
    session = call.tab.messages("session")[0]["session"]
    with janus(free_port(), KEY) as server, Push(stack, session, f"janus+{server.url}", KEY):
        viewer = call.firefox.tab((1280, 800)).open(f"{stack.url}view/{session}?via=janus")
        notice = "document.querySelector('#wordless').checkVisibility()"
        viewer.until(lambda: viewer.state() in ("listening", "speaking"), "the viewer page is not live")
        assert not viewer.evaluate(notice)
        viewer.until(lambda: viewer.evaluate(notice), "it says nothing")
        assert "cannot show captions" in viewer.evaluate("document.querySelector('#wordless').innerText")
        viewer.click("#wordless a")
        viewer.until(lambda: "via=edge" in viewer.evaluate("location.search"), "the way to captions leads nowhere")
        viewer.until(lambda: viewer.state() in ("listening", "speaking"), "it does not play from the edge")
        call.type("How much is the tuition per term?")
        caption = "document.querySelector('#captions').innerText"
        viewer.until(lambda: words(viewer.evaluate(caption)), "there are no captions")
        assert not viewer.evaluate(notice)
        viewer.close()


def test_nothing_complained(call: Call) -> None:
    assert call.tab.console == []
    assert call.tab.messages("error") == []


def test_the_3d_face_is_drawn_or_a_sentence_says_why_not(call: Call) -> None:
    can = call.tab.evaluate("!!document.createElement('canvas').getContext('webgl2')")
    if not call.tab.evaluate("document.querySelector('#front').matches('[aria-pressed=true]')"):  # by a first attempt
        call.tab.click("#front")
    if can:
        drawn = "document.querySelector('#face').dataset.front === 'avatar3d'"
        call.tab.until(lambda: call.tab.evaluate(drawn), "no 3D face", 120)
        return
    notice = "document.querySelector('#notice:not([hidden])')?.innerText ?? ''"
    call.tab.until(lambda: "WebGL 2 is off" in call.tab.evaluate(notice), "it is not said why there is no 3D face", 120)
    seen = len(call.tab.evaluate("eyewitness.pictures"))
    call.tab.until(lambda: len(call.tab.evaluate("eyewitness.pictures")) > seen + 10, "the pictures did not go on")
