"""Tags of languages, as people write them in a persona: what they have in common whatever the region (BCP 47)."""

from __future__ import annotations

from collections.abc import Sequence

_MACRO = {"cmn": "zh"}


def primary(tag: str) -> str:
    """The language without its region or script: `en-GB` and `en_US` → `en`, `zh-Hant` and `cmn` → `zh`."""
    language = tag.replace("_", "-").partition("-")[0].lower()
    return _MACRO.get(language, language)


def nearest(tag: str, spoken: Sequence[str]) -> str:
    """The one of `spoken` that is `tag`, else the first that is the same language elsewhere; empty if there is none."""
    if tag in spoken:
        return tag
    return next((each for each in spoken if primary(each) == primary(tag)), "")
