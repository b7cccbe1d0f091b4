"""Words to captions."""

from __future__ import annotations

import itertools

from workers.production.captions import LONGEST, Said, cues, webvtt


def said(text: str, sentence: int = 0, start: int = 0) -> list[Said]:
    return [
        Said(sentence=sentence, text=word, start_sample=start + 12_000 * n, end_sample=start + 12_000 * n + 11_000)
        for n, word in enumerate(text.split())
    ]


def test_nothing_said_has_no_captions() -> None:
    assert cues([]) == []
    assert webvtt([]) == "WEBVTT\n"


def test_a_sentence_is_a_caption_and_a_long_one_several() -> None:
    words = said("Short.") + said(
        "This one is so long that nobody could read it in a single caption, not at all.", 1, 24_000
    )
    found = cues(words)
    assert found[0].text == "Short."
    assert len(found) == 3
    assert all(len(cue.text) <= LONGEST for cue in found)
    assert " ".join(cue.text for cue in found) == " ".join(word.text for word in words)


def test_captions_do_not_overlap() -> None:
    found = cues(said("One.") + said("Two.", 1, 12_000) + said("Three.", 2, 96_000))
    assert all(a.end_sample <= b.start_sample for a, b in itertools.pairwise(found))


def test_chinese_has_no_spaces() -> None:
    assert cues(said("你 好， 世 界。"))[0].text == "你好，世界。"


def test_webvtt_escapes_what_would_be_markup() -> None:
    text = webvtt(cues(said("a<b> & c", start=48_000 * 3600)))
    assert "01:00:00.000 --> 01:00:01.229\na&lt;b&gt; &amp; c" in text
