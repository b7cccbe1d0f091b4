"""The pages' modules and style sheets: from memory, and as they are on the disk now."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from webrtc.page_files import LARGEST, PageFiles

Story = Callable[[ClientSession, str], Awaitable[None]]


def serving(folder: Path, story: Story) -> None:
    async def run() -> None:
        app = web.Application()
        PageFiles(folder).add_to(app)
        async with TestServer(app) as server, ClientSession() as http:
            await story(http, str(server.make_url("/static/")))

    asyncio.run(run())


def folder_of(place: Path, **files: str) -> Path:
    for name, text in files.items():
        path = place / "static" / "js" / f"{name}.mjs"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return place / "static"


def test_a_module_is_served_as_it_is_now(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, face="one")

    async def story(http: ClientSession, url: str) -> None:
        async with http.get(url + "js/face.mjs") as first:
            assert (await first.text(), first.content_type) == ("one", "text/javascript")
        async with http.get(url + "js/face.mjs", headers={"If-None-Match": first.headers["ETag"]}) as same:
            assert (same.status, await same.read()) == (304, b"")
        (folder / "js" / "face.mjs").write_text("two")
        os.utime(folder / "js" / "face.mjs", ns=(1, 1))
        async with http.get(url + "js/face.mjs", headers={"If-None-Match": first.headers["ETag"]}) as other:
            assert await other.text() == "two"
        (folder / "js" / "face.mjs").unlink()
        async with http.get(url + "js/face.mjs") as gone:
            assert gone.status == 404

    serving(folder, story)


def test_what_is_large_or_another_kind_comes_from_the_disk(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, large="x" * (LARGEST + 1))
    (folder / "js" / "note.txt").write_text("a note")

    async def story(http: ClientSession, url: str) -> None:
        async with http.get(url + "js/large.mjs") as large:
            assert len(await large.read()) == LARGEST + 1
        async with http.get(url + "js/note.txt") as note:
            assert await note.text() == "a note"

    serving(folder, story)


def test_nothing_outside_of_the_folder_is_served(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, face="one")
    (tmp_path / "secret.mjs").write_text("secret")
    (folder / "js" / "way.mjs").symlink_to(tmp_path / "secret.mjs")

    async def story(http: ClientSession, url: str) -> None:
        for path in ("js/way.mjs", "js/..%2f..%2fsecret.mjs", "js/%00.mjs", "js/", "js/nothing.mjs"):
            async with http.get(url + path) as answer:
                assert answer.status == 404, path

    serving(folder, story)
