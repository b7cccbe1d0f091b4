"""The painted people, by name. Shapes and numbers were tuned by looking."""

from __future__ import annotations

from workers.lipsync.generator.people.robin import ROBIN
from workers.lipsync.generator.people.sam import SAM
from workers.lipsync.generator.people.vera import VERA

PEOPLE = {person.name: person for person in (VERA, ROBIN, SAM)}
