"""The edge of scene.py with the real broker's decisions behind it; the workers are silent."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from broker import personas
from broker.clock import now_ns
from broker.config import ROOT, Server, Sessions, Settings
from broker.control import Control, ControlSettings
from broker.messages import WORKER_KINDS, Alive, Peer, Present
from tests.webrtc.scene import Scene, until
from webrtc.security import token_hash

OPERATOR = "operator-token-0123456789"
TOKEN = "the-callers-token"
SESSION = "session-one"
EDGE_ELSEWHERE = Peer(kind="webrtc", name="webrtc-9", incarnation="a", data="webrtc-9.d", control="webrtc-9.c")


class Served(Scene):
    """`control` is the broker. Requests come from elsewhere than this machine, so that tokens count."""

    def __init__(self, settings: Settings, static: Path) -> None:
        super().__init__(settings, static)
        self.control = self.born()
        self.routed: list[Any] = []
        """What the broker sent to workers."""

    def born(self) -> Control:
        """A broker that has just started."""
        return Control(
            ControlSettings(),
            lambda name: personas.load(ROOT / "etc/personas", name).snapshot(),
            None,
            "boot",
            lambda: personas.portraits(ROOT / "static/avatars"),
        )

    def begin(self, session: str = SESSION, token: str = TOKEN) -> None:
        """A conversation whose caller is at another edge."""
        begun = Present(session=session, persona="host", token_hash=token_hash(token), edge=EDGE_ELSEWHERE)
        self.control.accept(begun, now_ns())
        assert session in self.control.sessions

    async def ask(
        self, method: str, path: str, token: str = "", headers: dict[str, str] | None = None, **more: Any
    ) -> tuple[int, Any]:
        """Status and JSON of a request from another machine."""
        given = {"X-Forwarded-For": "10.0.0.9"} | ({"Authorization": f"Bearer {token}"} if token else {})
        async with self.http.request(method, self.url + path, headers=given | (headers or {}), **more) as response:
            text = await response.text()
            return response.status, json.loads(text) if response.content_type == "application/json" else text

    async def _pump(self) -> None:
        while True:
            now = now_ns()
            for kind in (*WORKER_KINDS, "outputs"):
                worker = Peer(kind=kind, name=f"{kind}-1", incarnation="a", data=f"{kind}.d", control=f"{kind}.c")
                engine = {"engine": "humming", "detail": "humming: configured"} if kind == "tts" else {}
                self.control.accept(Alive(peer=worker, state="ready", **engine), now)
            self.edge.pump()
            for message in self.broker.receive(0):
                self.said.append(message)
                self.control.accept(message, now)
            self.control.tick(now)
            for to, message in self.control.drain().send:
                if to.name == self.edge.peer.name:
                    self.tell(message)
                elif to.kind == "production":
                    self.broker.send(to, message)
                else:
                    self.routed.append(message)
            await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def served(static: Path, **more: Any) -> AsyncIterator[Served]:
    """Personas are the installation's, or those in `static`/personas where there is such a folder."""
    settings = Settings(server=Server(port=0, operator_token=OPERATOR), sessions=Sessions(away_s=60.0), **more)
    static.mkdir(exist_ok=True)
    for name in ("call", "view", "live", "console", "avatars"):
        if not (static / f"{name}.html").exists():
            (static / f"{name}.html").write_text(f"<!doctype html><title>{name}</title>")
    settings = replace(
        settings,
        paths=replace(
            settings.paths,
            personas=str(static / "personas") if (static / "personas").is_dir() else settings.paths.personas,
            films=str(static / "films"),
            recordings=str(static / "recordings"),
            uploads=str(static / "uploads"),
        ),
    )
    world = Served(settings, static)
    await world.start()
    await until(lambda: not world.control.registry.missing())
    try:
        yield world
    finally:
        await world.stop()


def at_an_edge(folder: Path, story: Callable[[Served], Awaitable[None]], **settings: Any) -> None:
    async def run() -> None:
        async with served(folder, **settings) as world:
            world.begin()
            await story(world)

    asyncio.run(run())
