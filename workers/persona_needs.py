"""What a persona asks of this machine and cannot have: engines, voices, faces, each looked for as its stage would.

For bin/doctor. What is wrong whatever the machine, loading the persona has said (broker/persona_check.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from broker.config import Settings
from broker.errors import EngineError, VisavisError
from broker.personas import Persona
from workers import engines

if TYPE_CHECKING:  # a stage's room is imported when something of it is looked for
    from workers.asr.engine import Engines
    from workers.lipsync.engine import FaceEngine
    from workers.tts.voices import Voices

MOST_NAMED = 12


@dataclass(frozen=True)
class Lacking:
    """`key` as the persona's file has it. `needed`: without it there is no conversation."""

    key: str
    words: str
    needed: bool = True


class Needs:
    """Looks at one persona after another; what it has loaded for one serves the next."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def lacking(self, persona: Persona) -> Iterator[Lacking]:
        """All that is not here; nothing when a conversation with this persona will be as its file says."""
        yield from self._face(persona)
        for language in persona.languages:
            yield from self._voice(persona, language)
        yield from _tried("[brain] engine", lambda: _find_brain(persona))
        yield from self._ear(persona)

    def close(self) -> None:
        """End what was begun."""
        if "_ears" in self.__dict__:
            self._ears.close()

    # --- stage by stage ---

    def _face(self, persona: Persona) -> Iterator[Lacking]:
        from workers.lipsync.backdrops import OWN
        from workers.lipsync.engine import CutsOut

        face, engine = persona.face, self._faces
        if engine is not None:
            yield from _tried("[face] portrait", lambda: engine.find(face.portrait))
            if face.background not in OWN and isinstance(engine, CutsOut):
                yield from _tried("[face] background", lambda: engine.find_backdrop(face.background), needed=False)
        model = self._settings.path("avatars") / (face.model or face.portrait)
        if face.front == "avatar3d" and not [*model.glob("*.glb"), *model.glob("*.vrm")]:
            key = "[face] model" if face.model else "[face] front"
            yield Lacking(key, f"the 3D model is missing: put a .glb or .vrm file into {model}", needed=False)

    def _voice(self, persona: Persona, language: str) -> Iterator[Lacking]:
        table = f"[voices.{language}]"
        try:
            voicing = self._voices.choose(persona.snapshot()["voices"], language)
        except EngineError as error:
            yield Lacking(f"{table} engine" if language in persona.voices else "languages", str(error))
            return
        if voicing.lacking:
            names = voicing.engine.voices(language)
            known = ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")
            words = f"{voicing.engine.name} has no voice {voicing.lacking!r}, {voicing.voice} speaks. Known: {known}."
            yield Lacking(f"{table} voice", words, needed=False)

    def _ear(self, persona: Persona) -> Iterator[Lacking]:
        """Without ears one types."""
        from workers.asr.engine import heard_in

        named = persona.asr.engine not in ("", "auto")
        snapshot = persona.snapshot()
        for language in dict.fromkeys(heard_in(snapshot, each) for each in persona.languages):
            key = "[asr] engine" if named else "languages"
            found = [*_tried(key, partial(self._open, snapshot, language), needed=False)]
            yield from found
            if found and named:
                return

    def _open(self, persona: dict[str, Any], language: str) -> None:
        """A recogniser, where the persona names one: it may not know the language."""
        wished = persona["asr"]["engine"] or "auto"
        engine = self._ears.chosen(wished, language)
        if wished != "auto":
            engine.open(persona, language).close()

    # --- what is loaded once ---

    @cached_property
    def _voices(self) -> Voices:
        from workers.tts.voices import Voices

        return Voices(self._settings.engines)

    @cached_property
    def _ears(self) -> Engines:
        from workers.asr.engine import Engines

        settings = self._settings
        return Engines(settings.path("weights"), settings.path("cache"), settings.path("personas"), settings.engines)

    @cached_property
    def _faces(self) -> FaceEngine | None:
        """None where there is no engine, which is no persona's fault."""
        from workers.lipsync.engine import choose

        try:
            return choose(self._settings.stages.face, self._settings)[0]
        except EngineError:
            return None


def _find_brain(persona: Persona) -> None:
    from workers.llm.build import chosen
    from workers.llm.engine import ENGINES

    engines.find(chosen(persona.snapshot())[0], ENGINES, "brain")


def _tried(key: str, look: Callable[[], object], needed: bool = True) -> Iterator[Lacking]:
    try:
        look()
    except VisavisError as error:
        yield Lacking(key, str(error), needed)
    except Exception as error:  # a third party's engine raises what it likes
        yield Lacking(key, f"It cannot be loaded: {type(error).__name__}: {error}", needed)
