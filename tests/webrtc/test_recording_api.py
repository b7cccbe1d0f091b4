"""Recordings over REST: who may begin one, what refuses it, how those on the shelf are listed, fetched, removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from broker.config import RecordingSettings
from broker.shelf import Shelf
from tests.webrtc.served import OPERATOR, SESSION, TOKEN, Served, at_an_edge

BASE = f"/api/v1/sessions/{SESSION}/recording"


def taped(folder: Path, name: str = "tape") -> Path:
    """A finished recording on the shelf."""
    place = folder / "recordings" / name
    place.mkdir(parents=True)
    (place / "programme.mp4").write_bytes(bytes(range(200)))
    (place / "recording.json").write_text(json.dumps({"session": "s", "persona": "vera", "ended": "now", "parts": []}))
    return place


def test_the_caller_and_the_operator_begin_and_end_it_and_nobody_else(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        world.begin("session-two", "another-token")
        for method in ("POST", "GET", "DELETE"):
            for token in ("", "another-token", "wrong"):
                status, answer = await world.ask(method, BASE, token)
                assert (status, answer["code"]) == (403, "forbidden"), (method, token)
        status, answer = await world.ask("POST", BASE, TOKEN, json={"format": "webm"})
        assert (status, answer["state"], answer["by"]) == (202, "starting", "caller")
        assert (await world.ask("GET", BASE, OPERATOR))[1]["state"] == "starting"
        assert (await world.ask("DELETE", BASE, TOKEN))[1]["state"] == "over"
        assert (await world.ask("POST", BASE, OPERATOR))[1]["by"] == "operator"
        assert (await world.ask("DELETE", BASE, TOKEN))[0] == 403, "the operator's is not the caller's to end"

    at_an_edge(tmp_path, story)


@pytest.mark.parametrize("body", [{"format": "avi"}, {"sound": "mp3"}, {"format": 1}, {"quality": "high"}, [], "x"])
def test_nonsense_is_refused_with_a_sentence(tmp_path: Path, body: object) -> None:
    async def story(world: Served) -> None:
        status, answer = await world.ask("POST", BASE, TOKEN, json=body)
        assert (status, answer["code"]) == (400, "bad_request")

    at_an_edge(tmp_path, story)


def test_a_full_quota_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taped(tmp_path)
    monkeypatch.setattr("broker.shelf.GB", 1)

    async def story(world: Served) -> None:
        status, answer = await world.ask("POST", BASE, TOKEN)
        assert (status, answer["code"]) == (507, "full")
        assert "raise recording.quota_gb" in answer["text"]
        assert (await world.ask("GET", BASE, TOKEN))[1]["state"] == "off"

    at_an_edge(tmp_path, story)


def test_one_who_begins_it_again_and_again_is_slowed_down(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        statuses = []
        for _ in range(8):
            statuses.append((await world.ask("POST", BASE, TOKEN))[0])
            await world.ask("DELETE", BASE, TOKEN)
        assert statuses[:5] == [202] * 5
        assert 429 in statuses

    at_an_edge(tmp_path, story)


def test_the_operator_lists_fetches_and_removes(tmp_path: Path) -> None:
    place = taped(tmp_path)

    async def story(world: Served) -> None:
        (row,) = (await world.ask("GET", "/api/v1/recordings", OPERATOR))[1]["recordings"]
        assert (row["name"], row["complete"], row["files"]["programme.mp4"]) == ("tape", True, 200)
        headers = {"Authorization": f"Bearer {OPERATOR}", "Range": "bytes=10-12", "X-Forwarded-For": "10.0.0.9"}
        async with world.http.get(f"{world.url}/api/v1/recordings/tape/programme.mp4", headers=headers) as response:
            assert (response.status, response.content_type) == (206, "video/mp4")
            assert await response.read() == bytes((10, 11, 12))
        for method, path in (("GET", ""), ("GET", "/tape"), ("GET", "/tape/programme.mp4"), ("DELETE", "/tape")):
            for token in ("", TOKEN):
                assert (await world.ask(method, f"/api/v1/recordings{path}", token))[0] == 403, path
        assert (await world.ask("DELETE", "/api/v1/recordings/tape", OPERATOR))[0] == 204
        assert not place.exists()
        assert (await world.ask("GET", "/api/v1/recordings/tape", OPERATOR))[0] == 404

    at_an_edge(tmp_path, story)


@pytest.mark.parametrize(
    "path",
    [
        "..%2f..%2fetc", "%2e%2e", ".hidden", "tape%00", "no-recording", "tape%2fprogramme.mp4", "a" * 400,
        "tape/..%2fsecret.json", "tape/.recording.json", "tape/secret.txt", "tape/link.mp4", "tape/%2fetc%2fpasswd",
    ],
)  # fmt: skip
def test_no_name_leads_out_of_the_shelf(tmp_path: Path, path: str) -> None:
    place = taped(tmp_path)
    (place.parent / "secret.json").write_text("secret")
    (place / "secret.txt").write_text("secret")
    (place / "link.mp4").symlink_to(place.parent / "secret.json")
    (place.parent / "no-recording").mkdir()

    async def story(world: Served) -> None:
        from yarl import URL

        headers = {"Authorization": f"Bearer {OPERATOR}"}
        address = URL(f"{world.url}/api/v1/recordings/{path}", encoded=True)
        for method in ("GET", "DELETE"):
            async with world.http.request(method, address, headers=headers) as response:
                assert response.status in (404, 405), method
                assert "secret" not in await response.text()
        assert (place / "programme.mp4").exists()

    at_an_edge(tmp_path, story)


def test_the_shelf_lists_the_newest_first(tmp_path: Path) -> None:
    for name in ("20260101-000000-a", "20260301-000000-a", "20260201-000000-a"):
        taped(tmp_path, name)
    shelf = Shelf.of(tmp_path / "recordings", RecordingSettings())
    assert [row["name"][4:6] for row in shelf.every()] == ["03", "02", "01"]
