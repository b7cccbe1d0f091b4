"""Headless Firefox, driven over WebDriver BiDi: no driver program stands between, Firefox speaks it by itself."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import aiohttp

PROGRAM = shutil.which("firefox-esr") or shutil.which("firefox") or ""
EYEWITNESS_JS = (Path(__file__).parent / "eyewitness.js").read_text(encoding="utf-8")

PREFERENCES: dict[str, bool | int | str] = {
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.gmp-manager.updateEnabled": False,
    "media.gmp-manager.url": "",
    "app.update.auto": False,
    "app.normandy.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.search.update": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.proxy.type": 0,
    "remote.prefs.recommended": True,
    "services.settings.server": "http://127.0.0.1:9/",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.unified": False,
    "ui.prefersReducedMotion": 1,
}
"""No question is asked, sound may play, and nothing outside this machine is looked for."""

ADDRESS = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
T = TypeVar("T")

STARTS_WITHIN_S = 60
ANSWERS_WITHIN_S = 60


class Firefox:
    """One browser with a profile of its own; a context manager."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """`environment`: what is told it beside our own, such as a sound card."""
        self._environment = os.environ | (environment or {})
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bidi", daemon=True)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._tabs: dict[str, Tab] = {}
        self._reader: asyncio.Task[None] | None = None
        self._count = 0

    def __enter__(self) -> Firefox:
        self._profile = Path(tempfile.mkdtemp(prefix="visfox"))
        wishes = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
        (self._profile / "user.js").write_text("\n".join(wishes), encoding="utf-8")
        self._log = self._profile / "firefox.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "--headless", "--no-remote", "--profile", self._profile, "--remote-debugging-port", "0"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._thread.start()
        try:
            self._await(self._connect(self._address()))
            capabilities = self.command("session.new", capabilities={})["capabilities"]
            self.version = str(capabilities["browserVersion"])
            self.command("session.subscribe", events=["log.entryAdded"])
            self.command("script.addPreloadScript", functionDeclaration=f"() => {{ {EYEWITNESS_JS} }}")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._await(self._disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def tab(self, viewport: tuple[int, int] = (1280, 800)) -> Tab:
        """A tab of this size in pixels, in a window of its own: one behind another would draw nothing."""
        tab = Tab(self, self.command("browsingContext.create", type="window")["context"])
        self._tabs[tab.context] = tab
        tab.resize(*viewport)
        return tab

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; AssertionError with Firefox's words when it refuses."""
        return self._await(self._command(method, parameters))

    def _address(self) -> str:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := ADDRESS.search(self._log.read_bytes()):
                return found[1].decode()
            time.sleep(0.05)
        raise AssertionError(f"Firefox did not start: {self._log.read_text(errors='replace')[-2000:]}")

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWERS_WITHIN_S)

    async def _connect(self, address: str) -> None:
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(f"{address}/session", max_msg_size=0)
        self._reader = asyncio.create_task(self._read())

    async def _disconnect(self) -> None:
        if self._reader:
            await self._socket.close()
            await self._reader
            await self._http.close()

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if said["type"] == "event":
                self._note(said["params"])
            elif waiting := self._answers.pop(said.get("id"), None):
                waiting.set_result(said)
        for waiting in self._answers.values():
            waiting.set_exception(AssertionError("Firefox is gone"))

    async def _command(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        answer = self._answers[self._count] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._count, "method": method, "params": parameters})
        said = await answer
        if said["type"] == "error":
            raise AssertionError(f"{method}: {said['error']}: {said['message']}")
        return dict(said["result"])

    def _note(self, entry: dict[str, Any]) -> None:
        if tab := self._tabs.get(entry["source"].get("context", "")):
            tab.console.append(f"{entry['level']}: {entry.get('text')}")


class Tab:
    """A page in Firefox. `console`: what was logged there, and errors nobody caught."""

    def __init__(self, firefox: Firefox, context: str) -> None:
        self.context = context
        self.console: list[str] = []
        self._firefox = firefox

    def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height}
        self._firefox.command("browsingContext.setViewport", context=self.context, viewport=size)

    def open(self, url: str) -> Tab:
        self._firefox.command("browsingContext.navigate", context=self.context, url=url, wait="complete")
        return self

    def close(self) -> None:
        self._firefox.command("browsingContext.close", context=self.context)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, or of the promise it is; it has to fit in JSON."""
        result = self._firefox.command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})) ?? 'null')()",
            target={"context": self.context},
            awaitPromise=True,
            userActivation=True,
        )
        if result["type"] == "exception":
            raise AssertionError(f"{expression}: {result['exceptionDetails']['text']}")
        return json.loads(result["result"]["value"])

    def click(self, selector: str) -> None:
        """Press the middle of an element with the mouse, once it stands still there and nothing covers it."""
        x, y = self.evaluate(f"eyewitness.middleOf({json.dumps(selector)})")
        steps = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._act({"type": "pointer", "id": "mouse", "actions": steps})

    def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        keys = [{"type": way, "value": key} for key in text for way in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keys", "actions": keys})

    def screenshot(self, path: Path) -> None:
        taken = self._firefox.command("browsingContext.captureScreenshot", context=self.context)
        path.write_bytes(base64.b64decode(taken["data"]))

    def state(self) -> str:
        return str(self.evaluate("document.documentElement.dataset.state ?? ''"))

    def messages(self, kind: str, way: str = "in") -> list[dict[str, Any]]:
        """The call's WebSocket messages of one type so far."""
        found: list[dict[str, Any]] = self.evaluate(
            f"eyewitness.messages.filter(([way, m]) => way === {json.dumps(way)} && m.type === {json.dumps(kind)})"
            ".map(([, m]) => m)"
        )
        return found

    def until(self, holds: Callable[[], Any], otherwise: str, within_s: float = 60) -> Any:
        """Wait until `holds()` is true and return it; fail with `otherwise`, the page's state and its console."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if found := holds():
                return found
            time.sleep(0.1)
        raise AssertionError(f"{otherwise}; state {self.state()!r}; console: {self.console[-10:]}")

    def _act(self, source: dict[str, Any]) -> None:
        self._firefox.command("input.performActions", context=self.context, actions=[source])
