"""The project's exceptions. Each message is a sentence that says what to do.

VisavisError
 ├─ ConfigError      a setting, a persona or the command line is wrong
 ├─ WireError        bytes on the bus are not a message
 ├─ EngineError      an engine cannot serve what was asked
 │   └─ MissingError   a library, weights or a device is not here; says what brings it
 └─ StoreError       the database cannot be used
"""

from __future__ import annotations


class VisavisError(Exception):
    """Anything this project raises on purpose."""


class ConfigError(VisavisError):
    """A setting, a persona or the command line is wrong."""


class WireError(VisavisError):
    """Bytes on the bus are not a message; names the message and the field."""


class EngineError(VisavisError):
    """An engine cannot serve what was asked. `code` is for programs, the text for people."""

    def __init__(self, text: str, code: str = "engine") -> None:
        super().__init__(text)
        self.code = code


class MissingError(EngineError):
    """A library, weights or a device is not here; the text names the command that brings it."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "missing")


class StoreError(VisavisError):
    """The database cannot be used."""
