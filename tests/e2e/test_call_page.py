"""The call page in a real Chromium, against a scripted edge with real media: what it says, shows and survives."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import pytest
from playwright.async_api import FloatRect

from tests.e2e.page_harness.browser import CHROMIUM, Browsers, Tab
from tests.e2e.page_harness.fake_edge import PERSONAS, FakeEdge
from tests.e2e.page_harness.programme import RTP_ORIGIN, know_the_origin

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium")

know_the_origin()


Story = Callable[[FakeEdge, Tab], Awaitable[None]]
Play = Callable[..., None]
Seen = TypeVar("Seen")


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Plays a story with a fresh edge and a fresh tab; the page must not have complained in its console."""
    browsers = Browsers()

    async def with_edge(story: Story, allow_microphone: bool) -> None:
        edge = FakeEdge()
        await edge.start()
        try:
            async with browsers.tab(allow_microphone) as here:
                here.page.set_default_timeout(15_000)
                await story(edge, here)
                assert here.complaints == []
        finally:
            await edge.stop()

    with asyncio.Runner() as runner:
        yield lambda story, allow_microphone=True: runner.run(with_edge(story, allow_microphone))
        runner.run(browsers.close())


async def call(edge: FakeEdge, here: Tab, query: str = "") -> None:
    """Open the page, press Start, be heard."""
    await here.page.goto(edge.url + query)
    await here.page.click("#start")
    await state(here, "listening")
    await edge.until_type("played")


async def state(here: Tab, wanted: str) -> None:
    await here.page.wait_for_selector(f"html[data-state={wanted}]")


async def failure(here: Tab, wanted: str) -> None:
    await here.page.wait_for_selector(f"html[data-failure='{wanted}']")


async def words(here: Tab) -> list[str]:
    return await here.page.locator("#captions .word").all_inner_texts()


async def at_rest(look: Callable[[], Awaitable[Seen]]) -> Seen:
    """What `look` sees once that has been the same for a second."""
    seen, since = await look(), time.monotonic()
    async with asyncio.timeout(15):
        while time.monotonic() - since < 1:
            await asyncio.sleep(0.05)
            if (now := await look()) != seen:
                seen, since = now, time.monotonic()
    return seen


async def lines(here: Tab) -> list[str]:
    return await here.page.locator("#dialogue .line").all_inner_texts()


def of(edge: FakeEdge, kind: str) -> list[dict[str, Any]]:
    return [message for message in edge.received if message["type"] == kind]


def test_a_call_says_hello_offers_and_acknowledges_what_is_played(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here, "?persona=host")
        assert [m["type"] for m in edge.received[:2]] == ["hello", "offer"]
        hello, offer = edge.received[:2]
        expected = {"persona": "host", "mode": "voice", "session": "", "token": "", "mouth": False, "language": ""}
        expected["remembers"] = False
        assert hello == {"type": "hello", **expected}
        audio, video = re.findall(r"m=(\w+) \d+ \S+ ([\d ]+)", offer["sdp"])
        assert (audio[0], video[0]) == ("audio", "video")
        assert "a=sendrecv" in offer["sdp"].split("m=video")[0]
        assert "a=recvonly" in offer["sdp"].split("m=video")[1]
        first_codec = video[1].split()[0]
        fmtp = re.search(rf"a=fmtp:{first_codec} (.*)", offer["sdp"])
        assert fmtp is not None, "the first codec has parameters"
        assert "42e01f" in fmtp[1]
        assert "packetization-mode=1" in fmtp[1]
        await edge.until(lambda _: len(of(edge, "played")) >= 5)
        played = of(edge, "played")
        samples = [(m["rtp"] - RTP_ORIGIN) % 2**32 for m in played]
        assert samples == sorted(samples), "what is heard only goes on"
        assert samples[-1] <= edge.programme.programme_sample, "nothing is heard before it was sent"
        assert await here.page.get_attribute("html", "data-session") == "session-1"
        await here.page.wait_for_selector("#face[data-picture=moving]")

    play(story)


HEAR_AND_SEE = """() => {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 16384 });
  context.createMediaStreamSource(document.querySelector("#avatar").srcObject).connect(analyser);
  const samples = new Float32Array(16384);
  const log = (globalThis.seen = []);
  let loud = false;
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const now = samples.some((sample) => Math.abs(sample) > 0.05);
    if (now && !loud) log.push("beep");
    loud = now;
  }, 10);
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const node of addedNodes)
        if (node.className?.startsWith?.("word")) log.push(node.textContent);
  }).observe(document.querySelector("#captions"), { childList: true, subtree: true });
  return context.resume();
}"""
"""It looks back a third of a second: a page that stands still for less misses no beep."""


def test_captions_follow_the_words_as_they_are_heard(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here)
        await here.page.evaluate(HEAR_AND_SEE)
        await asyncio.sleep(0.3)
        await edge.state("speaking")
        said = "One two three four five six."
        await edge.speak(1, 0, said, samples=36_000)
        await here.page.wait_for_selector("#captions .word[data-index='5']")
        await asyncio.sleep(0.5)
        seen: list[str] = await here.page.evaluate("() => globalThis.seen")
        assert [each for each in seen if each != "beep"] == ["One", "two", "three", "four", "five", "six."]
        assert seen.count("beep") == 6
        for n, word in enumerate(said.split()):
            beeps_before = seen[: seen.index(word)].count("beep")
            assert beeps_before in (n, n + 1), f"{word!r} is shown with its beep: {seen}"
        assert await words(here) == said.split()
        await edge.say({"type": "turn", "turn": 1, "what": "finished", "heard": said})
        await here.page.wait_for_selector("#captions.over")
        assert await lines(here) == [said]

    play(story)


def test_when_the_sound_stalls_the_captions_wait(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here)
        await edge.speak(1, 0, "one two three four five six seven eight", samples=24_000)
        await here.page.wait_for_selector("#captions .word[data-index='2']")
        edge.programme.stalled = True
        shown = await at_rest(lambda: words(here))
        assert len(shown) < 8, "the sound stopped, so must the words"
        edge.programme.stalled = False
        await here.page.wait_for_selector("#captions .word[data-index='7']")

    play(story)


def test_an_interrupted_answer_keeps_what_was_heard_and_strikes_the_rest(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here)
        await edge.say({"type": "user", "text": "Tell me everything"})
        await edge.state("speaking")
        await edge.speak(1, 0, "This is a long and winding story.", samples=12_000)
        await here.page.wait_for_selector("#captions .word[data-index='3']")
        acknowledged = len(of(edge, "played"))
        await edge.state("held")
        await edge.until(lambda _: len(of(edge, "played")) > acknowledged)
        await edge.say({"type": "turn", "turn": 1, "what": "interrupted", "heard": "This is a"})
        await edge.state("listening")
        await here.page.wait_for_selector("#captions .unheard")
        shown = len(await words(here))
        struck = await here.page.locator("#captions .unheard").all_inner_texts()
        assert struck[0] == "long"
        await asyncio.sleep(1.0)
        assert len(await words(here)) == shown, "dropped words never show"
        answer = here.page.locator("#dialogue .line[data-role=avatar]")
        assert await answer.get_attribute("data-interrupted") == "true"
        assert (await answer.inner_text()).startswith("This is a")
        assert "long" not in await answer.inner_text()
        assert await answer.get_attribute("data-passage") == "host.md#1"

    play(story)


HEAR_VOLUME = """() => {
  const video = document.querySelector("#avatar");
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 256 });
  context.createMediaStreamSource(video.srcObject).connect(analyser);
  const samples = new Float32Array(256);
  globalThis.loud = [];
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    if (samples.some((sample) => Math.abs(sample) > 0.05)) loud.push([performance.now(), video.volume]);
  }, 4);
  document.querySelector("#composer").addEventListener("submit", () => (globalThis.typedMs = performance.now()));
  return context.resume();
}"""

SHUT_LONGER = """() => {
  const later = setTimeout;
  globalThis.setTimeout = (work, ms, ...more) => later(work, ms === 500 ? 10_000 : ms, ...more);
}"""
"""However slow the machine, it is the answer's words that open the sound, not the time that has passed (hush.mjs)."""


def test_what_is_typed_over_the_voice_silences_it_and_not_the_beginning_of_its_answer(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await here.page.add_init_script(f"({SHUT_LONGER})()")
        await call(edge, here)
        await here.page.evaluate(HEAR_VOLUME)
        await edge.state("speaking")
        await edge.speak(1, 0, "one two three four five six seven eight " * 4, samples=6_000)
        await here.page.wait_for_selector("#captions .word[data-index='3']")
        await here.page.fill("#text", "And you?")
        await here.page.press("#text", "Enter")
        await edge.until_type("text")
        now = edge.programme.programme_sample
        edge.programme.beeps[:] = [beep for beep in edge.programme.beeps if beep.programme_sample < now]
        await edge.say({"type": "turn", "turn": 1, "what": "interrupted", "heard": "one two three"})
        await asyncio.sleep(0.3)
        await edge.state("speaking")
        await edge.speak(2, 0, "So do I, and so does she.", samples=6_000)
        await here.page.wait_for_selector("#captions .word[data-turn='2'][data-index='6']")
        loud = await here.page.evaluate("() => loud.map(([ms, volume]) => [ms - typedMs, volume])")
        before = [volume for ms, volume in loud if ms < -50]
        assert set(before) == {1}
        # Words follow each other closely: the longest silence is the one between the answers.
        silences = [
            (other[0] - one[0], n) for n, (one, other) in enumerate(itertools.pairwise(loud), 1) if other[0] > 0
        ]
        longest_ms, begins = max(silences)
        assert longest_ms > 60, f"the old answer and the new one run into each other: {loud}"
        old, new = loud[:begins], loud[begins:]
        assert {volume for ms, volume in old if ms > 20} <= {0}, "nothing of the old answer is heard any more"
        assert new[0][0] < 9_000, "this test is about a quick answer"
        # The first word sounds for 100 ms; a page that draws slowly opens the sound a moment late.
        heard = {volume for ms, volume in new if ms > new[0][0] + 50}
        assert heard == {1}, "the new answer is heard from its first word on"

    play(story)


COUNT_MICROPHONES = """() => {
  globalThis.asked = 0;
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => (globalThis.asked++, ask(wanted));
}"""


def test_text_mode_leaves_the_microphone_alone_until_it_is_switched(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await here.page.add_init_script(f"({COUNT_MICROPHONES})()")
        await call(edge, here, "?mode=text")
        assert of(edge, "hello")[0]["mode"] == "text"
        await here.page.fill("#text", "What are you?")
        await here.page.press("#text", "Enter")
        await here.page.fill("#text", "And how fast?")
        await here.page.click("#send")
        await edge.until(lambda _: len(of(edge, "text")) == 2)
        first, second = of(edge, "text")
        assert (first["text"], second["text"]) == ("What are you?", "And how fast?")
        assert first["id"] != second["id"]
        assert await here.page.evaluate("() => globalThis.asked") == 0
        await here.page.click("#mode")
        await edge.until_type("mode")
        await here.page.wait_for_selector("html[data-mode=voice]")
        assert await here.page.evaluate("() => globalThis.asked") == 1
        assert len(of(edge, "offer")) == 1, "a switch is a replaced track, not a negotiation"

    play(story)


def test_the_keyboard_mutes_and_interrupts_but_not_from_the_text_box(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here)
        await here.page.keyboard.press("m")
        assert (await edge.until_type("mute"))["muted"] is True
        assert await here.page.get_attribute("#mute", "aria-pressed") == "true"
        await here.page.fill("#text", "")
        await here.page.locator("#text").press_sequentially("mmm")
        assert len(of(edge, "mute")) == 1
        await edge.state("speaking")
        await state(here, "speaking")
        await here.page.keyboard.press("Escape")
        await edge.until_type("interrupt")
        await here.page.click("#interrupt")
        await edge.until(lambda _: len(of(edge, "interrupt")) == 2)

    play(story)


def test_provisional_words_are_dimmed_until_they_are_accepted(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here)
        await edge.say({"type": "heard", "utterance": 0, "text": "how fast do", "final": False})
        await edge.say({"type": "heard", "utterance": 0, "text": "how fast can you", "final": False})
        await here.page.wait_for_selector("#heard .loose:text-is('can you')")
        assert await here.page.inner_text("#heard") == "how fast can you"
        assert await here.page.get_attribute("#dialogue .line", "data-provisional") == "true"
        await edge.say({"type": "user", "text": "How fast can you answer?"})
        await here.page.wait_for_selector("#dialogue .line[data-provisional=false]")
        assert await lines(here) == ["How fast can you answer?"]
        assert await here.page.inner_text("#heard") == ""

    play(story)


def test_a_step_down_is_told_until_the_way_back_up(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here)
        await edge.say({"type": "degraded", "step": "half_rate", "reason": "pictures come late"})
        await here.page.wait_for_selector("#degraded li", state="attached")
        assert not await here.page.get_attribute("html", "data-failure")
        await edge.say({"type": "degraded", "step": "still", "reason": "no pictures come"})
        await failure(here, "degraded")
        await edge.say({"type": "degraded", "step": "full", "reason": "pictures come in time"})
        await failure(here, "")
        narrow = "your connection loses 14 % of the packets: pictures at 600 kb/s"
        await edge.say({"type": "degraded", "kind": "network", "step": "rate_600", "reason": narrow})
        await failure(here, "narrow")
        assert narrow[1:] in await here.page.inner_text("#degraded li")
        await edge.say({"type": "degraded", "kind": "network", "step": "full", "reason": "it carries more again"})
        await failure(here, "")

    play(story)


def test_an_answer_that_fails_is_told_until_the_next_one_comes(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here, "?mode=text")
        sorry = "I am sorry, I cannot answer that right now."
        await edge.say({"type": "error", "code": "answer_timeout", "text": sorry, "fatal": False})
        await failure(here, "answer_timeout")
        assert sorry in await here.page.inner_text("#notice")
        assert not await here.page.is_visible("#again"), "there is nothing to try"
        await state(here, "listening")
        await edge.say({"type": "sentence", "turn": 3, "n": 0, "text": sorry, "passage": "", "kind": "apology"})
        await edge.say({"type": "turn", "turn": 3, "what": "finished", "heard": sorry})
        await here.page.wait_for_selector("#dialogue .line")
        assert await here.page.get_attribute("html", "data-failure") == "answer_timeout"
        await edge.speak(4, 0, "Now I can.")
        await failure(here, "")

    play(story)


def test_a_call_that_an_operator_ends_is_over_and_has_not_failed(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here)
        why = "An operator of this server has closed it."
        await edge.say({"type": "error", "code": "ended", "text": why, "fatal": True})
        await failure(here, "ended")
        assert why in await here.page.inner_text("#notice")
        assert await here.page.inner_text("#state") == "The call is over"
        await here.page.click("#again:text-is('Start a new one')")
        await state(here, "listening")
        assert of(edge, "hello")[-1]["session"] == ""

    play(story)


def test_a_conversation_that_was_not_kept_stays_on_the_page_and_is_missed(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here)
        await edge.say({"type": "user", "text": "How fast are you?"})
        await edge.speak(1, 0, "Rather fast.")
        await edge.say({"type": "turn", "turn": 1, "what": "finished", "heard": "Rather fast."})
        await here.page.wait_for_selector("#captions.over")
        await edge.stop()
        await failure(here, "lost")
        await here.page.fill("#text", "Are you still there?")
        await here.page.press("#text", "Enter")
        edge.keeps = False
        await edge.start()
        await here.page.wait_for_selector("#dialogue .line[data-role=note]")
        await state(here, "listening")
        await edge.until_type("played")
        await edge.speak(1, 0, "Welcome.")
        await here.page.wait_for_selector("#dialogue .line:nth-child(4)")
        note = "The earlier conversation could not be kept. A new one begins here."
        assert await lines(here) == ["How fast are you?", "Rather fast.", note, "Welcome."]
        assert not of(edge, "text"), "what was typed for the other one is not asked by itself"
        assert await here.page.input_value("#text") == "Are you still there?"

    play(story)


def test_a_killed_edge_is_found_again_with_the_session_and_its_dialogue(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here)
        await edge.stop()
        await state(here, "connecting")
        await here.page.fill("#text", "Are you still there?")
        await here.page.press("#text", "Enter")
        edge.received.clear()
        edge.dialogue = [{"role": "user", "text": "Hello", "interrupted": False}]
        await edge.start()
        hello = await edge.until_type("hello")
        assert (hello["session"], hello["token"]) == ("session-1", "secret-1")
        assert (await edge.until_type("text"))["text"] == "Are you still there?"
        await state(here, "listening")
        await edge.until_type("played")
        assert await lines(here) == ["Hello"]
        assert await here.page.get_attribute("html", "data-failure") == ""

    play(story)


def test_what_was_spoken_while_there_was_no_edge_is_sent_to_the_next_one(play: Play) -> None:
    """Chromium's own fake microphone beeps."""

    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here)
        await asyncio.sleep(2)
        await edge.say({"type": "speech", "what": "started", "utterance": 4, "ago_ms": 300})
        await edge.stop()
        await state(here, "connecting")
        await asyncio.sleep(1)
        edge.received.clear()
        edge.again = {"utterance": 4}
        await edge.start()
        assert (await edge.until_type("hello"))["remembers"] is True
        begins = await edge.until(lambda m: m["type"] == "again" and m["what"] == "begins")
        await edge.until(lambda m: m["type"] == "again" and m["what"] == "level")
        assert 2_000 < begins["age_ms"] < 20_000, "from before the utterance, through the time without an edge"
        assert len(edge.sound) / 32 > begins["age_ms"] / 2, "most of it at once"
        async with asyncio.timeout(10):
            while len(edge.sound) / 32 < begins["age_ms"]:
                await asyncio.sleep(0.05)
        pcm = np.frombuffer(bytes(edge.sound), "<i2").astype(float)
        pcm = pcm[: len(pcm) // 320 * 320]
        loud = np.abs(pcm).reshape(-1, 320).max(axis=1) > 1_000
        assert np.count_nonzero(np.diff(loud.astype(int)) == 1) >= 2, "the beeps are in it"
        before = len(edge.sound)
        async with asyncio.timeout(10):  # it goes on with the present
            while len(edge.sound) == before:
                await asyncio.sleep(0.05)
        await edge.say({"type": "microphone", "live": True})

        async def sound() -> int:
            return len(edge.sound)

        await at_rest(sound)  # until the edge hears by itself
        await state(here, "listening")

    play(story)


def test_a_reloaded_page_takes_its_conversation_up_by_itself(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here, "?persona=campus")
        edge.received.clear()
        await here.page.reload()
        hello = await edge.until_type("hello")
        assert (hello["persona"], hello["session"], hello["token"]) == ("campus", "session-1", "secret-1")
        await state(here, "listening")
        if await here.page.is_visible("#unlock"):
            await here.page.click("#unlock")
        await edge.until_type("played")

    play(story)


@pytest.mark.parametrize("told_by", ["the other tab", "the edge"])
def test_a_duplicated_tab_takes_the_call_and_the_old_one_steps_back(play: Play, told_by: str) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        if told_by == "the edge":
            await here.page.add_init_script("delete globalThis.BroadcastChannel")
        await call(edge, here)
        kept = await here.page.evaluate("() => sessionStorage.getItem('visavis.call')")
        second = await here.context.new_page()
        await second.goto(edge.url)
        await second.evaluate("(kept) => sessionStorage.setItem('visavis.call', kept)", kept)
        await second.reload()
        await failure(here, "elsewhere")
        await state(here, "error")
        await asyncio.sleep(0.5)
        assert edge.hellos == 2, "the two must not fight for the session"
        assert await here.page.inner_text("#state") == "The call is over"
        assert await here.page.evaluate("() => sessionStorage.getItem('visavis.call')") is None
        await here.page.click("#again")
        await edge.until(lambda _: edge.hellos == 3)
        assert of(edge, "hello")[-1]["session"] == "", "another conversation, not this one again"

    play(story)


def test_stop_says_goodbye_and_a_reload_begins_nothing(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here)
        await here.page.click("#stop")
        await edge.until_type("bye")
        await state(here, "idle")
        await here.page.reload()
        await here.page.wait_for_selector(".persona")
        assert edge.hellos == 1
        await state(here, "idle")

    play(story)


def test_a_refused_microphone_is_explained_and_the_call_goes_on_in_writing(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await here.page.goto(edge.url)
        await here.page.click("#start")
        await failure(here, "mic_denied")
        assert "microphone" in await here.page.inner_text("#notice")
        await state(here, "listening")
        await here.page.wait_for_selector("html[data-mode=text]")
        assert (await edge.until_type("mode"))["mode"] == "text"
        await edge.until_type("played")
        for width, height in ((1280, 800), (960, 700), (390, 844), (375, 600), (844, 390)):
            await here.page.set_viewport_size({"width": width, "height": height})
            said, face, typing = [
                await here.page.locator(where).bounding_box() for where in ("#notice", "#face .picture", ".composer")
            ]
            assert said is not None
            assert face is not None
            assert typing is not None
            assert not overlap(said, face), "the face is seen"
            assert not overlap(said, typing), "one can type in the meantime"
            assert said["x"] >= 0
            assert said["x"] + said["width"] <= width

    play(story, allow_microphone=False)


def overlap(one: FloatRect, other: FloatRect) -> bool:
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in (("x", "width"), ("y", "height"))
    )


def test_a_long_word_leaves_the_waterfall_its_times(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await here.page.goto(edge.url)
        await here.page.click("#start")
        await state(here, "listening")
        await edge.say({"type": "turn", "turn": 1, "what": "started", "text": "x" * 300})
        steps = [{"name": "first_sentence", "from_ms": 0, "ms": 12}, {"name": "first_pcm", "from_ms": 12, "ms": 30}]
        await edge.say({"type": "latency", "turn": 1, "total_ms": 42, "steps": steps})
        await here.page.click("#timing-tab")
        await here.page.wait_for_selector("#waterfall .turn")
        panel = await here.page.locator("#timing-panel").bounding_box()
        total = await here.page.locator("#waterfall .turn header strong").bounding_box()
        assert panel
        assert total
        assert total["x"] + total["width"] <= panel["x"] + panel["width"]

    play(story)


def test_a_server_that_is_not_ready_is_waited_for(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        edge.refuse = {"code": "not_ready", "text": "tts is missing", "fatal": True}
        await here.page.goto(edge.url)
        await here.page.click("#start")
        await failure(here, "not_ready")
        assert "tts is missing" in await here.page.inner_text("#notice")
        await state(here, "connecting")
        edge.refuse = None
        await state(here, "listening")
        assert not await here.page.is_visible("#notice")

    play(story)


@pytest.mark.parametrize("code", ["capacity", "insecure", "server"])
def test_a_refusal_is_told_in_a_sentence(play: Play, code: str) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        edge.refuse = {"code": code, "text": "No.", "fatal": True}
        await here.page.goto(edge.url)
        await here.page.click("#start")
        await failure(here, code)
        await state(here, "error")
        assert len(await here.page.inner_text("#notice")) > 40
        edge.refuse = None
        await here.page.click("#stop")
        await state(here, "idle")

    play(story)


def test_the_page_says_by_which_path_sound_and_pictures_come(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here)
        await here.page.wait_for_selector("html[data-path=direct]")
        assert await here.page.text_content("#path") == "Direct: nothing stands between you and the server."

    play(story)


def test_where_no_path_is_found_the_page_says_what_blocks_it(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        edge.answer_offers = False
        await here.page.goto(edge.url)
        await here.page.click("#start")
        await here.page.wait_for_selector("html[data-failure=ice]", timeout=40_000)
        await here.page.get_by_text("Blocked: your network blocks UDP, and it has no relay.").wait_for()
        assert await here.page.text_content("#path") == "", "there is none to describe"
        edge.answer_offers = True
        await here.page.click("#again")
        await state(here, "listening")
        again = of(edge, "hello")[-1]
        assert (again["session"], again["token"]) == ("session-1", "secret-1"), (
            "the same conversation, in the same seat"
        )

    play(story)


def test_an_unknown_persona_brings_the_choice_back(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        edge.refuse = {"code": "persona", "text": "No.", "fatal": True}
        await here.page.goto(edge.url + "?persona=nobody")
        await failure(here, "persona")
        await here.page.click("#start")
        await state(here, "error")
        assert await here.page.is_visible("#personas")
        edge.refuse = None
        await here.page.click("[data-persona=helpdesk]")
        await here.page.click("#start")
        await state(here, "listening")
        assert of(edge, "hello")[-1]["persona"] == "helpdesk"

    play(story)


def test_the_people_are_asked_for_until_the_server_is_there(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        edge.lists_personas = False
        await here.page.goto(edge.url)
        await failure(here, "unreachable")
        edge.lists_personas = True
        await here.page.wait_for_selector(".persona")
        await failure(here, "")

    play(story)


def test_without_backdrops_the_server_is_still_there(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await here.page.route("**/backdrops", lambda route: route.abort())
        await here.page.goto(edge.url)
        await here.page.wait_for_selector(".persona")
        await here.page.wait_for_timeout(300)
        assert not await here.page.get_attribute("html", "data-failure")

    play(story)


def test_the_microphone_tried_in_the_lobby_is_the_calls_and_can_be_tried_again_after_it(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await here.page.add_init_script(f"({COUNT_MICROPHONES})()")
        await here.page.goto(edge.url)
        for calls in (1, 2):
            await here.page.click("#microphone-test")
            await here.page.wait_for_selector("#lobby-microphone", state="visible")
            assert not await here.page.is_visible("#microphone-test")
            await here.page.click("#start")
            await state(here, "listening")
            assert await here.page.evaluate("() => globalThis.asked") == calls, "it is not asked for twice"
            await here.page.click("#stop")
            assert not await here.page.is_visible("#lobby-microphone")

    play(story)


ASK_FOR_THE_MICROPHONE_LONG = """() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const answered = new Promise((allow) => (globalThis.allow = allow));
  navigator.mediaDevices.getUserMedia = async (wanted) => (await answered, ask(wanted));
}"""


def test_nobody_is_said_to_listen_before_the_microphone_is_allowed(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await here.page.add_init_script(f"({ASK_FOR_THE_MICROPHONE_LONG})()")
        await here.page.goto(edge.url)
        await here.page.click("#start")
        await state(here, "listening")
        assert await here.page.inner_text("#state") == "Waiting for your microphone"
        await here.page.evaluate("() => globalThis.allow()")
        await here.page.wait_for_selector("#state:text-is('Listening')")

    play(story)


def test_the_keyboards_focus_goes_along_into_the_call_and_out_of_it(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await here.page.goto(edge.url)
        await here.page.wait_for_selector(".persona")
        await here.page.focus("#start")
        await here.page.keyboard.press("Enter")
        await state(here, "listening")
        focused = "() => document.activeElement.id"
        assert await here.page.evaluate(focused) == "call", "not a text box, which opens a phone's keyboard"
        await here.page.keyboard.press("Tab")
        assert await here.page.evaluate("() => !!document.activeElement.closest('#call .dock')")
        await here.page.focus("#stop")
        await here.page.keyboard.press("Enter")
        await state(here, "idle")
        assert await here.page.evaluate(focused) == "start"

    play(story)


WATCH_LINES = """() => {
  globalThis.touched = new Set();
  const line = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest(".line")?.textContent;
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes)
      for (const node of [target, ...addedNodes]) if (line(node)) touched.add(line(node).slice(0, 8));
  }).observe(document.querySelector("#dialogue"),
    { childList: true, subtree: true, attributes: true, characterData: true });
}"""


def test_a_spoken_word_touches_no_line_but_its_own(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        edge.dialogue = [{"role": "avatar" if n % 2 else "user", "text": f"Line {n:03d}"} for n in range(300)]
        await call(edge, here)
        await here.page.wait_for_selector("#dialogue .line:nth-child(300)")
        await here.page.evaluate(WATCH_LINES)
        await edge.speak(1, 0, "And the next one goes on.", samples=6_000)
        await here.page.wait_for_selector("#captions .word[data-index='5']")
        touched: list[str] = await here.page.evaluate("() => [...touched]")
        assert touched
        assert not [text for text in touched if text.startswith("Line")]

    play(story)


def test_on_a_phone_on_its_side_the_people_and_the_timing_are_within_reach(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await here.page.set_viewport_size({"width": 844, "height": 390})
        await here.page.goto(edge.url)
        card = await here.page.locator("#personas .card").first.bounding_box()
        launch = await here.page.locator(".launch").bounding_box()
        assert card
        assert launch
        assert card["height"] > 100
        assert not overlap(card, launch)
        await call(edge, here)
        steps = [{"name": "first_sentence", "from_ms": 0, "ms": 12}, {"name": "first_pcm", "from_ms": 12, "ms": 30}]
        await edge.say({"type": "latency", "turn": 1, "total_ms": 42, "steps": steps})
        await here.page.click("#timing-tab")
        panel = await here.page.locator("#timing-panel").bounding_box()
        typing = await here.page.locator(".composer").bounding_box()
        assert panel
        assert typing
        assert panel["height"] > 100
        assert not overlap(panel, typing)
        await here.page.wait_for_selector("#waterfall .turn", state="visible")

    play(story)


def test_a_link_to_an_unknown_place_shows_what_is_wrong_before_start(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await here.page.goto(edge.url + "?persona=nobody")
        await failure(here, "persona")
        await state(here, "idle")

    play(story)


def test_rubbish_from_the_edge_breaks_nothing(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here)
        for message in (
            {"type": "words", "words": [[1, 0, 0, "x"]]},
            {"type": "words"},
            {"type": "heard"},
            {"type": "turn", "turn": 9, "what": "finished"},
            {"type": "latency", "turn": 1, "total_ms": 1, "steps": []},
            {"type": "candidate", "candidate": {"candidate": "nonsense", "sdpMid": "0", "sdpMLineIndex": 0}},
            {"type": "a message of tomorrow"},
        ):
            await edge.say(message)
        await edge.state("thinking")
        await state(here, "thinking")
        await edge.speak(10, 0, "Still here.")
        await here.page.wait_for_selector("#captions .word[data-index='1']")

    play(story)


def test_one_goes_on_with_somebody_else_in_the_middle_of_the_call(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here, "?persona=host")
        await here.page.click("#people")
        await here.page.click("#people-list label[data-persona=campus]")
        await edge.until_type("switch")
        assert of(edge, "switch") == [{"type": "switch", "persona": "campus"}]
        assert await here.page.get_attribute("#people-menu", "aria-busy") == "true"
        noor = next(persona for persona in PERSONAS if persona["id"] == "campus")
        await edge.say({"type": "switched", "persona": noor, "language": "en"})
        await here.page.wait_for_selector("#people-menu", state="hidden")
        assert await here.page.inner_text("#with") == "Noor Haddad"
        assert (await lines(here))[-1] == "Noor Haddad goes on with you"
        assert await here.page.locator("#suggestions button").all_inner_texts() == ["Where is the library?"]
        assert len(of(edge, "hello")) == len(of(edge, "offer")) == 1, "the call goes on"
        await here.page.click("#people")
        assert await here.page.is_checked("#people-list input[value=campus]")
        await here.page.select_option("#call-language", "es")
        await edge.until(lambda _: len(of(edge, "switch")) == 2)
        assert of(edge, "switch")[1] == {"type": "switch", "language": "es"}
        await here.page.keyboard.press("Escape")
        await here.page.click("#stop")
        assert await here.page.is_checked("#personas input[value=campus]"), "the next call begins with them"

    play(story)


def test_a_switch_that_cannot_be_is_said_and_undone(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here, "?persona=host")
        await here.page.click("#people")
        await here.page.click("#people-list label[data-persona=helpdesk]")
        await edge.until_type("switch")
        text = "There is no persona 'helpdesk'. Known personas: host."
        await edge.say({"type": "error", "code": "switch", "text": text, "fatal": False})
        await failure(here, "switch")
        assert text in await here.page.inner_text("#notice")
        assert await here.page.is_checked("#people-list input[value=host]")
        assert await here.page.get_attribute("#people-menu", "aria-busy") is None
        await state(here, "listening")

    play(story)


def test_the_head_keeps_still_when_one_wants_it_to(play: Play) -> None:
    async def story(edge: FakeEdge, here: Tab) -> None:
        await call(edge, here, "?persona=host")
        await here.page.click("#people")
        for _ in range(2):
            await here.page.click("label:has(#still)")
        await edge.until(lambda _: len(of(edge, "act")) == 2)
        assert [act["motion"] for act in of(edge, "act")] == [0, 1]

    play(story)
