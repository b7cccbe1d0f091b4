"""Recognises what refers to the conversation itself: tell me more, repeat that, slower, yes please, and on Sundays?

Everything is read from the history that came with the question: nothing is remembered here, so nothing can be lost.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from broker.messages import Exchange
from workers.llm.words import content_words, normal


class FollowUp(StrEnum):
    """What the person wants done with what was said before."""

    MORE = "more"
    REPEAT = "repeat"
    EXPLAIN = "explain"
    SLOWER = "slower"
    FASTER = "faster"
    NORMAL = "normal"
    YES = "yes"
    NO = "no"
    FIRST = "first"
    SECOND = "second"
    ACKNOWLEDGED = "acknowledged"
    WAIT = "wait"
    ATTENTION = "attention"
    LOUDNESS = "loudness"


SLOWER_BY, FASTER_BY = 0.85, 1.18
SLOWEST, FASTEST = 0.6, 1.5

_PLEASE = r"(?: please| for me| again| now| then| a bit| a little| bitte| por favor)*"
_LEAD = r"(?:okay |ok |yes |well |and |but |sorry |so |oh |please |(?:can|could|would|will) you (?:please )?)*"

_WAYS: dict[FollowUp, tuple[str, ...]] = {
    FollowUp.MORE: (
        r"(?:tell me |say |give me )?(?:some )?more(?: details?)?",
        r"(?:tell me |say )more about (?:it|that|this)",
        r"i want to (?:know|hear) more",
        r"go on|continue|keep going|elaborate|and then",
        r"(?:what|anything|is there anything) (?:else|more)(?: about (?:it|that|this))?",
        r"what (?:else|more) (?:is there|do you know|can you tell me)(?: about (?:it|that|this))?",
        r"cuéntame más|dime más|más|sigue|continúa|qué más",
        r"再多说一点|多说一点|继续|还有呢|然后呢",
    ),
    FollowUp.REPEAT: (
        r"repeat(?: that| it| this| what you said| (?:the|your) last (?:one|sentence|answer|part))?",
        r"say (?:that|it) (?:once more|again)",
        r"what|huh|hm what|excuse me|say what|you said what",
        r"once more|again|one more time|pardon|sorry|come again|what was that",
        r"what did you (?:just )?say",
        r"i (?:did not|didn't) (?:hear|catch|get) (?:that|you|it)",
        r"repite|repítelo|otra vez|qué has dicho|cómo dices",
        r"再说一遍|再说一次|重复一遍|你说什么",
    ),
    FollowUp.EXPLAIN: (
        r"(?:what|how) do you mean(?: by (?:that|this|it))?",
        r"what does (?:that|it|this) mean",
        r"i (?:do not|don't) (?:understand|get|follow)(?: that| it| this| you)?",
        r"explain(?: that| it| this)?",
        r"why(?: is that| so| not)?|how(?: come| so)?|really|is that (?:so|true|right)|are you sure",
        r"(?:say|put|explain) (?:that|it|this) (?:in other words|differently|another way|more simply)",
        r"qué quieres decir|no entiendo|explícalo",
        r"什么意思|我不明白|我没听懂",
    ),
    FollowUp.SLOWER: (
        r"(?:speak |talk |go |say (?:it|that) )?(?:more |much )?slow(?:er|ly)?(?: down)?",
        r"(?:say|repeat) (?:that|it)(?: again| once more)? (?:more |a bit |a little )?slow(?:er|ly)",
        r"not so fast|(?:you are |that is |that was )?too fast",
        r"you (?:speak|talk) too fast",
        r"más despacio|más lento|habla más despacio",
        r"慢一点|说慢一点|太快了",
    ),
    FollowUp.FASTER: (
        r"(?:speak |talk |go )?(?:more |much )?(?:fast(?:er)?|quick(?:er|ly)?)",
        r"hurry up|speed up|(?:you are |that is )?too slow",
        r"you (?:speak|talk) too slow(?:ly)?",
        r"más rápido|más deprisa",
        r"快一点|说快一点|太慢了",
    ),
    FollowUp.NORMAL: (
        r"(?:speak |talk )?(?:at )?(?:a |the |your )?normal (?:speed|pace|rate)",
        r"(?:speak |talk )?normally",
        r"velocidad normal|正常语速",
    ),
    FollowUp.YES: (
        (
            r"(?:yes|yeah|yep|yup|sure|exactly|right|correct|of course|indeed|true|absolutely)"
            r"(?: (?:yes|please|sure|exactly|right|it is|that one|that|i do|i would))*"
        ),
        r"that(?:'s| is) (?:it|right|what i mean(?:t)?)",
        r"please do|go ahead|i do|(?:please )?tell me|you (?:may|should|can)",
        r"sí|claro|exacto|eso es|cuéntemelo|cuéntamelo|是的?|对|对的|没错|好的?|要|请说|说吧",
    ),
    FollowUp.NO: (
        r"(?:no|nope|nah)(?: (?:no|thanks|thank you|not (?:that|really)|neither))*",
        r"neither(?: of them)?|none of (?:them|these)|not that|something else",
        r"that is not what i mean(?:t)?",
        r"ninguno|ninguna de las dos|不是?|不对|都不是",
    ),
    FollowUp.FIRST: (
        r"(?:it is |i mean )?(?:about )?the (?:first|former)(?: one)?",
        r"(?:number )?one|first(?: one)?",
        r"el primero|la primera|第一个",
    ),
    FollowUp.SECOND: (
        r"(?:it is |i mean )?(?:about )?the (?:second|latter|other|last)(?: one)?",
        r"(?:number )?two|second(?: one)?",
        r"el segundo|la segunda|第二个",
    ),
    FollowUp.ACKNOWLEDGED: (
        (
            r"(?:ok|okay|all ?right|right|fine|good|great|cool|nice|wow|perfect|excellent|awesome|amazing|wonderful|"
            r"super|lovely|interesting|funny|got it|understood|makes sense|good to know|"
            r"i (?:see|understand|know|get it)|oh|ah|aha|ha(?: ?ha)*|hm+|mm+|mhm|uh huh|um+|uh+|er+|"
            r"oh (?:no|wow|dear|my god|i see))"
            r"(?: (?:ok|okay|great|good|cool|nice|then|thing|i see|got it))*"
        ),
        r"(?:that|it)(?:'s| is| was| sounds) (?:very |really |so )?(?:ok|okay|fine|good|great|cool|nice|funny)",
        r"(?:that|it)(?:'s| is| was| sounds) (?:very |really |so )?interesting",
        r"vale|bien|muy bien|genial|entiendo|entendido|ya veo|de acuerdo|嗯+|哦+|啊+|明白了?|知道了|懂了|不错|太好了",
    ),
    FollowUp.WAIT: (
        r"wait(?: a (?:moment|second|minute))?|hold on|hang on|(?:just )?(?:one|a) (?:moment|second|minute|sec)",
        r"stop(?: it| that| talking)?|(?:be )?quiet|enough|never ?mind|forget (?:it|that)|nothing|cancel(?: that)?",
        r"(?:let us |let's )?start (?:over|again)|go back|i have a(?:nother)? question|can i ask (?:you )?something",
        r"espera|un momento|para|basta|déjalo|nada|等一下|等等|稍等|停|别说了|算了|没什么|我有个问题",
    ),
    FollowUp.ATTENTION: (
        r"(?:are you (?:still )?|(?:is )?any(?:body|one) )(?:there|listening|here)|(?:can|do) you hear me",
        r"hello (?:are you there|can you hear me)|test(?:ing)?(?: test| one two(?: three)?)*",
        r"estás ahí|me oyes|me escuchas|hay alguien|你在吗|在吗|听得到吗|能听到我吗",
    ),
    FollowUp.LOUDNESS: (
        r"(?:speak |talk |be |go )?(?:a bit |a little |much )?(?:louder|quieter|softer|more (?:loudly|quietly))",
        r"speak up",
        r"(?:you are |that is )?too (?:loud|quiet)|turn (?:it |the volume |your voice )?(?:up|down)",
        r"más (?:alto|fuerte|bajo)|大声一?点|小声一?点",
    ),
}
_COMPILED = {kind: re.compile(f"{_LEAD}(?:{'|'.join(ways)}){_PLEASE}") for kind, ways in _WAYS.items()}

_CONTINUES = re.compile(r"(?:and|what about|how about|or|but|y|qué tal|那)\b")
_OF_ANYTHING = frozenset({"open", "opens", "close", "closes", "closed", "now", "today"})
_ASKS_FOR_A_DETAIL = re.compile(
    rf"{_CONTINUES.pattern}|(?:(?:until|since|from|by) )?(?:when|where|which|how|why)\b"
    r"|(?:cuándo|dónde|cuál|cómo|cuánto)\b|(?:什么时候|哪|怎么|多少|多久|为什么)"
)
_POINTS_BACK = frozenset(
    {"it", "that", "there", "they", "them", "this", "those", "these", "one", "he", "she", "its", "their"}
)


def follow_up(text: str) -> FollowUp | None:
    """What of the above these words are; None for anything else."""
    said = normal(text)
    return next((kind for kind, pattern in _COMPILED.items() if pattern.fullmatch(said)), None)


def leans_on_history(text: str) -> bool:
    """Whether a question makes sense only with what came before ("and on Sundays?", "how much is it?")."""
    words = normal(text).split()
    if len(words) > 8 or not words:
        return False
    begins = _CONTINUES.match(" ".join(words)) is not None
    return begins or (bool(_POINTS_BACK & set(words)) and len(content_words(text)) <= 2) or len(words) <= 2


def only_points_back(text: str) -> bool:
    """Whether a question names nothing by itself: "where is it", "is it open now"."""
    words = normal(text).split()
    return len(words) <= 6 and bool(_POINTS_BACK & set(words)) and set(content_words(text)) <= _OF_ANYTHING


def asks_for_a_detail(text: str) -> bool:
    """Whether it begins as a question about what was just said does: "and …", "what about …", "how many"."""
    return _ASKS_FOR_A_DETAIL.match(normal(text)) is not None


def last_avatar(history: Sequence[Exchange], *, with_passage: bool = False) -> Exchange | None:
    """The newest line of the avatar, if asked for the newest that came from a passage."""
    lines = (line for line in reversed(history) if line.role == "avatar" and line.text.strip())
    return next((line for line in lines if line.passage or not with_passage), None)


def heard_of(history: Sequence[Exchange], passage_id: str) -> str:
    """All that was heard from one passage, as normal text."""
    return normal(" ".join(line.text for line in history if line.role == "avatar" and line.passage == passage_id))


def rate_after(history: Sequence[Exchange]) -> float:
    """The speaking rate the person has asked for so far; 1.0 is the voice's own."""
    rate = 1.0
    for line in history:
        if line.role == "user":
            rate = changed_rate(rate, follow_up(line.text))
    return rate


def changed_rate(rate: float, wish: FollowUp | None) -> float:
    """The rate after one more wish."""
    if wish is FollowUp.NORMAL:
        return 1.0
    factor = {FollowUp.SLOWER: SLOWER_BY, FollowUp.FASTER: FASTER_BY}.get(wish, 1.0) if wish else 1.0
    return round(min(FASTEST, max(SLOWEST, rate * factor)), 3)
