"""How long a silence must last before the turn is taken to be over: from how it sounded and from the words so far.

No single sign is enough. The acoustic model is unsure of synthetic voices and of people now and then; the words of a
finished clause may be the first of two; recognised words may be wrong. Each sign counts as evidence (log-odds), fitted
on the tuning half of bench/end_of_turn.py; their sum says how long to wait. The answer is prepared meanwhile, and who
goes on after a false cut is joined with what was said before. A pure function.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import Enum

from broker.languages import primary


@dataclass(frozen=True, kw_only=True)
class EndpointSettings:
    """Milliseconds of silence, and the evidence (log-odds that the person has finished) between them.

    A persona's [turns] overrides them. A greater `doubt` and `patient_ms` cut fewer people short, and make all wait.
    """

    quick_ms: float = 180
    """Everything says that it is over."""
    patient_ms: float = 700
    """Everything says that it is not."""
    doubt: float = 1.0
    """Evidence at which the wait lies in the middle: more is more patient. bench/end_of_turn.py prints the curve."""
    steepness: float = 4.0
    wordless_ms: float = 700
    """Nothing was understood: the words may be late, or it was a noise."""
    fluent_ms: float = 440
    """The longest wait for somebody who has made no pause within what they said lately."""
    fluent_after: float = 4
    """So many utterances without one make a fluent speaker."""
    pause_ms: float = 200
    """Silence within an utterance that counts as a pause; a stop consonant is shorter."""


LONGEST_MS = 1_500
"""The vad ends an utterance by itself a little later."""
RANGES: dict[str, tuple[float, float]] = {
    "quick_ms": (100, LONGEST_MS),
    "patient_ms": (100, LONGEST_MS),
    "doubt": (-20, 20),
    "steepness": (0.1, 100),
    "wordless_ms": (100, LONGEST_MS),
    "fluent_ms": (100, LONGEST_MS),
    "fluent_after": (1, 1_000),
    "pause_ms": (50, LONGEST_MS),
}
"""What a persona may set each to."""


class Shape(Enum):
    """What the words look like."""

    NOTHING = "nothing"
    TRAILING = "trailing"
    """They stop at a word that leans on the next: an article, a conjunction, a preposition, a filler."""
    SHORT = "short"
    """One or two words that are no answer by themselves: mostly a beginning."""
    OPEN = "open"
    """They could go on or not."""
    WHOLE = "whole"
    """A complete question, command or answer."""


DEFAULT = EndpointSettings()
_CLOSED = ("?", "!", "？", "！")


SOUND_WEIGHT, HIT_WEIGHT, ENDS_WEIGHT, WHOLE_WEIGHT, WORD_WEIGHT, CONSTANT = 0.27, 0.74, 0.53, 0.17, 0.61, -1.34
"""Of the acoustic log-odds, the brain's confidence, the language model's log chance, a whole question, each word, 1."""
USUAL_HIT = 0.45
"""The confidence that says nothing."""
MOST_WORDS = 6
"""From so many words on an utterance is no likelier to be finished for being longer."""
LEAST_ENDS = -6.0
ENDS_BY_SHAPE = {Shape.TRAILING: -4.6, Shape.SHORT: -3.6, Shape.OPEN: -2.8, Shape.WHOLE: -1.9}
"""Where there is no language model to ask."""


def wait_ms(
    p_end: float,
    text: str,
    language: str,
    hit: float | None = None,
    ends: float | None = None,
    settings: EndpointSettings = DEFAULT,
    fluent: int = 0,
) -> int:
    """Silence to wait for, counted from where speech stopped.

    `p_end`: acoustic belief that the person has finished (0.5: none yet). `text`: the words so far. `hit`: how surely
    the knowledge answers them, None when that is not known. `ends`: ln of the chance that a sentence ends after them.
    `fluent`: utterances in a row that this person has spoken without a pause.
    """
    shape = shape_of(text, language)
    if shape is Shape.NOTHING:
        return round(settings.wordless_ms)
    steps = settings.steepness * (evidence(p_end, text, language, hit, ends) - settings.doubt)
    share = 1 / (1 + math.exp(min(max(steps, -50.0), 50.0)))
    # All at once: less patience after each single utterance cuts people who pause in every second one twice as often.
    patient_ms = settings.fluent_ms if fluent >= settings.fluent_after else settings.patient_ms
    return round(settings.quick_ms + (patient_ms - settings.quick_ms) * share)


def evidence(p_end: float, text: str, language: str, hit: float | None = None, ends: float | None = None) -> float:
    """Log-odds that the person has finished, up to a constant. Arguments as of `wait_ms`."""
    shape = shape_of(text, language)
    rules = RULES.get(primary(language), _NO_RULES)
    sound = min(max(p_end, 0.01), 0.99)
    words = MOST_WORDS if rules.is_answer(text) else min(rules.count(text), MOST_WORDS)
    chance = ENDS_BY_SHAPE.get(shape, LEAST_ENDS) if ends is None or rules.is_answer(text) else max(ends, LEAST_ENDS)
    return (
        SOUND_WEIGHT * math.log(sound / (1 - sound))
        + (HIT_WEIGHT * (hit - USUAL_HIT) if hit is not None else 0.0)
        + ENDS_WEIGHT * chance
        + (WHOLE_WEIGHT if shape is Shape.WHOLE else 0.0)
        + WORD_WEIGHT * words
        + CONSTANT
    )


def shape_of(text: str, language: str) -> Shape:
    """The look of the words so far. Unknown languages know punctuation only."""
    rules = RULES.get(primary(language), _NO_RULES)
    words = rules.words(text)
    if not words:
        return Shape.NOTHING
    if text.rstrip().endswith(_CLOSED):
        return Shape.WHOLE
    if text.rstrip().endswith(("...", "…", ",", "，", "、")) or rules.trails(words):
        return Shape.TRAILING
    if rules.is_whole(words):
        return Shape.WHOLE
    return Shape.SHORT if rules.is_short(words) else Shape.OPEN


@dataclass(frozen=True, kw_only=True)
class Rules:
    """One language's. Words and phrases in lower case, several words joined by blanks."""

    trailing: frozenset[str] = frozenset()
    """Words that cannot be the last."""
    trailing_openers: frozenset[str] = frozenset()
    """Beginnings of a sentence after which more must come, when they are all there is."""
    questions: frozenset[str] = frozenset()
    """First words of a question or command."""
    answers: frozenset[str] = frozenset()
    """Whole answers."""
    may_end: frozenset[str] = frozenset()
    """Last words that lean on the next, but end a question of the kind `wh`: "what is it for", "who is that"."""
    wh: frozenset[str] = frozenset()
    least_words: int = 4
    """A question is whole from so many words."""
    signs: bool = False
    """Words are signs (Chinese): they are matched from the text's ends, not counted."""

    def words(self, text: str) -> tuple[str, ...]:
        if self.signs:
            return tuple(re.findall(r"[\w']", text.lower()))
        return tuple(re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.lower().replace("’", "'")))

    def count(self, text: str) -> float:
        """Words; two signs count as one."""
        return len(self.words(text)) / (2 if self.signs else 1)

    def is_answer(self, text: str) -> bool:
        """Whole by itself, however short: a greeting, a yes, or what ends in a mark of its own."""
        return self._phrase(self.words(text)) in self.answers or text.rstrip().endswith(_CLOSED)

    def trails(self, words: tuple[str, ...]) -> bool:
        if self._phrase(words) in self.answers:
            return False
        if self._phrase(words) in self.trailing_openers:
            return True
        question_may_end = self._begins(words, self.wh) and self._ends(words, self.may_end)
        return self._ends(words, self.trailing) and not question_may_end

    def is_whole(self, words: tuple[str, ...]) -> bool:
        if self._phrase(words) in self.answers:
            return True
        if self.signs:
            return self._asks(words) or self._ends(words, self.questions)
        return self._asks(words) and len(words) >= self.least_words

    def is_short(self, words: tuple[str, ...]) -> bool:
        return not self.signs and bool(self.answers) and len(words) <= 2

    def _asks(self, words: tuple[str, ...]) -> bool:
        return self._begins(words, self.questions)

    def _begins(self, words: tuple[str, ...], beginnings: frozenset[str]) -> bool:
        return any(self._phrase(words[:length]) in beginnings for length in (1, 2, 3))

    def _ends(self, words: tuple[str, ...], ends: frozenset[str]) -> bool:
        return any(self._phrase(words[-length:]) in ends for length in (1, 2, 3))

    def _phrase(self, words: tuple[str, ...]) -> str:
        return ("" if self.signs else " ").join(words)


def _set(phrases: str) -> frozenset[str]:
    return frozenset(phrase.strip() for phrase in phrases.split(",") if phrase.strip())


_NO_RULES = Rules()

RULES: dict[str, Rules] = {
    "en": Rules(
        wh=_set("what, where, when, who, whose, why, how, which, what's, where's, who's, how's"),
        trailing=_set(
            "a, an, the, and, or, but, so, because, if, when, while, although, though, unless, until, since, "
            "than, that, which, who, whose, of, to, from, with, without, for, at, by, in, into, on, onto, "
            "about, between, through, during, after, before, under, over, like, as, my, your, his, her, its, "
            "our, their, this, these, those, some, any, every, each, is, are, was, were, am, be, been, has, "
            "had, do, does, did, can, could, will, would, shall, should, may, might, must, i'm, it's, that's, "
            "i'd, i'll, we're, they're, i, we, they, he, she, um, uh, er, erm, hmm, well, you know, i mean, "
            "kind of, sort of, let me see, very, really, more, a little, a bit, how, what, where, why, not, "
            "also, just, maybe, then, and then, need, want, wants, get, gets, "
            "give, gives, put, have, use, send, bring, let, tell, show"
        ),
        trailing_openers=_set(
            "i want, i would, i would like, i'd like, i need, i have, i have a question, can you, could you, "
            "would you, will you, do you, are you, is it, is there, are there, tell me, what is, what are, "
            "what's, where is, where are, how do, how do i, how does, how can, how can i, how much, how many, "
            "who is, when is, when does, please, can i, could i, may i, do i, what about, how about, "
            "i was wondering, what if, so, okay so"
        ),
        questions=_set(
            "what, where, when, who, whose, why, how, which, is, are, was, were, do, does, did, can, could, "
            "will, would, should, may, am, has, have, tell, show, explain, describe, give, list, help, say, "
            "repeat, please, stop, open, start, turn, call, speak, read, what's, where's, who's, how's, isn't, "
            "aren't, don't, doesn't, can't, couldn't, i'd like to know, i want to know, i would like"
        ),
        answers=_set(
            "yes, no, yeah, nope, yep, ok, okay, sure, right, all right, thanks, thank you, "
            "thank you very much, no thanks, no thank you, yes please, please do, hello, hi, hi there, "
            "hello there, hey, good morning, good afternoon, good evening, goodbye, bye, bye bye, see you, "
            "stop, wait, help, again, continue, go on, more, more please, tell me more, slower, slower please, "
            "louder, repeat that, please repeat that, what, why, why not, how, when, where, who, really, "
            "never mind, forget it, say that again, how are you, who are you, what can you do, "
            "what's your name, what is your name, who is that, what is this, what is it, how so, what else, "
            "anything else, what does that mean, i see, got it, good, great, mm hmm, uh huh"
        ),
        may_end=_set(
            "for, about, to, from, with, on, in, at, of, like, that, this, those, these, is, are, was, do, "
            "does, can, it's, i, we, they, he, she, after, before, over, under, through, more, by, then, did, "
            "would, could"
        ),
    ),
    "es": Rules(
        wh=_set("qué, cuál, quién, dónde, cuándo, cómo, cuánto, por qué, para qué"),
        trailing=_set(
            "el, la, los, las, un, una, unos, unas, y, e, o, u, pero, porque, si, cuando, mientras, aunque, "
            "que, de, del, a, al, con, sin, por, para, en, entre, sobre, desde, hasta, hacia, como, mi, tu, "
            "su, mis, tus, sus, nuestro, nuestra, este, esta, estos, estas, ese, esa, muy, más, es, son, está, "
            "están, era, ha, han, hay, quiero, quisiera, necesito, puedo, puede, me, te, se, lo, le, nos, yo, "
            "eh, em, este, pues, bueno, o sea, a ver, es que, entonces, además, también, cuál, cuándo, dónde, "
            "cómo, qué"
        ),
        trailing_openers=_set(
            "quiero saber, me gustaría, me gustaría saber, puedes, puede, podrías, dime, qué es, cuál es, "
            "dónde está, cómo puedo, cuánto, cuántos, hay, por favor, tengo una pregunta"
        ),
        questions=_set(
            "qué, que es, cuál, cuáles, quién, quiénes, dónde, donde, cuándo, cuando, cómo, como, cuánto, "
            "cuánta, cuántos, cuántas, por qué, para qué, a qué, en qué, de qué, es, son, está, están, hay, "
            "puedes, puede, podrías, podría, tienes, tiene, dime, explica, explícame, cuéntame, muéstrame, "
            "habla, repite, ayuda, se puede, me puedes, quiero saber"
        ),
        answers=_set(
            "sí, si, no, vale, claro, bien, gracias, muchas gracias, no gracias, sí por favor, hola, "
            "buenos días, buenas tardes, buenas noches, adiós, hasta luego, para, espera, ayuda, otra vez, "
            "sigue, más, más despacio, repite, cómo, por qué, cuándo, dónde, quién, qué, quién eres, "
            "cómo te llamas, qué tal, cómo estás, de acuerdo, qué más, ya veo, entiendo"
        ),
        may_end=_set("es, son, está, están, hay, puedo, puede, este, esta, ese, esa, yo, más, también"),
    ),
    "zh": Rules(
        wh=_set("什么, 谁, 哪, 为什么"),
        trailing=_set(
            "的, 和, 跟, 与, 或, 或者, 还有, 但是, 可是, 因为, 所以, 如果, 要是, 虽然, 在, 从, 向, 对, 给, 把, "
            "被, 是, 就是, 那个, 这个, 然后, 嗯, 呃, 额, 我想, 我要, 请问, 很, 最, 比, 关于, 我的, 你的, 一个, "
            "有没有, 能不能, 可不可以, 怎么"
        ),
        trailing_openers=_set("请, 你能, 你可以, 我想知道, 告诉我, 什么是, 为什么, 我有一个问题, 请告诉我"),
        questions=_set(
            "吗, 呢, 吧, 什么, 谁, 哪里, 哪儿, 多少, 几点, 怎么办, 怎么样, 为什么, 请问, 告诉我, 怎么, 如何, "
            "介绍, 解释, 帮我, 什么时候, 是什么, 在哪里, 在哪儿, 有什么, 能不能, 可不可以"
        ),
        answers=_set(
            "是, 是的, 对, 不, 不是, 好, 好的, 可以, 不用, 不用了, 谢谢, 你好, 您好, 早上好, 晚上好, 再见, 停, "
            "等一下, 帮助, 再说一遍, 继续, 慢一点, 为什么, 什么, 谁, 哪里, 你是谁, 明白, 知道了, 嗯, 没有, 有, "
            "行"
        ),
        may_end=_set("是, 怎么"),
        signs=True,
    ),
}
