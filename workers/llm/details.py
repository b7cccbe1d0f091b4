"""What kind of detail a question asks for (a price, a time, a place …), and which sentences give one. English only.

"When does it open" finds every passage whose heading is put beside it; this tells whether that passage says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workers.llm.words import content_words, long_form, normal

_IT = (
    r"(?: (?:is|are|was|were|be|does|do|did|will|would|must|can|should|may|has|have|it|its|that|this|they|them|their|"
    r"these|those|there|i|you|we|one|the|then|exactly))*"
)
_MADE = r"(?:made|built|founded|invented|opened|created|established|written)"
_NUMBER = (
    r"(?:\d[\d.,]*|"
    r"(?:(?:twen|thir|for|fif|six|seven|eigh|nine)ty[ -]?)?(?:one|two|three|four|five|six|seven|eight|nine)|"
    r"an?|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|"
    r"half an?|several|few|hundred|thousand|million)"
)
_DAYS = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekdays?|weekends?|daily|(?:every|each) (?:day|week)"
_CLOCK = (
    rf"\b(?:at|from|until|till|to|by|past|before|after|between|and|opens|closes) {_NUMBER}"
    r"(?= *(?:$|[.,;:]|(?:o'clock|on|in the|to|until|till|and|at|every|during|from)\b))"
    rf"|\d\d?[:.]\d\d|\d ?[ap]\.?m\b|\b(?:noon|midnight|sunset|o'clock|around the clock|day and night|{_DAYS})\b"
)
_MONTHS = r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_TIME_UNITS = r"(?:milliseconds?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|terms?|semesters?|moment)"
_SPAN = rf"(?<!every )\b{_NUMBER} (?:working )?{_TIME_UNITS}\b|\bimmediately\b"
_SIZES = r"(?:bytes?|\w+bytes?|pixels?|metres?|meters?|\w+met(?:re|er)s?|feet|inch(?:es)?|hectares?|characters?|pages?)"
_PLACES = (
    r"(?:buildings?|floor|basement|street|road|square|hall|gate|centre|center|pavilion|lodge|office|desk|canteen|mensa|"
    r"library|faculty|garden|caf[eé]|station|lawns?|river|campus|house|portal|page|site|website|folder|file|menu|"
    r"settings|machine|database|disk|sticker|city|town|museum|room (?:\d+|one|two|three))"
)


@dataclass(frozen=True)
class Detail:
    """A kind of detail: how it is asked for, and what a sentence has that gives it."""

    asks: re.Pattern[str]
    says: re.Pattern[str]

    def given_by(self, sentences: Sequence[str]) -> tuple[bool, ...]:
        """Whether each of the sentences has such a detail."""
        return tuple(self.says.search(sentence.lower()) is not None for sentence in sentences)

    def is_all_of(self, question: str) -> bool:
        """Whether the question names nothing else."""
        said = _said(question)
        asked = self.asks.match(said)
        return asked is not None and not content_words(said[asked.end() :])


def detail_of(question: str) -> Detail | None:
    """The kind of detail that a question asks for, if it is one of these."""
    said = _said(question)
    return next((detail for detail in _DETAILS if detail.asks.match(said)), None)


def asks_the_clock(question: str) -> bool:
    """Whether it is about this very moment, which no document knows."""
    return _NOW.fullmatch(_said(question)) is not None


def _said(question: str) -> str:
    return _LEAD.sub("", long_form(normal(question)))


_LEAD = re.compile(r"(?:(?:and|but|so|okay|ok|or) )+")
_NOW = re.compile(r"(?:what|which) (?:time|day|date) is it(?: now| today)?|what is the (?:time|date)(?: now| today)?")
_DETAILS = tuple(
    Detail(re.compile(rf"(?:{'|'.join(asks)})\b"), re.compile("|".join(says)))
    for asks, says in (
        # age
        (
            (rf"how old{_IT}", rf"when (?:was|were){_IT} {_MADE}", rf"since when{_IT}", rf"(?:what|which) year{_IT}"),
            (
                rf"\b(?:since|century|years old|{_MADE} in|{_MADE} \w+ years)\b",
                r"\b(?:eighteen|nineteen|twenty) (?:hundred|oh|\w+teen|\w+ty)\b|\b(?:1\d|20)\d\d\b",
            ),
        ),
        # opening hours
        (
            (
                rf"(?:when|(?:at |from )?what time|which days?|until when){_IT} (?:opens?|closes?|closed)",
                rf"until when{_IT}",
                r"(?:is|are) (?:it|they|that) (?:still |already )?(?:open|closed)(?: now| today)?",
            ),
            (_CLOCK,),
        ),
        # a time
        (
            (
                rf"(?:by |from )?when{_IT}(?: (?:starts?|begins?|ends?|deadline))?",
                rf"(?:at )?what time{_IT}",
                rf"(?:what|which) day{_IT}",
            ),
            (_CLOCK, rf"\b(?:{_MONTHS}|days?|weeks?|terms?|years?|morning|evening|night|first|once)\b"),
        ),
        # a duration, a length
        ((rf"how long{_IT} (?:takes?|lasts?|valid|kept|keep|wait)(?: for)?{_IT}",), (_SPAN,)),
        ((rf"how long{_IT}(?: for)?",), (_SPAN, rf"\b{_NUMBER} {_SIZES}\b")),
        # a price
        (
            (
                rf"how much (?:is|are|was|were|will|would){_IT}",
                rf"(?:how much|what){_IT} costs?",
                rf"what{_IT} price(?: of)?{_IT}",
                rf"how (?:expensive|cheap){_IT}",
            ),
            (
                rf"\b{_NUMBER} (?:euros?|cents?|dollars?|pounds?)\b|[€$£]",
                r"\b(?:for free|(?:is|are) free(?! *again)|free of charge|free and|nothing to pay)\b",
                r"\b(?:costs? (?:nothing|arise)|(?:no|without) (?:subscription|fee|charge|costs?))\b",
            ),
        ),
        (
            (rf"(?:what|which) colou?rs?{_IT}",),
            (r"\b(?:red|blue|green|yellow|black|white|grey|brown|orange|pink|purple)\b",),
        ),
        (
            (rf"how heavy{_IT}", rf"how much{_IT} weigh"),
            (rf"\b{_NUMBER} (?:kilos?|kilograms?|grams?|pounds?|tons?)\b",),
        ),
        ((rf"how (?:big|large|small|tall|high|wide|deep|far){_IT}",), (rf"\b{_NUMBER} {_SIZES}\b",)),
        (
            (rf"how (?:fast|quick|quickly|slow){_IT}",),
            (r"\b(?:faster|slower|quick|quickly|\w+bits?|seconds?|milliseconds?)\b",),
        ),
        # a number of things
        (
            (rf"how many{_IT}",),
            (rf"\b(?!an? |half ){_NUMBER} (?!{_TIME_UNITS}\b|(?:euros?|cents?|of|to|and|in|on|at)\b)\w",),
        ),
        ((rf"what{_IT} (?:(?:tele)?phone )?number",), (r"\b(?:extension|phone number|call) ",)),
        ((rf"what{_IT} (?:called|names?)",), (r"\b(?:called|named?|names|known as)\b",)),
        # a place
        (
            (rf"where{_IT}(?: (?:start|starts|located|kept|stored))?",),
            (
                (
                    r"\b(?:in|on|at|above|behind|beside|below|under|near|opposite|next to|with|from)(?: [\w']+){0,5}? "
                    rf"{_PLACES}\b"
                ),
            ),
        ),
        # a person
        ((rf"who(?:m|se)?{_IT}(?: (?:runs?|leads?|owns?|gives?|makes?|{_MADE}))?",), (r"\bby\b",)),
    )
)
