"""`python -m bench.knowledge`: does each persona answer from the right passage, and admit what it does not know?

On its held-out questions: straight (answered from the right passage), asked back (naming the right passage first or
second, or not), did not know, confidently wrong (answered from another passage, or what nothing answers), refused
rightly (of what nothing answers), CPU ms a question. `--letters` does it without embeddings, `--misheard N` after
changing every Nth word as a recogniser might, `--dev` on the questions for tuning, of which the documents know a fifth
less each time, `--fit` fits the weights of the confidence on those, `--list` prints what went wrong.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from broker import personas
from broker.config import ROOT, load
from broker.tables import read_toml
from workers.llm.engine import Question
from workers.llm.index import Found
from workers.llm.knowledge_engine import Line, answer
from workers.llm.library import Knowledge, Library

DEV_QUESTIONS = ROOT / "tests" / "llm" / "dev_questions.toml"
GOALS = "goals: straight 85 % or more, confidently wrong 5 % or less"
FOLDS = 5
ALIKE = 0.85
"""Cosine from which a question for tuning is too near to the documents' own words to teach anything."""


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
    def right(self) -> bool:
        return self.passage in self.offered if self.passage else self.kind != "answer"

    @property
    def confident_wrong(self) -> bool:
        return self.kind == "answer" and self.lines[0].passage != self.passage


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
    """The same for questions that the documents know as ways to ask: a fifth of them at a time is taken out there."""
    results: list[Outcome] = []
    for fold in range(FOLDS):
        asked = questions[fold::FOLDS]
        less = replace(knowledge, index=knowledge.index.without({row["ask"] for row in asked}))
        results += outcomes(persona, less, asked)
    return results


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
        f"refused rightly {_share(sum(r.right for r in others), others)}  "
        f"p50 {times[len(times) // 2]:.1f} ms  p95 {times[int(len(times) * 0.95)]:.1f} ms"
    )
    for result in results if details else ():
        if not result.right or result.confident_wrong:
            said = result.lines[0]
            print(
                f"    {said.confidence:.2f} {said.kind:9} {result.ask!r}: {said.passage or '-'}, want {result.passage}"
            )


def _share(part: int, whole: list[Outcome]) -> str:
    return f"{100 * part / max(1, len(whole)):5.1f} %"


def fit(results: list[Outcome], knowledge: dict[str, Knowledge], of: list[str]) -> None:
    """Logistic regression (Newton, ridge 1) of "the first passage is right" on the features; prints the weights."""
    kept = [
        result
        for result, name in zip(results, of, strict=True)
        if result.found.hits and not _too_near(result, knowledge[name])
    ]
    features = np.array([(*result.found.features, 1.0) for result in kept])
    right = np.array([float(result.found.hits[0].passage.id == result.passage) for result in kept])
    spread = np.append(features[:, :-1].std(axis=0), 1.0)
    x, w = features / spread, np.zeros(features.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ (p - right) + np.append(w[:-1], 0)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.diag(np.append(np.ones(len(w) - 1), 1e-6))
        w -= np.linalg.solve(hessian, gradient)
    print("weights", tuple(round(float(value), 2) for value in w / spread), f"on {len(kept)} questions")


def _too_near(result: Outcome, knowledge: Knowledge) -> bool:
    """Whether the documents hold the question nearly word for word."""
    if not result.passage or result.found.vector is None:
        return False
    passage = knowledge.index.passage(result.passage)
    return passage is not None and result.found.features[2] >= ALIKE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("personas", nargs="*", help="all, if none is named")
    parser.add_argument("--dev", action="store_true")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--letters", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--misheard", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    settings = load()
    folder = settings.path("personas")
    with tempfile.TemporaryDirectory() as empty:
        weights = Path(empty) if arguments.letters else settings.path("weights") / "minilm"
        library = Library(folder, weights, settings.path("cache"))
        dev = read_toml(DEV_QUESTIONS)
        everything: list[Outcome] = []
        of: list[str] = []
        known: dict[str, Knowledge] = {}
        for name in arguments.personas or [name for name in personas.known(folder) if name in dev]:
            persona = personas.load(folder, name).snapshot()
            known[name] = library.wait(persona, "en", timeout_s=600)
            tuning = arguments.dev or arguments.fit
            asked = dev[name] if tuning else read_toml(folder / name / "questions.toml")["questions"]
            questions = [row for row in asked if not row.get("known")]
            if arguments.misheard:
                questions = [
                    row | {"ask": misheard(row["ask"], arguments.misheard, at)} for at, row in enumerate(questions)
                ]
            results = held_out(persona, known[name], questions) if tuning else outcomes(persona, known[name], questions)
            report(name, results, details=arguments.list)
            everything += results
            of += [name] * len(results)
        report("all", everything, details=False)
        print(GOALS)
        if arguments.fit:
            fit(everything, known, of)
        library.close()


if __name__ == "__main__":
    main()
