"""Pushes by RTMP over the API: ordered, listed without their key, ended; refused in words."""

from __future__ import annotations

from pathlib import Path

from broker.messages import Outputs
from tests.webrtc.served import OPERATOR, SESSION, TOKEN, Served, at_an_edge

DOOR = f"/api/v1/sessions/{SESSION}/push"
URL = {"url": "rtmp://live.example/app/secret-key"}


def test_the_operator_pushes_by_rtmp_as_by_whip(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        status, row = await world.ask("POST", DOOR, OPERATOR, json=URL)
        assert status == 201
        assert row == {"id": row["id"], "url": "rtmp://live.example/app/…", "state": "connecting", "reason": ""}
        wanted = [each for each in world.routed if isinstance(each, Outputs)][-1].wanted
        assert (wanted[0]["kind"], wanted[0]["settings"]) == ("rtmp", URL)
        assert await world.ask("GET", DOOR, OPERATOR) == (200, {"pushes": [row]})
        assert (await world.ask("DELETE", f"{DOOR}/{row['id']}", OPERATOR))[0] == 204
        assert await world.ask("GET", DOOR, OPERATOR) == (200, {"pushes": []})
        status, problem = await world.ask("DELETE", f"{DOOR}/{row['id']}", OPERATOR)
        assert (status, problem["code"]) == (404, "unknown")

    at_an_edge(tmp_path, story)


def test_what_cannot_be_pushed_is_refused_in_words(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        for url in ("rtmp://live.example", "rtmp://live.example/app/key flash=1", "RTMP:"):
            status, problem = await world.ask("POST", DOOR, OPERATOR, json={"url": url})
            assert (status, problem["code"]) == (400, "bad_request"), url
            assert problem["text"].endswith(".")
        assert (await world.ask("POST", DOOR, TOKEN, json=URL))[0] == 401
        status, problem = await world.ask("POST", "/api/v1/sessions/nobody-here/push", OPERATOR, json=URL)
        assert (status, problem["code"]) == (404, "unknown")

    at_an_edge(tmp_path, story)
