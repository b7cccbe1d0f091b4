"""The operator's page for faces in a real Chromium, against a real edge and the real command."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import cv2
import pytest

from broker.config import ROOT
from tests.e2e.page_harness.browser import CHROMIUM, Browsers, Tab
from tests.webrtc.scene import Scene, scene

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium")

Story = Callable[[Scene, Tab], Awaitable[None]]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if not (ROOT / ".cache/weights/mediapipe/face_landmark.tflite").is_file():
        pytest.skip("the face finder's weights are not here; `bin/models fetch` brings them")
    shutil.copytree(ROOT / "static", tmp_path / "static", ignore=shutil.ignore_patterns("vendor"))
    (tmp_path / "personas").mkdir()
    (tmp_path / "cache").mkdir()
    monkeypatch.setenv("VISAVIS_PATHS_AVATARS", str(tmp_path / "static/avatars"))
    monkeypatch.setenv("VISAVIS_PATHS_PERSONAS", str(tmp_path / "personas"))
    monkeypatch.setenv("VISAVIS_PATHS_CACHE", str(tmp_path / "cache"))
    return tmp_path


def play(place: Path, story: Story, **server: str) -> None:
    async def run() -> None:
        browsers = Browsers()
        try:
            async with scene(place / "static", **server) as world, browsers.tab() as here:
                here.page.set_default_timeout(60_000)
                await here.page.goto(f"{world.url}/avatars")
                await story(world, here)
                assert here.complaints == []
        finally:
            await browsers.close()

    asyncio.run(run())


def test_a_picture_is_judged_named_and_added(place: Path) -> None:
    pixels = cv2.cvtColor(pytest.importorskip("skimage.data").astronaut(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(place / "eileen_collins.jpg"), pixels)
    (place / "letter.jpg").write_text("Dear Sir, " * 50)

    async def story(world: Scene, here: Tab) -> None:
        page = here.page
        await page.set_input_files("#file", place / "letter.jpg")
        await page.wait_for_selector("#findings li[data-level=refusal]")
        assert await page.is_hidden("#naming")
        await page.set_input_files("#file", place / "eileen_collins.jpg")
        await page.wait_for_selector("#naming:not([hidden])")
        assert await page.input_value("#name") == "eileen-collins"
        await page.wait_for_function("document.querySelector('#preview').naturalWidth > 1000")
        await page.click("#add")  # without the statement the form does not go
        assert await page.is_hidden("#done")
        await page.check("#consent")
        await page.click("#add")
        await page.wait_for_selector("#done:not([hidden])")
        assert await page.get_attribute("#done a", "href") == "/?persona=eileen-collins"
        await page.wait_for_selector("#avatars >> text=worn by eileen-collins")

    play(place, story)
    assert (place / "static/avatars/eileen-collins/portrait.jpg").is_file()
    assert 'name = "Eileen Collins"' in (place / "personas/eileen-collins.toml").read_text()
