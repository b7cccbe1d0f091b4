"""`python -m bench.knowledge`: does each persona answer from the right passage, and admit what it does not know?

On its held-out questions: straight (answered from the right passage), asked back (naming the right passage first or
second, or not), did not know, confidently wrong (answered from another passage, or what nothing answers), refused
rightly (of what nothing answers), CPU ms a question; then the same of questions that only point back to what was just
told (`bench.pointing_back`). `--bare` does it with documents that list no ways to ask,
`--letters` without embeddings, `--misheard N` after changing every Nth word as a recogniser might, `--dev` on the
questions for tuning (of an index that knows neither them nor any way to ask like them), `--set FILE` on those of a file
with a list for each persona, such as tests/llm/asked_once_questions.toml, `--list` prints what went wrong. `--fit` fits
the weights of ranking and confidence on those for tuning, each asked of documents with and without ways to ask, and
says what is to be expected of a persona that was not fitted on.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import pointing_back
from bench.knowledge_fit import Sample, fit
from broker import personas
from broker.config import ROOT, load
from broker.tables import read_toml
from workers.llm.engine import Question
from workers.llm.index import Found, Index
from workers.llm.knowledge_engine import Line, answer
from workers.llm.library import Knowledge, Library
from workers.llm.words import normal

DEV_QUESTIONS = ROOT / "tests" / "llm" / "dev_questions.toml"
GOALS = "goals: straight 85 % or more, confidently wrong 5 % or less"
FOLDS = 20
"""Shares of the tuning questions that are hidden from the index one after the other."""
ALIKE = 0.8
"""Cosine from which a way to ask is hidden together with a question: no nearer is any to a held-out one."""


@dataclass(frozen=True)
class Outcome:
    """What came of one question. `passage`: the right one, empty if there is none."""

    ask: str
    passage: str
    lines: tuple[Line, ...]
    found: Found
    took_ms: float

    @property
    def kind(self) -> str:
        return self.lines[0].kind

    @property
    def offered(self) -> tuple[str, ...]:
        """Passages answered from or asked back about."""
        if self.kind not in ("answer", "ask_back"):
            return ()
        named = [hit.passage for hit in self.found.hits if hit.passage.heading.lower() in self.lines[0].text.lower()]
        return (self.lines[0].passage, *(passage.id for passage in named if self.kind == "ask_back"))

    @property
    def told(self) -> bool:
        """Something was said as the answer, be it small talk."""
        return self.kind not in ("ask_back", "unknown")

    @property
    def right(self) -> bool:
        return self.passage in self.offered if self.passage else not self.told

    @property
    def confident_wrong(self) -> bool:
        return self.told and (self.kind != "answer" or self.lines[0].passage != self.passage)


def outcomes(persona: dict[str, Any], knowledge: Knowledge, questions: Iterable[dict[str, str]]) -> list[Outcome]:
    """Each question asked by itself, without a history."""
    results = []
    for row in questions:
        started = time.thread_time()
        question = Question(session="bench", turn=1, text=row["ask"], language="en", persona=persona)
        lines = answer(question, knowledge)
        took_ms = 1e3 * (time.thread_time() - started)
        results.append(Outcome(row["ask"], row["passage"], tuple(lines), knowledge.index.find(row["ask"]), took_ms))
    return results


def held_out(persona: dict[str, Any], knowledge: Knowledge, questions: list[dict[str, str]]) -> list[Outcome]:
    """The same for questions that the index knows: asked of one that knows neither these nor any like them."""
    index = knowledge.index
    shuffled = list(questions)
    random.Random(1).shuffle(shuffled)
    results: list[Outcome] = []
    for fold in (shuffled[start::FOLDS] for start in range(FOLDS)):
        hidden = _like(index, [row["ask"] for row in fold])
        results += outcomes(persona, replace(knowledge, index=index.without(hidden)), fold)
    return results


def _like(index: Index, asked: list[str]) -> set[str]:
    """What the index knows that means the same as one of `asked`; without embeddings, that is the same."""
    of_asked = [vector for text in asked if (vector := index.find(text).vector) is not None]
    if not of_asked:
        return {text for text in index.questions if normal(text) in {normal(one) for one in asked}}
    near = _vectors(index) @ np.stack(of_asked).T
    return {text for text, nearness in zip(index.questions, near.max(axis=1), strict=True) if nearness >= ALIKE}


@cache
def _vectors(index: Index) -> NDArray[np.float32]:
    """Of all questions it knows."""
    found = (index.find(text).vector for text in index.questions)
    return np.stack([vector for vector in found if vector is not None])


def bare(knowledge: Knowledge) -> Knowledge:
    """The same documents without their lists of what people ask."""
    listed = {way for passage in knowledge.index.passages for way in passage.asked} | set(knowledge.index.unanswered)
    return replace(knowledge, index=knowledge.index.without(listed))


def misheard(text: str, every: int, seed: int) -> str:
    """Every Nth word lost, doubled or with a letter changed: about what a recogniser does at 1/N word errors."""
    random_ = random.Random(seed)
    words = text.split()
    for at in range(random_.randrange(every), len(words), every):
        way = random_.randrange(3)
        middle = len(words[at]) // 2
        changed = words[at][:middle] + random_.choice("aeioudtns") + words[at][middle + 1 :]
        words[at] = ("", words[at] + " " + random_.choice(("the", "a", "and", "to")), changed)[way]
    return " ".join(word for word in words if word)


def report(name: str, results: list[Outcome], *, details: bool) -> None:
    """One line of figures, and on demand what went wrong."""
    answerable = [result for result in results if result.passage]
    others = [result for result in results if not result.passage]
    back = [result for result in answerable if result.kind == "ask_back"]
    straight = sum(result.right and result.kind == "answer" for result in answerable)
    wrong = sum(result.confident_wrong for result in results)
    unknown = sum(result.kind == "unknown" for result in answerable)
    times = sorted(result.took_ms for result in results)
    print(
        f"{name:10} {len(answerable):3} + {len(others):2} questions  straight {_share(straight, answerable)}  "
        f"asked back: rightly {_share(sum(r.right for r in back), answerable)}, "
        f"wrongly {_share(sum(not r.right for r in back), answerable)}  did not know {_share(unknown, answerable)}  "
        f"confidently wrong {_share(wrong, results)}  "
        f"refused rightly {_share(sum(r.right for r in others), others)} "
        f"({_share(sum(r.kind == 'ask_back' for r in others), others)} by asking back)  "
        f"p50 {times[len(times) // 2]:.1f} ms  p95 {times[int(len(times) * 0.95)]:.1f} ms"
    )
    for result in results if details else ():
        if not result.right or result.confident_wrong:
            said = result.lines[0]
            print(
                f"    {said.confidence:.2f} {said.kind:9} {result.ask!r}: {said.passage or '-'}, want {result.passage}"
            )


def sample(persona: str, outcome: Outcome, knowledge: Knowledge, listed: bool) -> Sample:
    """What there is to learn from an outcome."""
    found = outcome.found
    ids = [passage.id for passage in knowledge.index.passages]
    right = ids.index(outcome.passage) if outcome.passage else None
    first = ids.index(found.hits[0].passage.id)
    assert found.views is not None
    return Sample(persona, listed, found.views, found.signs, right, first)


def _share(part: int, whole: list[Outcome]) -> str:
    return f"{100 * part / max(1, len(whole)):5.1f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("personas", nargs="*", help="all, if none is named")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--dev", action="store_true")
    which.add_argument("--fit", action="store_true")
    which.add_argument("--set", type=Path, metavar="FILE")
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--letters", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--misheard", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    settings = load()
    folder = settings.path("personas")
    with tempfile.TemporaryDirectory() as empty:
        weights = Path(empty) if arguments.letters else settings.path("weights") / "minilm"
        library = Library(folder, weights, settings.path("cache"))
        tables = read_toml(arguments.set or DEV_QUESTIONS)
        pointing = read_toml(pointing_back.TUNING if arguments.dev else pointing_back.HELD_OUT)
        everything: list[Outcome] = []
        after: list[pointing_back.Reply] = []
        samples: list[Sample] = []
        for name in arguments.personas or [name for name in personas.known(folder) if name in tables]:
            persona = personas.load(folder, name).snapshot()
            known = library.wait(persona, "en", timeout_s=600)
            tuning = arguments.dev or arguments.fit
            known = bare(known) if arguments.bare else known
            own = folder / name / "questions.toml"
            asked = tables[name] if tuning or arguments.set else read_toml(own)["questions"]
            questions = [row for row in asked if not row.get("known")]
            if arguments.misheard:
                questions = [
                    row | {"ask": misheard(row["ask"], arguments.misheard, at)} for at, row in enumerate(questions)
                ]
            results = held_out(persona, known, questions) if tuning else outcomes(persona, known, questions)
            report(name, results, details=arguments.list)
            everything += results
            if not (arguments.fit or arguments.set or arguments.misheard):
                about_told = pointing_back.replies(persona, known, pointing.get(name, ()))
                pointing_back.report(name, about_told, details=arguments.list)
                after += about_told
            if arguments.fit:
                without = outcomes(persona, bare(known), questions)
                samples += [
                    sample(name, one, known, listed)
                    for listed, all_ in ((True, results), (False, without))
                    for one in all_
                ]
        report("all", everything, details=False)
        if after:
            pointing_back.report("all", after, details=False)
        print(GOALS)
        if arguments.fit:
            fit(samples)
        library.close()


if __name__ == "__main__":
    main()
