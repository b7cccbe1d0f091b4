"""A viewer page on another host, in a real browser, whose network lets less and less through: what it says of that."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from broker.config import ROOT
from tests.e2e.page_harness.browser import CHROMIUM
from tests.stack.caller import FLAGS
from tests.webrtc.edge_elsewhere import SESSION
from tests.webrtc.relay import relay
from tests.webrtc.two_hosts import SERVER, Hosts, two_hosts

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium"),
    pytest.mark.skipif(not shutil.which("ip"), reason="needs iproute2: apt-get install iproute2"),
    pytest.mark.skipif(not shutil.which("turnserver"), reason="needs coturn: apt-get install coturn"),
]
PORT, RELAY_PORT = 8080, 3478
WITHIN_MS = 40_000


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    folder = tmp_path_factory.mktemp("relay")
    with contextlib.ExitStack() as there:
        try:
            hosts = there.enter_context(two_hosts())
        except subprocess.CalledProcessError as error:
            pytest.skip(f"needs to be root, who may make network namespaces: {error.stderr.decode().strip()}")
        there.enter_context(relay(folder, RELAY_PORT, SERVER, hosts.server))
        yield hosts


@pytest.fixture
def home(hosts: Hosts, tmp_path: Path) -> Iterator[Page]:
    """A page of a browser at home. The network is open again afterwards."""
    chromium = tmp_path / "chromium"
    chromium.write_text(f'#!/bin/sh\nexec {" ".join(hosts.home)} {CHROMIUM} "$@"\n')
    chromium.chmod(0o755)
    with sync_playwright() as playwright:
        flags = [*FLAGS, "--ignore-certificate-errors"]
        browser = playwright.chromium.launch(executable_path=str(chromium), headless=True, args=flags)
        yield browser.new_page()
        browser.close()
    hosts.unblock()


@contextlib.contextmanager
def edge(hosts: Hosts, *turn_urls: str) -> Iterator[None]:
    command = [*hosts.server, sys.executable, "-m", "tests.webrtc.edge_elsewhere", SERVER, str(PORT), *turn_urls]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"ready\n"
            yield
        finally:
            process.kill()


def verdict(page: Page, *wanted: str) -> str:
    """Open the viewer page, wait for its verdict; the words of it."""
    page.goto(f"http://{SERVER}:{PORT}/view/{SESSION}")
    page.wait_for_function(
        "(kinds) => kinds.includes(document.documentElement.dataset.path)", arg=wanted, timeout=WITHIN_MS
    )
    return str(page.evaluate("() => document.querySelector('#onair').title"))


def moves(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('video#avatar').videoWidth > 0", timeout=WITHIN_MS)


def test_in_an_open_network_the_path_is_direct(hosts: Hosts, home: Page) -> None:
    with edge(hosts, f"turn:{SERVER}:{RELAY_PORT}?transport=udp"):
        # Which of the two is a race in Chromium: whether the relay has said what it sees before the edge is reached.
        assert verdict(home, "direct", "reflexive").startswith("Direct")
        moves(home)


@pytest.mark.parametrize(("scheme", "words"), [("turn", "TCP"), ("turns", "TLS")])
def test_where_udp_is_blocked_the_relay_serves_over_tcp_or_tls(
    hosts: Hosts, home: Page, scheme: str, words: str
) -> None:
    hosts.block("ipproto", "udp")
    with edge(hosts, f"{scheme}:{SERVER}:{RELAY_PORT}?transport=tcp"):
        assert words in verdict(home, "relayed")
        moves(home)


def test_where_only_the_relays_port_is_open_to_udp_it_serves_over_udp(hosts: Hosts, home: Page) -> None:
    hosts.block("ipproto", "udp")
    hosts.allow("ipproto", "udp", "dport", str(RELAY_PORT))
    with edge(hosts, f"turn:{SERVER}:{RELAY_PORT}?transport=udp"):
        assert "UDP" in verdict(home, "relayed")
        moves(home)


def test_where_udp_is_blocked_and_there_is_no_relay_the_page_says_so(hosts: Hosts, home: Page) -> None:
    hosts.block("ipproto", "udp")
    with edge(hosts):
        assert "blocks UDP, and it has no relay" in verdict(home, "hls")


def test_a_relay_that_is_shut_off_too_is_named(hosts: Hosts, home: Page) -> None:
    hosts.block("ipproto", "udp")
    hosts.block("ipproto", "tcp", "dport", str(RELAY_PORT))
    with edge(hosts, f"turn:{SERVER}:{RELAY_PORT}?transport=tcp"):
        assert "its relay cannot be reached" in verdict(home, "hls")
