"""While it runs nothing is sent to, and nothing fetched from, anywhere else: not by a process, not by the page."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
import sys

import psutil
import pytest

from bench.spoken import speak, trimmed
from broker.config import ROOT
from tests.conftest import NOT_ALLOWED
from tests.stack.alone import AS_ROOT_OF_OURSELVES, OUTSIDE, Cable, alone, possible
from tests.stack.caller import Caller, wav_bytes
from tests.stack.running import Stack

pytestmark = pytest.mark.browser

QUESTION = "when is the library open on weekends"
STAYS_QUIET = (
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--no-pings",
    "--disable-domain-reliability",
)
"""Chromium's own calls home are not ours; what the page asks for is looked at by itself."""


def own_addresses() -> set[str]:
    """Of this machine: media may take the way over one of them and does not leave it."""
    return {each.address.split("%")[0] for every in psutil.net_if_addrs().values() for each in every}


def abroad(processes: list[psutil.Process], own: set[str]) -> set[str]:
    """Who is connected to somebody elsewhere, or lets somebody elsewhere in."""
    found = set()
    for process in processes:
        try:
            name, connections = " ".join(process.cmdline()[1:4]), process.net_connections("inet")
        except psutil.Error:
            continue  # it has ended
        for each in connections:
            if each.raddr and not (_loopback(each.raddr.ip) or each.raddr.ip in own):
                found.add(f"{name} is connected to {each.raddr.ip}:{each.raddr.port}")
            if each.status == psutil.CONN_LISTEN and not _loopback(each.laddr.ip):
                found.add(f"{name} listens on {each.laddr.ip}:{each.laddr.port}")
    return found


def _loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def a_spoken_turn(caller: Caller) -> None:
    """Greeted, asked aloud, answered from the library's passage."""
    caller.until(lambda: turns(caller), "it did not greet")
    caller.wait(0.5)
    done = len(turns(caller))
    caller.say(wav_bytes(trimmed(speak(QUESTION, "slt")), 16_000), "question")
    caller.until(lambda: len(turns(caller)) > done, "no answer")
    assert "library" in str(turns(caller)[-1]["text"]).lower()


def turns(caller: Caller) -> list[dict[str, object]]:
    return [m for m in caller.messages("turn") if m["what"] == "finished"]


def test_every_process_talks_to_this_machine_only(stack: Stack) -> None:
    own, processes, found = own_addresses(), stack.family(), set[str]()
    assert len(processes) > 14
    asked: list[str] = []
    with Caller(stack.url) as caller:
        caller.page.on("request", lambda request: asked.append(request.url))
        caller.open("?persona=campus").start()
        known = caller.until

        def watched(holds, otherwise, within_s=60):  # type: ignore[no-untyped-def]
            def looks():  # type: ignore[no-untyped-def]
                found.update(abroad(processes, own))
                return holds()

            return known(looks, otherwise, within_s)

        caller.until = watched  # type: ignore[method-assign]
        a_spoken_turn(caller)
    assert found == set()
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith((stack.url, "blob:", "data:"))] == []


@pytest.mark.skipif(
    not (possible() or possible(*AS_ROOT_OF_OURSELVES)),
    reason=f"{NOT_ALLOWED} a network of its own: needs iproute2 and root, or user namespaces",
)
@pytest.mark.timeout(400)  # longer than that of the one within it
def test_without_any_network_a_conversation_is_held_and_not_one_packet_wants_out(
    request: pytest.FixtureRequest,
) -> None:
    if not possible():
        once_more = [sys.executable, "-m", "pytest", "-pno:cacheprovider", "-pno:rerunfailures", request.node.nodeid]
        done = subprocess.run([*AS_ROOT_OF_OURSELVES, *once_more], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        assert "1 passed" in done.stdout, done.stdout
        return

    def story(cable: Cable) -> tuple[list[str], list[str]]:
        stack = Stack()
        try:
            stack.start()
            with Caller(stack.url, flags=STAYS_QUIET) as caller:
                caller.open("?persona=campus").start()
                a_spoken_turn(caller)
            during = cable.seen()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.sendto(b"is it counted?", (OUTSIDE, 9))
            return during, cable.seen()
        finally:
            stack.stop()

    during, after = alone(story)
    assert after == [*during, f"udp {OUTSIDE}:9"], "what wants out is seen"
    assert during == []
