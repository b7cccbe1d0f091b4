"""What can go wrong between a page and the edge, as exceptions that carry the page's error code.

PageError           a code of the WebSocket contract and a sentence for the person; `fatal`: trying again cannot help
 ├─ BadMessage        not JSON, not a known type, or a field out of range
 ├─ SdpError          the offer or a candidate cannot be used
 └─ RateError         more messages than a person could cause
"""

from __future__ import annotations

from broker.errors import VisavisError


class PageError(VisavisError):
    """Told to the page as `{"type": "error", "code", "text", "fatal"}`."""

    def __init__(self, code: str, text: str, fatal: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.fatal = fatal


class BadMessage(PageError):
    """The page sent something the contract does not have."""

    def __init__(self, text: str, fatal: bool = False) -> None:
        super().__init__("bad_message", text, fatal)


class SdpError(PageError):
    """The offer or a candidate cannot be used."""

    def __init__(self, text: str) -> None:
        super().__init__("sdp", text)


class RateError(PageError):
    """More messages than a person could cause."""

    def __init__(self) -> None:
        super().__init__("rate", "Too many messages; the connection was closed.", fatal=True)
