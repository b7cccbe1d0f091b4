"""`python -m webrtc.path_check`: asks the STUN and TURN servers of the settings and says what they are good for.

Run on the server's machine by bin/doctor. What lies between a viewer and here is said by the page itself
(static/js/path_verdict.mjs), which sees the viewer's side.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from aioice import stun, turn

from broker.config import Server, load
from broker.errors import VisavisError
from broker.loopback import is_loopback
from webrtc.turn_credentials import minted

ANSWER_S = 3.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one server is good for."""

    url: str
    good: bool
    words: str


async def verdicts(server: Server) -> list[Verdict]:
    """One a URL, asked at the same time."""
    asked = []
    for entry in (*server.ice_servers, *minted(server, time.time())):
        urls = entry.get("urls", ())
        for url in [urls] if isinstance(urls, str) else urls:
            asked.append(_asked(str(url), str(entry.get("username", "")), str(entry.get("credential", ""))))
    return list(await asyncio.gather(*asked))


def summary(server: Server, found: list[Verdict]) -> str:
    """For whom it will work, in one sentence."""
    relays = [verdict for verdict in found if verdict.good and verdict.url.startswith("turn")]
    if relays:
        return "browsers reach it directly, or relayed where their network lets no UDP through to here"
    if is_loopback(server.host):
        return "only this machine's browsers can reach it (server.host is loopback), and they do so directly"
    if any(verdict.url.startswith("turn") for verdict in found):
        return "no relay answers: viewers behind a firewall without UDP will see words and hear nothing"
    if found:
        return "reflexive paths only: viewers behind a firewall without UDP need a relay (etc/coturn.conf)"
    return (
        "direct paths only: viewers elsewhere reach it if this machine's UDP ports are open; else see etc/coturn.conf"
    )


async def _asked(url: str, username: str, credential: str) -> Verdict:
    scheme, host, port, transport = parsed(url)
    try:
        async with asyncio.timeout(ANSWER_S):
            if scheme == "stun":
                seen = await _binding((host, port))
                return Verdict(url=url, good=True, words=f"answers; it sees this machine as {seen}")
            relayed = await _allocation((host, port), transport, scheme == "turns", username, credential)
            over = "TLS" if scheme == "turns" else transport.upper()
            return Verdict(url=url, good=True, words=f"relays over {over}, from {relayed}")
    except TimeoutError:
        return Verdict(url=url, good=False, words=f"does not answer within {ANSWER_S:.0f} s: blocked, or not running")
    except stun.TransactionTimeout:
        return Verdict(url=url, good=False, words="does not answer: blocked, or not running")
    except stun.TransactionFailed as error:
        code = error.response.attributes.get("ERROR-CODE", (0, ""))[0]
        why = "it has another secret than server.turn_secret" if code == 401 else f"it answers {code}"
        return Verdict(url=url, good=False, words=f"refuses: {why}")
    except ssl.SSLCertVerificationError as error:
        why = f"its certificate is not trusted here: {error.verify_message}"
        return Verdict(url=url, good=False, words=f"browsers will refuse it: {why}")
    except OSError as error:
        return Verdict(url=url, good=False, words=f"cannot be reached ({error.strerror or error})")


def parsed(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and transport of a STUN or TURN URI (RFC 7064, 7065). Raises ValueError for another."""
    scheme, _, rest = url.partition(":")
    place, _, query = rest.partition("?")
    host, _, port = place.rpartition(":") if ":" in place and not place.endswith("]") else (place, "", "")
    if scheme not in ("stun", "turn", "turns") or not (host or place):
        raise ValueError(f"{url!r} is not stun:host:port or turn:host:port?transport=udp.")
    transport = parse_qs(query).get("transport", ["tcp" if scheme == "turns" else "udp"])[0]
    return scheme, (host or place).strip("[]"), int(port or (5349 if scheme == "turns" else 3478)), transport


class _Answer(asyncio.DatagramProtocol):
    """The first answer that can be read."""

    def __init__(self) -> None:
        self.come: asyncio.Future[stun.Message] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        with contextlib.suppress(ValueError):
            message = stun.parse_message(data)
            if not self.come.done():
                self.come.set_result(message)

    def error_received(self, exc: Exception) -> None:
        if not self.come.done():
            self.come.set_exception(exc)


async def _binding(server: tuple[str, int]) -> str:
    """How the STUN server sees this machine."""
    transport, answer = await asyncio.get_running_loop().create_datagram_endpoint(_Answer, remote_addr=server)
    try:
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        while not answer.come.done():  # UDP may lose one
            transport.sendto(bytes(request))
            await asyncio.wait([answer.come], timeout=0.5)
        host, port = answer.come.result().attributes["XOR-MAPPED-ADDRESS"]
        return f"{host}:{port}"
    finally:
        transport.close()


async def _allocation(server: tuple[str, int], transport: str, tls: bool, username: str, credential: str) -> str:
    opened, _ = await turn.create_turn_endpoint(
        asyncio.DatagramProtocol,
        server_addr=server,
        username=username or None,
        password=credential or None,
        ssl=tls,
        transport=transport,
    )
    try:
        host, port = opened.get_extra_info("sockname")[:2]
        return f"{host}:{port}"
    finally:
        opened.close()
        await asyncio.sleep(0.1)  # the allocation is given back


def main() -> int:
    """1: a configured server is no good."""
    try:
        server = load().server
        found = asyncio.run(verdicts(server))
    except (VisavisError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    for verdict in found:
        print(f"{'ok  ' if verdict.good else 'note'} {verdict.url:20} {verdict.words}")
    print(f"{'ok  ' if all(v.good for v in found) else 'note'} {'paths':20} {summary(server, found)}")
    return 0 if all(verdict.good for verdict in found) else 1


if __name__ == "__main__":
    sys.exit(main())
