"""What a persona's values may be, as far as it can be said without engines and files; `bin/doctor` looks at those, too.

Every error names the file, the key, what is wrong and what can stand there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from broker.arpabet import PHONES
from broker.errors import ConfigError
from broker.expressions import check as check_expressions
from broker.turn_state import TurnSettings

if TYPE_CHECKING:  # it imports this file
    from broker.personas import Brain, Face, Persona

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")
"""BCP 47, and the underscore that other programs write; no language of its registry has more than three letters."""
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_NAME = re.compile(r"[\w-]{1,64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def check(persona: Persona) -> None:
    """Raises ConfigError for the first value that makes no sense."""
    where = f"{persona.id}.toml"
    _languages(persona, where)
    _face(persona.face, f"{where}: [face]")
    _brain(persona.brain, f"{where}: [brain]")
    if not 0 <= persona.knowledge.ask_back <= persona.knowledge.answer <= 1:
        raise ConfigError(f"{where}: knowledge needs 0 ≤ ask_back ≤ answer ≤ 1.")
    for number, talk in enumerate(persona.small_talk, 1):
        if not talk.say or not talk.reply:
            raise ConfigError(f"{where}: [[small_talk]] number {number} needs both: what people `say`, and a `reply`.")
    for word in persona.asr.words:
        _word(word, f"{where}: [asr] words")
    TurnSettings.of(persona.turns, f"{where}: [turns]")
    check_expressions(persona.expressions, where)


def _languages(persona: Persona, where: str) -> None:
    if not persona.languages:
        raise ConfigError(f"{where}: languages must name at least one, such as ['en'].")
    for language in persona.languages:
        if not _LANGUAGE.fullmatch(language):
            raise ConfigError(
                f"{where}: languages has {language!r}; each is a tag of two or three letters, such as 'en', "
                "'es' or 'zh', with a place where it matters: 'es-419'."
            )
    if persona.asr.language not in ("", "detect", *persona.languages):
        known = ", ".join(map(repr, ("", "detect", *persona.languages)))
        raise ConfigError(f"{where}: [asr] language is {persona.asr.language!r}; it must be one of {known}.")
    for language, voice in persona.voices.items():
        if language not in persona.languages:
            raise ConfigError(f"{where}: [voices.{language}] is for a language that `languages` does not list.")
        _within(voice.rate, 0.5, 2, f"{where}: [voices.{language}] rate")


def _face(face: Face, where: str) -> None:
    _within(face.motion, 0, 1, f"{where} motion")
    for key, name in (("portrait", face.portrait), ("model", face.model or face.portrait)):
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{where} {key} is {name!r}; it must be the name of a folder of static/avatars/.")
    if face.background and not (_COLOUR.fullmatch(face.background) or _NAME.fullmatch(face.background)):
        raise ConfigError(
            f"{where} background is {face.background!r}; it must be a colour as '#rrggbb', the name of a picture of "
            "static/backdrops/ without its ending, or '' for the portrait's own."
        )


def _brain(brain: Brain, where: str) -> None:
    _within(brain.temperature, 0, 2, f"{where} temperature")
    _within(brain.max_tokens, 1, 100_000, f"{where} max_tokens")
    _within(brain.timeout_s, 0.1, 600, f"{where} timeout_s")
    if brain.url and not _is_server(brain.url):
        raise ConfigError(
            f"{where} url is {brain.url!r}; it must be a server's address, such as 'http://127.0.0.1:8000/v1'."
        )
    if brain.engine == "openai" and not brain.url:
        raise ConfigError(f"{where} engine = 'openai' needs a url, such as 'http://127.0.0.1:8000/v1'.")
    if brain.api_key_env and not _VARIABLE.fullmatch(brain.api_key_env):  # it may be the key itself: not repeated
        raise ConfigError(
            f"{where} api_key_env must be the name of an environment variable, such as 'HOUSE_KEY'; the key itself "
            "does not belong into a file."
        )


def _is_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and " " not in url
    except ValueError:
        return False


def _word(entry: str, where: str) -> None:
    """ "Visavis" or "Visavis: V IY Z AA V IY"."""
    word, colon, sound = entry.partition(":")
    if not word.strip():
        raise ConfigError(f"{where} has {entry!r}, which names no word.")
    if not colon:
        return
    phones = sound.split()
    unknown = [phone for phone in phones if phone not in PHONES]
    if unknown or not phones:
        raise ConfigError(
            f"{where} has {entry!r}: after the colon stands how the word sounds, in ARPABET without stress"
            + (f", which has no {', '.join(map(repr, unknown))}" if unknown else "")
            + f". Known: {' '.join(sorted(PHONES))}."
        )
    if not _WORD.fullmatch(word.strip()):
        raise ConfigError(f"{where} has {entry!r}: a sound is given to one word, of letters and ' alone.")


def _within(value: float, low: float, high: float, what: str) -> None:
    if not low <= value <= high:  # nan is not, either
        raise ConfigError(f"{what} is {value}; it must be between {low} and {high}.")
