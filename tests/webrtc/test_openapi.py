"""The OpenAPI document against the server: every path answers as it says, when it succeeds and when it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.clock import now_ns
from broker.config import Audience
from broker.films import Films
from broker.messages import Exchange, Making, OutputState, Peer
from tests.outputs.programme import conversation
from tests.webrtc.schema import flaws
from tests.webrtc.served import OPERATOR, SESSION, TOKEN, Served, at_an_edge
from tests.webrtc.test_control_api import form, sound
from workers.outputs.recording import Recording

BASE = "/api/v1"
ON = f"{BASE}/sessions/{{session}}"


async def the_document(world: Served) -> dict[str, Any]:
    status, document = await world.ask("GET", f"{BASE}/openapi.json")
    assert status == 200
    assert document["openapi"].startswith("3.1")
    return dict(document)


def operations(document: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """By method and path; what ends the conversation comes last."""
    found = {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    return dict(sorted(found.items(), key=lambda each: each[0][1].endswith("/end")))


def test_every_route_is_in_it_and_all_of_it_is_served(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        served = {
            (route.method, resource.canonical)
            for resource in world.runner.app.router.resources()
            for route in resource
            if resource.canonical.startswith("/api/") and route.method not in ("HEAD", "OPTIONS")
        }
        assert served - {("GET", f"{BASE}/openapi.json")} == set(operations(await the_document(world)))

    at_an_edge(tmp_path, story)


# --- what goes well ---


def recorded(world: Served, name: str) -> None:
    """A recording on the shelf, made by what makes them."""
    folder = world.settings.path("recordings") / name
    folder.mkdir(parents=True)
    tape = Recording(folder, SESSION, "host", ("mp4", "webm"), 25)
    for tick in conversation()[0]:
        tape.tick(tick)
    tape.close("bye")


def filmed(world: Served, job: str) -> None:
    """The maker has made it."""
    files = Films(world.settings.path("films")).of(job)
    files.film.write_bytes(bytes(1000))
    files.captions.write_text("WEBVTT\n")
    maker = Peer(kind="production", name="production", incarnation="a", data="p.d", control="p.c")
    ((_, make),) = world.control.jobs.assigned([maker], again=False)
    assert make.job == job
    made = Making(job=job, attempt=1, state="done", share=1.0, seconds=1.5, took_s=0.5, captions=True)
    world.control.jobs.heard(made)


async def prepared(world: Served) -> dict[str, str]:
    """A conversation in which there is some of everything; the names in paths, by the path up to them."""
    session = world.control.sessions[SESSION]
    lines = (Exchange(role="user", text="Hello?"), Exchange(role="avatar", text="Hello.", interrupted=True))
    session.record = replace(session.record, state=replace(session.state, dialogue=lines))
    ask = {"name": "Ana", "text": "When?"}
    await world.ask("POST", f"{BASE}/sessions/{SESSION}/audience", TOKEN, json={"questions": "moderated"})
    for _ in range(2):
        assert (await world.ask("POST", f"{BASE}/sessions/{SESSION}/questions", OPERATOR, json=ask))[0] == 202
    url = {"url": "rtmp://127.0.0.1/app/key"}
    _, push = await world.ask("POST", f"{BASE}/sessions/{SESSION}/push", OPERATOR, json=url)
    await world.ask("POST", f"{BASE}/sessions/{SESSION}/recording", OPERATOR)
    (output,) = [each for each in session.record.outputs if each.kind == "recording"]
    on = OutputState(session=SESSION, id=output.id, state="on", data={"name": "a-tape"})
    world.control.accept(on, now_ns())
    recorded(world, "a-tape")
    jobs = [(await world.ask("POST", f"{BASE}/generate", OPERATOR, json={"text": "Hello."}))[1]["job"] for _ in "ab"]
    filmed(world, jobs[0])
    return {
        f"{ON}/push/{{name}}": push["id"],
        f"{ON}/questions/{{n}}/approve": "1",
        f"{ON}/questions/{{n}}/dismiss": "2",
        f"{BASE}/recordings/{{name}}": "a-tape",
        f"{BASE}/jobs/{{job}}": jobs[0],
        f"{BASE}/videos/{{name}}": f"{jobs[0]}.mp4",
    }


BODIES: dict[str, dict[str, Any]] = {
    "say": {"text": "Dinner."}, "chat": {"text": "When?"}, "act": {"emotion": "happy"}, "switch": {"persona": "campus"},
    "mute": {"muted": True}, "audience": {"questions": "open"}, "questions": {"text": "Where?"},
    "push": {"url": "rtmp://127.0.0.1/app/another"}, "recording": {"format": "mp4"}, "generate": {"text": "Hello."},
}  # fmt: skip
"""By the last word of the path."""


def address(path: str, names: Mapping[str, str]) -> str:
    """A path with its names filled in."""
    for prefix, name in names.items():
        if path.startswith(prefix):
            filled = re.sub(r"{\w+}$", name, prefix) if prefix.endswith("}") else prefix.replace("{n}", name)
            path = filled + path[len(prefix) :]
    return path.replace("{session}", SESSION).replace("{file}", "programme.mp4")


async def succeed(world: Served, method: str, url: str, operation: Mapping[str, Any], **more: Any) -> tuple[int, Any]:
    """Do it as the operator: status and what was answered. Asserts that this is what the document says."""
    headers = {"Authorization": f"Bearer {OPERATOR}", "Last-Event-ID": "0"} | more.pop("headers", {})
    async with world.http.request(method, world.url + url, headers=headers, **more) as response:
        described = operation["responses"].get(str(response.status))
        assert described, (method, url, response.status, await response.text())
        if "content" not in described:
            assert not await response.read(), (method, url)
            return response.status, None
        assert response.content_type in described["content"], (method, url)
        content = described["content"][response.content_type]
        if response.content_type == "text/event-stream":
            async for line in response.content:
                if line.startswith(b"data: "):
                    break
            told, schema = json.loads(line[6:]), content["x-data"]
        elif "schema" in content:
            told, schema = await response.json(), content["schema"]
        else:
            return response.status, await response.read()
        document = await the_document(world)
        assert flaws(told, schema, document) == [], (method, url)
        return response.status, told


def test_every_success_is_what_it_says(tmp_path: Path) -> None:
    """With some of everything there, so that no list is empty."""

    async def story(world: Served) -> None:
        names = await prepared(world)
        all_of_them = operations(await the_document(world))
        for method, path in sorted(all_of_them, key=lambda each: (each[1].endswith("/end"), each[0] == "DELETE")):
            operation, more = all_of_them[method, path], {}
            if method == "POST" and (body := BODIES.get(path.rpartition("/")[2])):
                more["json"] = body
            if path.endswith("/play"):
                more["data"] = form(sound(1.0), text="hello")
            status, told = await succeed(world, method, address(path, names), operation, **more)
            assert status == int(next(iter(operation["responses"]))), (method, path)
            if "206" in operation["responses"]:
                part = {"headers": {"Range": "bytes=2-5"}}
                assert await succeed(world, method, address(path, names), operation, **part) == (206, told[2:6])
            assert told or method != "GET", path
            for row in told.values() if method == "GET" and isinstance(told, dict) else ():
                assert row != [], f"{path}: an empty list shows nothing"
        assert world.calls.counters["faults"] == 0

    at_an_edge(tmp_path, story)


def test_files_of_every_kind_have_the_types_it_names(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        names = await prepared(world)
        all_of_them = operations(await the_document(world))
        tape, film = f"{BASE}/recordings/{{name}}/{{file}}", f"{BASE}/videos/{{name}}"
        files = sorted((world.settings.path("recordings") / "a-tape").iterdir())
        assert {file.suffix for file in files} >= {".mp4", ".webm", ".vtt", ".jsonl", ".json"}
        for file in files:
            url = tape.replace("{name}", "a-tape").replace("{file}", file.name)
            assert await succeed(world, "GET", url, all_of_them["GET", tape]) == (200, file.read_bytes())
        job = names[f"{BASE}/jobs/{{job}}"]
        for name in (f"{job}.mp4", f"{job}.vtt"):
            status, _ = await succeed(world, "GET", film.replace("{name}", name), all_of_them["GET", film])
            assert status == 200

    at_an_edge(tmp_path, story)


# --- what does not ---

AUDIENCE = "the-audiences-token"
TOKENS = {"": "", "audience": AUDIENCE, "caller": TOKEN, "operator": OPERATOR}
"""By the security scheme."""


@pytest.mark.parametrize("token", ["", AUDIENCE])
def test_who_may_is_who_it_says_and_refusals_are_sentences(tmp_path: Path, token: str) -> None:
    async def story(world: Served) -> None:
        document = await the_document(world)
        assert set(document["components"]["securitySchemes"]) == set(TOKENS) - {""}
        for (method, path), operation in operations(document).items():
            names = re.findall(r"{(\w+)}", path)
            assert names == [each["name"] for each in operation["parameters"]]
            url = re.sub(r"{\w+}", "nothing-here", path.replace("{session}", SESSION).replace("{n}", "1"))
            shape = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            example = {name: _example(shape["properties"][name]) for name in shape.get("required", ())}
            security = operation.get("security")
            for scheme, bearer in TOKENS.items():
                refused = await _refused(world, method, url, bearer, operation, {"json": example} if shape else {})
                may = security is None or any(scheme in each for each in security)
                assert refused == (not may), (method, path, scheme)
            wrong = [{key: example[key] for key in example if key != name} for name in example]
            for each in [*wrong, example | {"nonsense": 1}] if shape else ():
                status, answer = await world.ask(method, url, OPERATOR, json=each)
                assert (status, answer["code"]) == (400, "bad_request"), (method, path, each)
        audience = operations(document)["GET", f"{ON}/audience"]
        assert audience.get("security") == ([{"audience": []}, {"operator": []}] if token else None)
        assert world.calls.counters["faults"] == 0

    at_an_edge(tmp_path, story, audience=Audience(token=token))


async def _refused(
    world: Served, method: str, url: str, bearer: str, operation: Mapping[str, Any], body: dict[str, Any]
) -> bool:
    """Whether this bearer may not. Whatever is answered is described, or an error as all errors are."""
    headers = {"X-Forwarded-For": "10.0.0.9"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    async with world.http.request(method, world.url + url, headers=headers, **body) as response:
        if str(response.status) not in operation["responses"]:
            assert 400 <= response.status < 500, (method, url, response.status)
            answer = await response.json()
            assert set(answer) == {"code", "text"}, (method, url)
            if response.status in (401, 403):
                assert answer["code"] in ("unauthorised", "forbidden")
        return response.status in (401, 403)


def _example(shape: Mapping[str, Any]) -> Any:
    if "enum" in shape:
        return shape["enum"][-1]
    return {"string": "hello", "integer": 1, "number": 0.5, "boolean": True}[shape["type"]]
