"""What was heard: segments, word times and acknowledgements to exactly the words that reached the ear."""

from __future__ import annotations

from dataclasses import replace

from broker.dialogue import Hearing, text_of
from broker.ledger import Answer
from broker.messages import Emitted, Exchange, Sentence, Word

WORD = 9600


def segment(start: int, samples: int, at: int, words: tuple[Word, ...] = (), last: bool = False) -> Emitted:
    return Emitted(turn=1, sentence=0, start_sample=start, programme_sample=at, samples=samples, words=words, last=last)


def word(index: int, text: str, start: int) -> Word:
    return Word(index=index, text=text, start_sample=start, end_sample=start + WORD)


def test_a_word_is_heard_when_its_last_sample_was_played() -> None:
    hearing = Hearing().emitted(segment(0, WORD, 5000, (word(0, "we", 0),)))
    assert hearing.heard(5000 + WORD - 1) == ()
    assert [each.text for each in hearing.heard(5000 + WORD)] == ["we"]


def test_a_word_that_has_only_begun_is_not_heard() -> None:
    hearing = Hearing().emitted(segment(0, WORD // 2, 0, (word(0, "we", 0),)))
    assert hearing.begun == 1
    assert hearing.heard(10**9) == ()


def test_an_underrun_in_mid_word_moves_its_end() -> None:
    hearing = Hearing().emitted(segment(0, 960, 0, (word(0, "we", 0),))).emitted(segment(960, WORD - 960, 50_000))
    assert hearing.words[0].end_sample == 50_000 + WORD - 960


def test_a_word_cut_by_a_hold_counts_once_when_it_is_said_again() -> None:
    hearing = Hearing().emitted(segment(0, 960, 0, (word(0, "we", 0),)))
    hearing = hearing.emitted(segment(0, WORD, 20_000, (word(0, "we", 0),)))
    hearing = hearing.emitted(segment(WORD, WORD, 20_000 + WORD, (word(1, "open", WORD),), last=True))
    assert [each.text for each in hearing.words] == ["we", "open"]
    assert hearing.begun == 2
    assert hearing.ended == (0,)


def test_a_replay_counts_samples_anew_and_keeps_word_numbers() -> None:
    hearing = Hearing().emitted(segment(0, WORD + 960, 0, (word(0, "we", 0), word(1, "open", WORD))))
    assert hearing.next_word(0) == 1
    hearing = hearing.emitted(segment(0, WORD, 90_000, (word(1, "open", 0),), last=True))
    assert [(each.index, each.text, each.end_sample) for each in hearing.words] == [
        (0, "we", WORD),
        (1, "open", 90_000 + WORD),
    ]


def test_segments_told_again_fill_the_hole_that_a_crash_left_and_change_nothing_else() -> None:
    told = [
        segment(at, 960, 50_000 + at, tuple(word(n, text, n * WORD) for n, text in enumerate("abcd") if n * WORD == at))
        for at in range(0, 4 * WORD, 960)
    ]
    whole = Hearing()
    for each in told:
        whole = whole.emitted(each)
    again = whole
    for each in told[7:]:
        again = again.emitted(each)
    assert again == whole
    torn = Hearing()
    for each in told[:8] + told[22:]:
        torn = torn.emitted(each)
    assert [each.text for each in torn.words] == ["d"]
    for each in told:
        torn = torn.emitted(each)
    assert torn == whole


def test_only_what_was_heard_is_left_of_a_hearing() -> None:
    hearing = Hearing()
    for index, text in enumerate(("we", "open", "at")):
        hearing = hearing.emitted(
            segment(index * WORD, WORD, index * WORD, (word(index, text, index * WORD),), index == 2)
        )
    rest = hearing.only_heard(2 * WORD)
    assert [each.text for each in rest.words] == ["we", "open"]
    assert rest.next_word(0) == 2
    assert rest.ended == ()


def test_the_text_heard_keeps_the_punctuation_of_the_sentence() -> None:
    hearing = Hearing()
    texts = ("Well", "yes", "at", "9")
    for index, text in enumerate(texts):
        hearing = hearing.emitted(segment(index * WORD, WORD, index * WORD, (word(index, text, index * WORD),)))
    assert text_of([(0, "Well, yes: at 9 a.m.")], hearing.words) == "Well, yes: at 9"
    assert text_of([(0, "Something else")], hearing.words) == "Well yes at 9"


def test_an_answer_heard_in_part_is_marked_interrupted_and_keeps_its_passage() -> None:
    answer = Answer(turn=1, kind="answer")
    for n, text in enumerate(("We open.", "We close.")):
        sentence = Sentence(turn=1, n=n, text=text, language="en", last=n == 1, passage=f"hours#{n}")
        answer = answer.with_sentence(sentence, 0)
    assert answer.line(10**9) is None
    hearing = Hearing().emitted(segment(0, WORD, 0, (word(0, "We", 0),)))
    hearing = hearing.emitted(segment(WORD, WORD, WORD, (word(1, "open", WORD),), last=True))
    answer = Answer(turn=1, kind="answer", said=answer.said, complete=True, hearing=hearing)
    assert answer.line(10**9) == Exchange(role="avatar", text="We open.", passage="hours#0", interrupted=True)
    assert answer.line(WORD) == Exchange(role="avatar", text="We", passage="hours#0", interrupted=True)


def test_a_sentence_that_comes_twice_is_kept_once_and_an_empty_one_only_ends_the_turn() -> None:
    answer = Answer(turn=1, kind="answer")
    for text, last in (("We open.", False), ("We open again?", False), ("", True)):
        n = 0 if text else 1
        answer = answer.with_sentence(Sentence(turn=1, n=n, text=text, language="en", last=last), 0)
    assert [said.text for said in answer.said] == ["We open."]
    assert answer.complete


def resumed(segment_: Emitted, heard_sample: int) -> Emitted:
    return replace(segment_, resumed_from=heard_sample)


def two_words_sent() -> Hearing:
    """Two words and a half have left, from 1000 on."""
    words = (word(0, "we", 0), word(1, "open", WORD), word(2, "at", 2 * WORD))
    return Hearing().emitted(segment(0, 2 * WORD + 960, 1000, words))


def test_a_word_that_left_and_was_not_played_at_the_hold_counts_only_when_it_is_said_again() -> None:
    heard_sample = 1000 + WORD + 10
    hearing = two_words_sent().resumed(heard_sample)
    assert [each.text for each in hearing.heard(10**9)] == ["we"]
    again = segment(WORD, WORD, 90_000, (word(1, "open", WORD),))
    hearing = hearing.emitted(resumed(again, heard_sample))
    assert [each.text for each in hearing.heard(90_000 + WORD)] == ["we", "open"]
    assert [each.text for each in hearing.heard(90_000 + WORD - 1)] == ["we"]


def test_news_of_what_left_before_a_hold_that_comes_after_its_end_is_of_words_nobody_heard() -> None:
    heard_sample = 1000 + 2 * WORD + 960 + 10
    hearing = two_words_sent().resumed(heard_sample)
    late = segment(2 * WORD + 960, WORD - 960, 1000 + 2 * WORD + 960, last=True)
    hearing = hearing.emitted(late)
    assert [each.text for each in hearing.heard(10**9)] == ["we", "open"]
    assert hearing.ended == ()
    assert hearing.end_sample == heard_sample


def test_what_left_before_a_hold_and_was_heard_counts_even_if_its_news_comes_late() -> None:
    heard_sample = 1000 + 3 * WORD
    hearing = two_words_sent().resumed(heard_sample)
    hearing = hearing.emitted(segment(2 * WORD + 960, WORD - 960, 1000 + 2 * WORD + 960, last=True))
    assert [each.text for each in hearing.heard(heard_sample)] == ["we", "open", "at"]
    assert hearing.ended == (0,)
