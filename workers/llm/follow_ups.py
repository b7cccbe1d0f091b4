"""Recognises what refers to the conversation itself: tell me more, repeat that, slower, yes please, and on Sundays?

Everything is read from the history that came with the question: nothing is remembered here, so nothing can be lost.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from broker.messages import Exchange
from workers.llm.words import content_words, long_form, normal, without_accents


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

_LEAD = (
    r"(?:(?:okay|ok|yes|well|and|but|sorry|so|oh|excuse me|please|just|do|(?:can|could|would|will) you|"
    r"(?:can|could|may) i(?: have)?|let me|do you (?:mind|have)|would you mind|i (?:need|want|would like) (?:you )?to|"
    r"i (?:need|want|would like)|go ahead and|"
    r"por favor|perdon[ea]?|disculp[ea]|oye|bueno|vale|adelante|y|me|te|le|lo|nos|quiero|quisiera|me gustaria|"
    r"(?:puede|podria|quiere)s?|necesito que|que) "
    r"|(?:对不起|抱歉|不好意思|好的?|麻烦|请|我|能不能|可不可以|能否|能|可以|你|您|还?想) ?)*"
)
_TRAIL = (
    r"(?: (?:please|for me|again|now|then|thanks|thank you|a (?:little )?bit|a little|if you can|bitte|"
    r"por favor|gracias|para mi|un poco|otra vez|de nuevo|una vez mas)"
    r"| ?(?:吗|好不好|行不行|好|行|可以|吧|呢|啊|么|谢谢))*"
)
_BIT = r"(?:(?:(?:just |quite )?a (?:(?:little |tiny )?bit|little|lot)|some|somewhat|slightly|any|much|way|far|even) )*"
_POCO = r"(?:un (?:poco|poquito) |algo |mucho )?"
_IT = (
    r"(?:that|it|this|everything|(?:what )?you (?:just )?(?:said|were saying)|"
    r"(?:the|your|that) (?:last |whole )?(?:one|answer|reply|sentence|part|bit|thing|subject|topic|question))"
)
_ESO = (
    r"(?:eso|esto|ello|lo ultimo|lo que (?:ha|has) dicho|lo que dij(?:o|iste)|"
    r"(?:la|su|tu) (?:ultima )?(?:respuesta|frase|parte|pregunta)|(?:el|este|ese) tema)"
)
_FAST, _SLOW = "(?:fast|quick(?:ly)?)", "slow(?:ly)?"
_DI = r"(?:di(?:lo|melo)?|diga(?:lo|melo)?|dices?|decir(?:lo|melo)?|rep[ei]t[aei](?:lo|s|r|rlo|rmelo|melo)?)"


def _pace(english: str, spanish: str, chinese: str, too: tuple[str, str, str]) -> tuple[str, ...]:
    """Wishes for another pace, and complaints that the one there is is `too` much the other way."""
    verbs = r"(?:speak|speaking|talk|talking|go|going|read|say|repeat|answer|tell me|slow|speed)"
    is_ = r"(?:are|is|was|speak|talk|go|read)(?: (?:speaking|talking|going))?"
    more = rf"(?:{_BIT}(?:more )?{english}|at a {english} (?:pace|speed|rate))"
    return (
        rf"(?:{verbs} )?(?:{_IT} )?(?:(?:again|once more|one more time) )?(?:but )?{more}(?: down)?",
        rf"(?:not|(?:do not|stop) (?:speak|talk|go|say {_IT})(?:ing)?) (?:so|that|too|quite so) {too[0]}",
        rf"(?:(?:you|that|this) (?:{is_} )?)?{_BIT}too {too[0]}",
        rf"(?:(?:habl\w+|ir|ve|vaya|lee|lea|leer|{_DI}) )?(?:{_ESO} )?{_POCO}(?:mas )?{spanish}",
        rf"(?:no )?(?:(?:habl\w+|vaya|vayas|digas?) )?tan {too[1]}(?: no)?",
        rf"(?:(?:(?:esta|estas) hablando|hablas?|vas?|eso es|es|eso ha sido) )?demasiado {too[1]}",
        rf"(?:(?:esta|estas) hablando|hablas?|vas?) muy {too[1]}",
        rf"再?[说讲念读]?话?得?(?:稍微|更)?{chinese}(?:一?[点些]儿?)?[说讲]?|{chinese}{chinese}[说讲]",
        rf"(?:别|不要)[说讲]?话?得?(?:那么|这么|太){too[2]}",
        rf"(?:说|讲|语速)?话?得?(?:有点儿?|有些|太){too[2]}了?",
    )


_WAYS: dict[FollowUp, tuple[str, ...]] = {
    FollowUp.MORE: (
        (
            rf"(?:(?:tell me|say|give me|know|hear|learn|find out|explain|talk) )?{_BIT}more"
            rf"(?: (?:information|info|details?))?(?: (?:about|on) {_IT})?"
        ),
        rf"go on|carry on|continue|keep (?:going|talking)|(?:elaborate|expand)(?: on {_IT})?|and then|is that all",
        r"(?:go )?in(?:to)? (?:more|further) details?|is there (?:any )?more(?: to it| to know)?",
        rf"(?:what|anything|is there (?:any|some)thing) (?:else|more)(?: about {_IT})?(?: i should know)?",
        rf"what (?:else|more) (?:is there(?: to know)?|do you know|can you tell me|should i know)(?: about {_IT})?",
        rf"tell me anything (?:else|more)(?: about {_IT})?",
        (
            r"(?:(?:cuent|contar|habl|explic|ampli)\w* |dime |dig[oa]me |decir(?:me)? |d[ea]me |dar(?:me)? |saber )?"
            rf"{_POCO}mas(?: (?:informacion|detalles?|cosas))?(?: (?:sobre|de|acerca de) {_ESO})?"
        ),
        r"(?:sig[ao]|sigue|seguir|continu[ae]r?)(?: (?:hablando|contando))?|con mas detalles?|luego|despues",
        r"(?:hay )?(?:algo )?mas(?: hay| puedes? decirme| deberia saber)?",
        r"再?(?:多|详细|具体|继续|接着|往下)地?(?:说|讲|介绍|谈|聊)[说讲]?(?:一?[点些]儿?|一下|下去)?|再(?:说说|讲讲)",
        r"再?(?:说|讲|介绍)得?更?(?:多|详细|具体)(?:一?[点些]儿?)?|继续|接着|然后|(?:了解|知道)?更多(?:信息|内容|细节)?",
        r"还有(?:什么|别的|其他的)?|后来|接下来",
    ),
    FollowUp.REPEAT: (
        rf"repeat(?:ing)?(?: {_IT})?",
        rf"(?:say|read|hear|tell me)(?: {_IT})? (?:again|once more|(?:one more|another) time)",
        r"what|huh|hm what|say what|you said what|what (?:did|were) you (?:just )?say(?:ing)?",
        r"once more|again|(?:one more|another) time|pardon(?: me)?|i beg your pardon|sorry|excuse me|come again",
        rf"i (?:did|could|can) not (?:quite |really )?(?:hear|catch|get)(?: (?:{_IT}|you|what {_IT}))?",
        rf"i did not understand you|i missed (?:{_IT}|what {_IT})|what was {_IT}",
        rf"{_DI}(?: {_ESO})? (?:otra vez|de nuevo|una vez mas)|rep[ei]t[aei](?:lo|s|r|rlo|rmelo|melo)?(?: {_ESO})?",
        r"otra vez|de nuevo|una vez mas|como(?: dices?)?|que|perdon[ea]?(?: como dices?)?|has? dicho|dij(?:o|iste)",
        r"no (?:[tl][eoa] )?(?:(?:he )?(?:oido|escuchado|entendido)|oigo|escuche|entendi)(?: bien| nada)?",
        r"(?:再|重新)(?:说|讲|念|来|重复)(?:一?[遍次]|一下)|重复(?:一?[遍次]|一下)?|没有?听(?:清楚?|见|到)|听不(?:清楚?|见)",
        r"(?:刚才)?[说讲](?:的是|了)?(?:什么|啥)|什么|啥",
    ),
    FollowUp.EXPLAIN: (
        r"(?:what|how) do you mean(?: by (?:that|this|it))?",
        r"what does (?:that|it|this) mean",
        r"i (?:do not|don't) (?:understand|get|follow)(?: that| it| this| you)?",
        r"explain(?: that| it| this)?",
        r"why(?: is that| so| not)?|how(?: come| so)?|really|is that (?:so|true|right)|are you sure",
        r"(?:say|put|explain) (?:that|it|this) (?:in other words|differently|another way|more simply)",
        r"que quieres decir|no entiendo|explicalo",
        r"什么意思|我不明白|我没听懂",
    ),
    FollowUp.SLOWER: (
        *_pace("slow(?:er|ly)?", "(?:despacio|lent[oa]|lentamente)", "慢", (_FAST, "(?:rapido|deprisa)", "快")),
        rf"slow (?:{_IT} )?down|放慢(?:语速|速度|一点)",
    ),
    FollowUp.FASTER: (
        *_pace("(?:fast(?:er)?|quick(?:er|ly)?)", "(?:rapido|deprisa)", "快", (_SLOW, "(?:despacio|lent[oa])", "慢")),
        r"hurry up|speed up",
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
        r"si|claro|exacto|eso es|cuentemelo|cuentamelo|是的?|对|对的|没错|好的?|要|请说|说吧",
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
        r"espera|un momento|para|basta|dejalo|nada|等一下|等等|稍等|停|别说了|算了|没什么|我有个问题",
    ),
    FollowUp.ATTENTION: (
        r"(?:are you (?:still )?|(?:is )?any(?:body|one) )(?:there|listening|here)|(?:can|do) you hear me",
        r"hello (?:are you there|can you hear me)|test(?:ing)?(?: test| one two(?: three)?)*",
        r"estas ahi|me oyes|me escuchas|hay alguien|你在吗|在吗|听得到吗|能听到我吗",
    ),
    FollowUp.LOUDNESS: (
        r"(?:speak |talk |be |go )?(?:a bit |a little |much )?(?:louder|quieter|softer|more (?:loudly|quietly))",
        r"speak up",
        r"(?:you are |that is )?too (?:loud|quiet)|turn (?:it |the volume |your voice )?(?:up|down)",
        r"mas (?:alto|fuerte|bajo)|大声一?点|小声一?点",
    ),
}
_COMPILED = {kind: re.compile(f"{_LEAD}(?:{'|'.join(ways)}){_TRAIL}") for kind, ways in _WAYS.items()}

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
    said = without_accents(long_form(normal(text)))
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
