"""Pushes over the API, at whichever edge: ordered, listed without their secrets, ended; refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from broker.clock import now_ns
from broker.messages import Alive, Outputs
from tests.webrtc.served import EDGE_ELSEWHERE, OPERATOR, SESSION, TOKEN, Served, at_an_edge

DOOR = f"/api/v1/sessions/{SESSION}/push"
RTMP = {"url": "rtmp://live.example/app/secret-key"}
WHIP = {"url": "https://user:secret-key@live.example/whip?k=secret-key", "token": "secret-key"}
JANUS = {"url": "janus+wss://live.example/janus", "token": "secret-key"}


@pytest.mark.parametrize(
    ("wish", "kind", "shown"),
    [
        (RTMP, "rtmp", "rtmp://live.example/app/…"),
        (WHIP, "whip", "https://live.example/whip"),
        (JANUS, "janus", JANUS["url"]),
    ],
)
def test_the_operator_pushes_from_an_edge_that_has_nothing_to_do_with_it(
    wish: dict[str, str], kind: str, shown: str, tmp_path: Path
) -> None:
    async def story(world: Served) -> None:
        world.control.accept(Alive(peer=EDGE_ELSEWHERE, state="ready"), now_ns())
        status, row = await world.ask("POST", DOOR, OPERATOR, json=wish)
        assert status == 201
        assert row == {"id": row["id"], "url": shown, "state": "connecting", "reason": ""}
        assert wanted(world) == [(kind, wish)], "by the process of the outputs, or the edge that has the caller"
        assert await world.ask("GET", DOOR, OPERATOR) == (200, {"pushes": [row]})
        assert (await world.ask("DELETE", f"{DOOR}/{row['id']}", OPERATOR))[0] == 204
        assert wanted(world) == []
        assert world.calls.pushes.held == [], "never here"
        assert await world.ask("GET", DOOR, OPERATOR) == (200, {"pushes": []})
        status, problem = await world.ask("DELETE", f"{DOOR}/{row['id']}", OPERATOR)
        assert (status, problem["code"]) == (404, "unknown")

    at_an_edge(tmp_path, story)


def wanted(world: Served) -> list[tuple[str, dict[str, Any]]]:
    """(kind, settings) of what was last wanted of another process."""
    rows = [each for each in world.routed if isinstance(each, Outputs)][-1].wanted
    return [(row["kind"], row["settings"]) for row in rows]


def test_what_cannot_be_pushed_is_refused_in_words(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        wrong = (
            "rtmp://live.example",
            "rtmp://live.example/app/key flash=1",
            "RTMP:",
            "ftp://x",
            "https://",
            "http://x:0/",
        )
        for body in (*({"url": url} for url in wrong), {"url": 5}, {}, []):
            status, problem = await world.ask("POST", DOOR, OPERATOR, json=body)
            assert (status, problem["code"]) == (400, "bad_request"), body
            assert problem["text"].endswith(".")
        for wish in (RTMP, WHIP, JANUS):
            assert (await world.ask("POST", DOOR, TOKEN, json=wish))[0] == 401
            status, problem = await world.ask("POST", "/api/v1/sessions/nobody-here/push", OPERATOR, json=wish)
            assert (status, problem["code"]) == (404, "unknown")

    at_an_edge(tmp_path, story)
