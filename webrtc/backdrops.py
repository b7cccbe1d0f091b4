"""The pictures a face can stand before, as pages see them: their names, and each by its name."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from broker.personas import IDENTIFIER

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
"""Of pictures that a browser shows, the first one preferred."""


def routes(app: web.Application, folder: Path) -> None:
    """`GET /backdrops`: names. `GET /backdrops/{name}`: the picture."""

    async def names(request: web.Request) -> web.Response:
        return web.json_response(known(folder))

    async def picture(request: web.Request) -> web.StreamResponse:
        path = find(folder, request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound(text="There is no such background.\n")
        return web.FileResponse(path, headers={"Cache-Control": "max-age=3600"})

    app.router.add_get("/backdrops", names)
    app.router.add_get("/backdrops/{name}", picture)


def known(folder: Path) -> list[str]:
    """Every picture that can be named in an `Act`."""
    if not folder.is_dir():
        return []
    found = {path.stem for path in folder.iterdir() if path.suffix.lower() in ENDINGS}
    return sorted(name for name in found if IDENTIFIER.fullmatch(name))


def find(folder: Path, name: str) -> Path | None:
    """The picture's file; None when there is none by this name."""
    paths = [folder / f"{name}{ending}" for ending in ENDINGS] if IDENTIFIER.fullmatch(name) else []
    return next((path for path in paths if path.is_file()), None)
