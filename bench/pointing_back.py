"""Part of `python -m bench.knowledge`: questions that only point back ("when does it open") to what was just told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from broker.config import ROOT
from broker.messages import Exchange
from workers.llm.engine import Question
from workers.llm.knowledge_engine import Line, answer
from workers.llm.library import Knowledge

HELD_OUT = ROOT / "tests" / "llm" / "pointing_back_questions.toml"
TUNING = ROOT / "tests" / "llm" / "dev_pointing_back_questions.toml"


@dataclass(frozen=True)
class Reply:
    """What came of one question. `says`: what must be heard; empty if the passage `told` does not say it."""

    told: str
    ask: str
    says: str
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        return " ".join(line.text for line in self.lines)

    @property
    def is_answered(self) -> bool:
        return self.lines[0].kind == "answer"

    @property
    def is_right(self) -> bool:
        """Answered with what had to be heard; not answered if nothing had to."""
        if not self.says:
            return not self.is_answered
        is_of_told = self.lines[-1].passage == self.told and self.lines[0].kind in ("answer", "follow_up")
        return is_of_told and self.says.lower() in self.text.lower()


def replies(persona: dict[str, Any], knowledge: Knowledge, rows: Iterable[Mapping[str, str]]) -> list[Reply]:
    """Each question asked after its passage was told from beginning to end."""
    results = []
    for row in rows:
        passage = knowledge.index.passage(row["told"])
        assert passage is not None, row
        history = (
            Exchange(role="user", text=passage.heading),
            Exchange(role="avatar", text=passage.text, passage=passage.id),
        )
        question = Question(session="bench", turn=2, text=row["ask"], language="en", persona=persona, history=history)
        results.append(Reply(row["told"], row["ask"], row.get("says", ""), tuple(answer(question, knowledge))))
    return results


def report(name: str, results: list[Reply], *, details: bool) -> None:
    """One line of figures, and on demand what went wrong."""
    answerable = [result for result in results if result.says]
    others = [result for result in results if not result.says]
    wrong = sum(result.is_answered and not result.is_right for result in results)
    print(
        f"{name:10} {len(answerable):3} + {len(others):2} pointing back  "
        f"answered rightly {_share(sum(r.is_right for r in answerable), answerable)}  "
        f"confidently wrong {_share(wrong, results)}  "
        f"refused rightly {_share(sum(r.is_right for r in others), others)}"
    )
    for result in results if details else ():
        if not result.is_right:
            said = result.lines[0]
            wanted = f"{result.told}, {result.ask!r}, want {result.says or 'nothing'!r}"
            print(f"    {said.confidence:.2f} {said.kind:9} {wanted}: {result.text[:100]}")


def _share(part: int, whole: list[Reply]) -> str:
    return f"{100 * part / max(1, len(whole)):5.1f} %"
