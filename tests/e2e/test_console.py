"""The operator's console in a real browser, with the real edge and the real broker's decisions behind it."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from broker.clock import now_ns
from broker.config import ROOT
from broker.messages import Act, Played, Speak
from tests.e2e.page_harness.browser import CHROMIUM, Browsers
from tests.webrtc.scene import until
from tests.webrtc.served import OPERATOR, SESSION, Served, at_an_edge
from tests.webrtc.test_control_api import sound

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("VISAVIS_SCREENSHOTS", "")


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
def test_the_host_signs_in_sees_who_talks_and_operates(tmp_path: Path) -> None:
    for name in ("js", "css", "console.html", "icon.svg"):
        source = ROOT / "static" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)

    async def story(world: Served) -> None:
        browsers = Browsers()
        world.begin("session-two", "another-token")
        world.control.accept(Played(session=SESSION, programme_sample=0), now_ns())
        elsewhere = {"X-Forwarded-For": "10.0.0.9"}
        try:
            async with browsers.tab(viewport={"width": 1360, "height": 860}, extra_http_headers=elsewhere) as tab:
                page = tab.page
                page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
                await page.goto(world.url + "/console")
                await page.fill("#token", "wrong")
                await page.click("#gate button")
                await page.wait_for_selector("#notice:not([hidden])")
                await shown(page, "console-gate")
                await page.fill("#token", OPERATOR)
                await page.click("#gate button")
                await page.wait_for_selector("#sessions li:nth-child(2)")
                await page.wait_for_selector("#engines li")
                await page.click("#sessions li:first-child button")
                await page.click("text=Moderated")
                await until(lambda: world.control.sessions[SESSION].record.questions.mode == "moderated")
                for name, text in (("Ana", "When do you open on Sundays?"), ("Bo", "Is there a discount?")):
                    status, _ = await world.ask(
                        "POST", f"/api/v1/sessions/{SESSION}/questions", json={"name": name, "text": text}
                    )
                    assert status == 202
                await page.wait_for_selector("#questions li:nth-child(2)")
                await page.click("#questions li:first-child >> text=Ask it")
                await until(lambda: world.control.sessions[SESSION].record.questions.asked[0].stand != "waiting")
                await page.route("**/say", lambda route: route.fulfill(status=503, json={}), times=1)
                await page.fill("#words", "Dinner is ready.")
                await page.click("#say button")
                await page.wait_for_selector("#notice:not([hidden])")
                assert await page.input_value("#words") == "Dinner is ready.", "what could not be said is given back"
                await page.click("#say button")
                await page.fill("#words", "This was recorded.")
                await page.wait_for_selector("#notice[hidden]", state="attached")
                assert await page.input_value("#words") == "This was recorded.", "typed while the words before went out"
                await page.set_input_files(
                    "#recording", {"name": "speech.wav", "mimeType": "audio/wav", "buffer": sound(1.0)}
                )
                await until(lambda: uploaded(world), 60)
                await page.click("text=Nod")
                await until(lambda: [each for each in world.routed if isinstance(each, Act) and each.gesture == "nod"])
                says = world.control.sessions[SESSION].state.says
                spoken = [each.text for each in world.routed if isinstance(each, Speak)]
                assert {"Dinner is ready.", "This was recorded."} <= {*spoken, *(each.text for each in says)}
                await page.wait_for_timeout(400)
                await shown(page, "console")
                await page.set_viewport_size({"width": 420, "height": 900})
                await shown(page, "console-narrow")
                await page.set_viewport_size({"width": 1360, "height": 860})
                await page.click("#end")
                await until(lambda: SESSION not in world.control.sessions)
                await page.wait_for_selector("#sessions li:nth-child(2)", state="detached")
                assert not tab.complaints, tab.complaints
        finally:
            await browsers.close()

    def uploaded(world: Served) -> list[object]:
        says = world.control.sessions[SESSION].state.says
        spoken = [each for each in world.routed if isinstance(each, Speak)]
        return [each for each in (*says, *spoken) if each.upload]

    async def shown(page: object, name: str) -> None:
        if PICTURES:
            await page.screenshot(path=f"{PICTURES}/{name}.png")  # type: ignore[attr-defined]

    at_an_edge(tmp_path, story)
