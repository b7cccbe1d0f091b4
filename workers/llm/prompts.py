"""What a language model is told: the persona's prompt, the passages that fit, and the dialogue as it was heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from broker.messages import Exchange
from workers.llm.passages import Passage
from workers.llm.tags import TOLD

MOST_HISTORY_CHARACTERS = 6000
MOST_QUESTION_CHARACTERS = 4000
INTERRUPTED = " — [interrupted here; the rest was not heard]"
GO_ON = "Go on exactly where you stopped. Do not repeat what you have said."

DEFAULT_PROMPT = """\
You are {name}, a talking avatar. {description}
Your words are spoken aloud by a synthetic voice and seen on a face, so answer as people talk: one to three short \
sentences, in the language with the code "{language}", without lists, markup, emoji or addresses spelled out. \
Begin with the answer itself. Use only what stands in the notes below and in this conversation; if it is not there, \
say kindly that you do not know. What was misheard by speech recognition, take in the way that makes sense; if you \
cannot, ask back.

{tags}

Notes:
{passages}"""

NO_NOTES = "(There are no notes on this question.)"


def messages(
    persona: Mapping[str, Any],
    language: str,
    history: Sequence[Exchange],
    text: str,
    passages: Sequence[Passage],
    said_so_far: Sequence[str] = (),
) -> list[dict[str, str]]:
    """Chat messages: one system message, then user and assistant in strict turns, the question last.

    After a crash, `said_so_far` is the assistant's own beginning, followed by the wish to go on.
    """
    lines = [(line.role, line.text + (INTERRUPTED if line.interrupted else "")) for line in _recent(history)]
    opening = ""
    while lines and lines[0][0] != "user":
        opening = f"{opening} {lines.pop(0)[1]}".strip()
    lines.append(("user", text[:MOST_QUESTION_CHARACTERS]))
    if said_so_far:
        lines += [("avatar", " ".join(said_so_far)), ("user", GO_ON)]
    system = system_prompt(persona, language, passages)
    if opening:
        system += f"\n\nYou opened the conversation with: {opening}"
    return [{"role": "system", "content": system}, *_in_turns(lines)]


def system_prompt(persona: Mapping[str, Any], language: str, passages: Sequence[Passage]) -> str:
    """The persona's prompt with {name}, {description}, {language} and {passages} filled in.

    A prompt of its own without {passages} gets them added; other braces in it stay as they are. What the face can show
    is told where {tags} stands, else before the added notes or at the end.
    """
    notes = "\n\n".join(f"{passage.heading}: {passage.text}" for passage in passages) or NO_NOTES
    template = str(persona.get("brain", {}).get("prompt", "")).strip() or DEFAULT_PROMPT
    if "{passages}" not in template:
        template += ("" if "{tags}" in template else "\n\n{tags}") + "\n\nNotes:\n{passages}"
    elif "{tags}" not in template:
        template += "\n\n{tags}"
    values = {
        "tags": TOLD,
        "name": str(persona.get("name", "")),
        "description": str(persona.get("description", "")),
        "language": language,
    }
    for key, value in values.items():
        template = template.replace("{" + key + "}", value)
    return template.replace("{passages}", notes)


def _recent(history: Sequence[Exchange]) -> list[Exchange]:
    """The newest lines that fit, oldest first."""
    recent: list[Exchange] = []
    room = MOST_HISTORY_CHARACTERS
    for line in reversed(history):
        room -= len(line.text)
        if room < 0 and recent:
            break
        if line.text.strip():
            recent.append(line)
    return recent[::-1]


def _in_turns(lines: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Neighbouring lines of one side joined: many models' templates refuse two in a row."""
    turns: list[dict[str, str]] = []
    for role, text in lines:
        name = "user" if role == "user" else "assistant"
        if turns and turns[-1]["role"] == name:
            turns[-1]["content"] += "\n" + text
        else:
            turns.append({"role": name, "content": text})
    return turns
