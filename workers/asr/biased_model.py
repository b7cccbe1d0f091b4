"""A persona's vocabulary as files the recogniser loads: a language model and a dictionary, cached by their content.

The general model knows 72 000 words; the decoder looks for its commonest and for the persona's own, which costs half
the time of looking for all (RTF 0.06 against 0.12).
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .language_model import write_arpa
from .pronounce import Pronounce, pronounce
from .vocabulary import Sentence

FORMAT = 1
"""Raised whenever the files would come out differently."""
COMMON_WORDS = 20_000


@dataclass(frozen=True)
class BiasedModel:
    language_model: Path
    dictionary: Path


def build(
    sentences: list[Sentence],
    models: Path,
    cache: Path,
    g2p: Pronounce | None = None,
    own_said: dict[str, tuple[str, ...]] | None = None,
) -> BiasedModel:
    """The files for these sentences, made unless they lie in `cache` already. `models`: pocketsphinx's en-us folder.

    `own_said`: pronunciations that go before all others.
    """
    own_said = own_said or {}
    key = json.dumps([FORMAT, COMMON_WORDS, g2p is not None, own_said, sorted(sentences)], ensure_ascii=False)
    folder = cache / hashlib.sha256(key.encode()).hexdigest()[:16]
    made = BiasedModel(folder / "words.arpa", folder / "words.dict")
    if made.language_model.is_file() and made.dictionary.is_file():
        return made
    cache.mkdir(parents=True, exist_ok=True)
    known = read_dictionary(models / "cmudict-en-us.dict")
    own = {word for words, _ in sentences for word in words}
    said = {word: ways for word in own if (ways := own_said.get(word) or pronounce(word, known, g2p))}
    for word in common_words(models, cache, known):
        said.setdefault(word, known[word])
    with tempfile.TemporaryDirectory(dir=cache) as draft:
        write_arpa(
            ((tuple(w for w in words if w in said), weight) for words, weight in sentences), Path(draft) / "words.arpa"
        )
        (Path(draft) / "words.dict").write_text(_dictionary_text(said), encoding="utf-8")
        folder.mkdir(exist_ok=True)
        for name in ("words.arpa", "words.dict"):  # another process may make the same files: each lands whole
            os.replace(Path(draft) / name, folder / name)
    return made


def read_dictionary(path: Path) -> dict[str, tuple[str, ...]]:
    """A CMU dictionary: word to its pronunciations."""
    said: dict[str, tuple[str, ...]] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word, _, phones = line.strip().partition(" ")
            word = word.partition("(")[0]
            said[word] = (*said.get(word, ()), phones.strip())
    return said


def common_words(models: Path, cache: Path, known: dict[str, tuple[str, ...]]) -> list[str]:
    """The general model's likeliest words that can be said, likeliest first; found once and kept in `cache`."""
    kept = cache / f"common-{COMMON_WORDS}.txt"
    if kept.is_file():
        return [word for word in kept.read_text(encoding="utf-8").split() if word in known]
    from pocketsphinx import NGramModel

    general = NGramModel.readfile(str(models / "en-us.lm.bin"))
    chance = {word: general.prob([word]) for word in known}
    never = min(chance.values())
    ranked = sorted((word for word in known if chance[word] > never), key=lambda word: (-chance[word], word))
    draft = Path(tempfile.mkstemp(dir=cache)[1])
    draft.write_text("\n".join(ranked[:COMMON_WORDS]), encoding="utf-8")
    os.replace(draft, kept)
    return ranked[:COMMON_WORDS]


def _dictionary_text(said: dict[str, tuple[str, ...]]) -> str:
    return "".join(
        f"{word if n == 0 else f'{word}({n + 1})'} {phones}\n"
        for word in sorted(said)
        for n, phones in enumerate(dict.fromkeys(said[word]))
    )
