"""The sculpted people, by name. Shapes and numbers were tuned by looking."""

from __future__ import annotations

from workers.lipsync.generator3d.people.robin import ROBIN
from workers.lipsync.generator3d.people.vera import VERA

PEOPLE = {person.name: person for person in (VERA, ROBIN)}
