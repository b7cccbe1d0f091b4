"""The contract every speech engine keeps, run over all that are installed, through the code that uses them."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from broker.errors import MissingError
from broker.visemes import MOUTH_FRAME_SAMPLES, VISEMES
from tests.tts.voiced import SPEAKERS, TEXTS, VOICES, Spoken, level_db, spans, speak
from workers.tts.engine import Engine, UnknownLanguage
from workers.tts.loudness import integrated_lufs
from workers.tts.text import spoken
from workers.tts.words import split_words

PP = VISEMES.index("PP")
OPEN = [VISEMES.index(name) for name in ("aa", "E", "O")]

every_speaker = pytest.mark.parametrize(("engine", "voice", "language"), SPEAKERS)
every_engine = pytest.mark.parametrize("name", ["flite", "espeak"])


@cache
def said(engine: str, voice: str, language: str) -> list[tuple[str, Spoken]]:
    return [(text, speak(text, language, engine, voice)) for text in TEXTS[language]]


def loaded(name: str) -> Engine:
    try:
        return VOICES.load(name)
    except MissingError as exc:
        pytest.skip(str(exc))


@every_speaker
def test_every_written_word_is_reported_once_in_order(engine: str, voice: str, language: str) -> None:
    for text, speech in said(engine, voice, language):
        assert [word.text for word in speech.words] == split_words(text)
        assert [word.index for word in speech.words] == list(range(len(speech.words)))


@every_speaker
def test_words_cover_what_is_heard_without_overlap(engine: str, voice: str, language: str) -> None:
    for _, speech in said(engine, voice, language):
        heard = spans(speech.words)
        assert all(start < end for start, end in heard)
        assert all(before[1] <= after[0] for before, after in pairwise(heard))
        phones = speech.phones
        assert heard[0][0] == phones[0].start_sample
        assert heard[-1][1] == phones[-1].end_sample


@every_speaker
def test_phones_follow_each_other_inside_the_sound(engine: str, voice: str, language: str) -> None:
    for _, speech in said(engine, voice, language):
        times = spans(speech.phones)
        assert all(start < end for start, end in times)
        assert all(before[1] <= after[0] for before, after in pairwise(times))
        assert times[0][0] >= 0
        assert times[-1][1] <= len(speech.pcm)
        assert {phone.viseme for phone in speech.phones} <= set(VISEMES) - {"sil"}


@every_speaker
def test_silence_before_the_first_sound_is_trimmed(engine: str, voice: str, language: str) -> None:
    for _, speech in said(engine, voice, language):
        assert speech.phones[0].start_sample == 960
        assert level_db(speech.pcm[:4800]) > -55  # something is heard within the first 100 ms


@every_speaker
def test_a_sentence_ends_with_a_short_silence(engine: str, voice: str, language: str) -> None:
    for _, speech in said(engine, voice, language):
        rest_s = (len(speech.pcm) - speech.phones[-1].end_sample) / 48_000
        assert 0.1 <= rest_s <= 0.3
        assert level_db(speech.pcm[-2400:]) < -80


@every_speaker
def test_phones_are_where_the_sound_is(engine: str, voice: str, language: str) -> None:
    for _, speech in said(engine, voice, language):
        vowels = [phone for phone in speech.phones if phone.viseme in ("aa", "E", "O")]
        loud = [level_db(speech.pcm[phone.start_sample : phone.end_sample]) for phone in vowels]
        assert np.median(loud) > -30


@every_speaker
def test_the_mouth_track_is_one_frame_for_each_480_samples(engine: str, voice: str, language: str) -> None:
    for _, speech in said(engine, voice, language):
        assert len(speech.mouth) * MOUTH_FRAME_SAMPLES == len(speech.pcm)
        for piece in speech.pieces:
            assert piece.start_sample % MOUTH_FRAME_SAMPLES == 0


@every_speaker
def test_the_lips_are_closed_in_the_middle_of_p_b_and_m(engine: str, voice: str, language: str) -> None:
    closed, open_in_closure, total = 0, 0, 0
    for _, speech in said(engine, voice, language):
        for phone in speech.phones:
            if phone.viseme == "PP":
                frame = speech.mouth[(phone.start_sample + phone.end_sample) // 2 // MOUTH_FRAME_SAMPLES]
                total += 1
                closed += bool(frame[PP] >= 0.9 * 255)
                open_in_closure += bool(frame[OPEN].sum() > 0.1 * 255)
    assert total >= 4
    assert closed >= 0.9 * total
    assert open_in_closure <= 0.1 * total


@every_speaker
def test_pictures_at_25_a_second_catch_the_closed_lips(engine: str, voice: str, language: str) -> None:
    for phase in range(4):
        shown, total = 0, 0
        for _, speech in said(engine, voice, language):
            for phone in speech.phones:
                if phone.viseme == "PP":
                    first = phone.start_sample // MOUTH_FRAME_SAMPLES - 4
                    last = phone.end_sample // MOUTH_FRAME_SAMPLES + 4
                    frames = [k for k in range(max(first, 0), last) if k % 4 == phase and k < len(speech.mouth)]
                    total += 1
                    shown += any(speech.mouth[k][PP] >= 0.85 * 255 for k in frames)
        assert shown >= 0.9 * total


@every_speaker
def test_the_mouth_opens_for_vowels_and_closes_at_the_end(engine: str, voice: str, language: str) -> None:
    for _, speech in said(engine, voice, language):
        assert speech.mouth[:, OPEN].sum(axis=1).max() > 0.5 * 255
        ended = speech.phones[-1].end_sample // MOUTH_FRAME_SAMPLES + 9
        assert (speech.mouth[ended:, 0] >= 250).all()


@every_speaker
def test_the_mouth_is_still_between_sentences_of_one_text(engine: str, voice: str, language: str) -> None:
    text = " ".join(TEXTS[language][:2])
    speech = speak(text, language, engine, voice)
    gaps = [
        (before.end_sample, after.start_sample)
        for before, after in pairwise(speech.phones)
        if after.start_sample - before.end_sample > 0.25 * 48_000
    ]
    assert gaps
    for start, end in gaps:
        middle = speech.mouth[(start + 4800) // 480 : (end - 5280) // 480]
        assert (middle[:, 0] > 0.8 * 255).all()


def test_all_voices_are_equally_loud() -> None:
    loudness = {}
    for engine, voice, language in SPEAKERS:
        pcm = np.concatenate([speech.pcm for _, speech in said(engine, voice, language)])
        loudness[engine, voice] = integrated_lufs(pcm.astype(np.float32))
        assert np.abs(pcm).max() <= 0.9
    # Each gain is estimated from one sentence; flite's noise alone moves these figures by some 0.1.
    assert max(loudness.values()) - min(loudness.values()) <= 2.5, loudness


@every_engine
def test_a_slower_rate_takes_longer_and_keeps_every_word(name: str) -> None:
    loaded(name)
    normal = speak("The people here are very kind.", "en", name)
    slow = speak("The people here are very kind.", "en", name, rate=0.7)
    assert len(slow.pcm) > 1.2 * len(normal.pcm)
    assert [word.text for word in slow.words] == [word.text for word in normal.words]


@every_engine
def test_letters_are_named_and_the_article_is_not(name: str) -> None:
    loaded(name)
    named = speak("Plan A and plan B.", "en", name)
    article = speak("A plan and a plan be.", "en", name)
    first = next(phone.phone for phone in named.phones if phone.start_sample >= named.words[1].start_sample)
    opening = article.phones[0].phone
    assert first.strip("ˈˌ") in ("ey", "eɪ")
    assert opening.strip("ˈˌ") in ("ax", "ah", "ɐ", "ə", "ey", "eɪ")


@every_engine
def test_a_language_it_does_not_speak_is_an_error(name: str) -> None:
    engine = loaded(name)
    assert engine.voices("tlh-x-none") == ()
    with pytest.raises(UnknownLanguage):
        engine.start(tuple(spoken("Hello.", "en")), "tlh-x-none", "slt", 1.0)


@every_engine
def test_the_same_text_gets_the_same_times_within_a_picture(name: str) -> None:
    loaded(name)
    once, again = speak(TEXTS["en"][1], "en", name), speak(TEXTS["en"][1], "en", name)
    assert np.abs(np.subtract(spans(once.words), spans(again.words))).max() <= 960
    assert np.abs(np.subtract(spans(once.phones), spans(again.phones))).max() <= 960


def test_speaking_from_a_word_starts_there_with_its_own_index() -> None:
    text = TEXTS["en"][1]
    whole, rest = speak(text), speak(text, from_word=6)
    assert [word.index for word in rest.words] == list(range(6, len(split_words(text))))
    assert rest.words[0].text == whole.words[6].text
    assert rest.words[0].start_sample == 960


def test_espeak_speaks_languages_of_every_script() -> None:
    loaded("espeak")
    for language, text in {
        "fr": "Bonjour, comment allez-vous ?",
        "de": "Guten Tag, schön Sie zu sehen.",
        "ru": "Привет, как дела?",
        "ja": "こんにちは。",
        "ar": "مرحبا بكم",
        "hi": "नमस्ते",
        "pt-BR": "Olá, tudo bem?",
    }.items():
        speech = speak(text, language)
        assert level_db(speech.pcm) > -40, language
        assert [word.text for word in speech.words] == split_words(text)


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("de", "50 % der Leute zahlen 5 €.", ("pɾoːtsɛnt", "ɔøroː")),
        ("fr", "50 % des gens, 5 € et 20 °", ("puʁsɑ̃", "əʁo", "dəɡʁe")),
        ("de", "A & B + C = D", ("ʊnt", "plʊs", "ɡlaɪç")),
        ("fr", "-5 °C", ("mwɛ̃",)),
        ("ru", "5 €", ("jevrʌ",)),
    ],
)
def test_espeak_says_the_symbols_that_stand_alone(language: str, text: str, words: tuple[str, ...]) -> None:
    loaded("espeak")
    heard = "".join(phone.phone.strip("ˈˌ") for phone in speak(text, language, "espeak").phones)
    assert [word for word in words if word not in heard] == [], heard


def test_every_language_espeak_names_is_heard() -> None:
    engine = loaded("espeak")
    assert len(engine.languages()) > 100
    for language in engine.languages():
        sound = engine.start(tuple(spoken("a, e, i", language)), language, "", 1.0).read()
        assert sound is not None
        assert any(mark.phone for mark in sound.phones), language


@pytest.mark.parametrize(("language", "text"), [("ja", "今日は いい てんき です。"), ("ja-JP", "東京"), ("ko", "漢字")])
def test_chinese_characters_that_would_be_spelt_are_an_error_that_says_what_to_do(language: str, text: str) -> None:
    loaded("espeak")
    with pytest.raises(UnknownLanguage, match=r"kana.*\[voices\]") as caught:
        speak(text, language, "espeak")
    assert caught.value.code == "tts_language"


def test_japanese_in_kana_and_chinese_in_its_own_characters_are_spoken() -> None:
    for language, text in {
        "ja": "きょうは いい てんき です。",
        "zh": "今天天气很好。",
        "yue": "今日天氣好好。",
    }.items():
        assert level_db(speak(text, language).pcm) > -40, language
