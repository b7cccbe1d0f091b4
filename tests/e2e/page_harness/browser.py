"""A real Chromium with a fake microphone, looking at one page; everything the page complains about is collected."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
)
SOFTWARE_3D = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
"""WebGL drawn by the CPU, for tabs that need it."""
ALLOWING, REFUSING = "--use-fake-ui-for-media-stream", "--deny-permission-prompts"
"""Answers to the permission question."""


@dataclass
class Tab:
    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)


class Browsers:
    """At most two running browsers, one that allows the microphone and one that refuses it; a tab costs little then."""

    def __init__(self, *more_flags: str) -> None:
        self._flags = (*FLAGS, *more_flags)
        self._playwright: Playwright | None = None
        self._browsers: dict[str, Browser] = {}

    @contextlib.asynccontextmanager
    async def tab(self, allow_microphone: bool = True, **options: Any) -> AsyncIterator[Tab]:
        """A fresh profile. `options` go to it: viewport, color_scheme, is_mobile, reduced_motion …"""
        browser = await self._browser(ALLOWING if allow_microphone else REFUSING)
        context = await browser.new_context(**options)
        here = Tab(await context.new_page(), context)
        here.page.on("pageerror", lambda error: here.complaints.append(str(error)))
        here.page.on("console", lambda message: _note(here, message))
        try:
            yield here
        finally:
            await context.close()

    async def close(self) -> None:
        for browser in self._browsers.values():
            await browser.close()
        if self._playwright:
            await self._playwright.stop()

    async def _browser(self, answer: str) -> Browser:
        if self._playwright is None:
            self._playwright = await async_playwright().start()
        if answer not in self._browsers:
            launch = self._playwright.chromium.launch
            self._browsers[answer] = await launch(executable_path=CHROMIUM, args=[*self._flags, answer])
        return self._browsers[answer]


def _note(here: Tab, message: ConsoleMessage) -> None:
    """A missing poster and a refused WebSocket are the browser's own words about what a test does on purpose."""
    expected = "Failed to load resource" in message.text or "WebSocket connection" in message.text
    if message.type in ("error", "warning") and not expected:
        here.complaints.append(message.text)
