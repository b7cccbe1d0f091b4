"""The sheet of the 3D heads, drawn by the page's own code in a headless Chromium: docs/heads.jpg.

  python -m bench.heads [--model FILE.glb …] [--size 200] [--out docs/heads.jpg]

Each head's emotions, blink, turns and fifteen visemes, as the call page draws them in high quality. Without --model:
the models of static/avatars/. Drawn by the CPU, so it takes a minute or two.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from broker.config import ROOT
from broker.personas import LIGHT_MODEL
from broker.visemes import VISEMES
from tests.e2e.page_harness.browser import SOFTWARE_3D, Browsers
from tests.e2e.page_harness.fake_edge import FakeEdge
from webrtc import vendor

COLUMNS = 8
JPEG_QUALITY = 84
GROUND = (208, 202, 190)
"""What is behind the heads, BGR."""

SIT = """async ([address, size]) => {
  const { Avatar3D } = await import("/static/js/avatar3d/avatar3d.mjs");
  const canvas = document.createElement("canvas");
  canvas.style.cssText = `position:fixed;inset:0;width:${size}px;height:${size}px`;
  document.body.append(canvas);
  globalThis.sitter?.dispose();
  globalThis.sitter = new Avatar3D(canvas, { quality: "high", failed: (error) => { throw error; } });
  await sitter.load(address);
  globalThis.sits = canvas;
  globalThis.atMs = performance.now();
}"""

DRAW = """(mouth) => {
  // Long after the last drawing, so that whatever moves has arrived; read in the same task, before it is cleared.
  sitter.show(mouth, (atMs += 60_000));
  sitter.show(mouth, (atMs += 60_000));
  return sits.toDataURL("image/png").split(",")[1];
}"""


def looks() -> dict[str, dict[str, Any]]:
    """Caption → what the page is told to show."""
    found = {
        "neutral": look(),
        "happy": look(emotion="happy"),
        "concerned": look(emotion="concerned", roll=0.05),
        "surprised": look(emotion="surprised"),
        "thinking": look(emotion="thinking", gaze_x=0.5, gaze_y=0.4, yaw=0.08),
        "blink": look(blink=1.0),
        "to the left": look(yaw=-0.42),
        "to the right": look(yaw=0.42, pitch=0.06, emotion="happy"),
    }
    return found | {name: look(viseme=name) for name in VISEMES} | {"happy, aa": look(viseme="aa", emotion="happy")}


def look(viseme: str = "sil", emotion: str = "neutral", **face: float) -> dict[str, Any]:
    weights = [float(name == viseme) for name in VISEMES]
    rest = {"blink": 0.0, "breath": 0.3, "emotion_strength": 1.0}
    return {"weights": weights, "face": rest | face, "emotion": emotion, "known": True}


async def draw(models: list[Path], size: int, wanted: dict[str, dict[str, Any]]) -> list[npt.NDArray[np.uint8]]:
    """One row of tiles a head, in order."""
    edge = FakeEdge(heads={f"head{n}{path.suffix}": path.read_bytes() for n, path in enumerate(models)})
    browsers = Browsers(*SOFTWARE_3D)
    await edge.start()
    tiles = []
    try:
        async with browsers.tab(viewport={"width": size, "height": size}, bypass_csp=True) as here:
            here.page.set_default_timeout(120_000)
            await here.page.goto(edge.url)
            for file in edge.heads:
                await here.page.evaluate(SIT, [f"/avatars/heads/{file}", size])
                for caption, mouth in wanted.items():
                    png = base64.b64decode(await here.page.evaluate(DRAW, mouth))
                    tiles.append(tile(png, size, caption))
    finally:
        await browsers.close()
        await edge.stop()
    return tiles


def tile(png: bytes, size: int, caption: str) -> npt.NDArray[np.uint8]:
    """(size, size, 3) BGR: the drawing before a plain ground, with its caption."""
    drawn = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert drawn is not None
    drawn = cv2.resize(drawn, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    share = drawn[..., 3:] / 255
    picture = np.ascontiguousarray((drawn[..., :3] * share + np.array(GROUND) * (1 - share)).astype(np.uint8))
    cv2.putText(picture, caption, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (60, 45, 35), 1, cv2.LINE_AA)
    return picture


def sheet(tiles: list[npt.NDArray[np.uint8]], columns: int = COLUMNS) -> npt.NDArray[np.uint8]:
    """All tiles, row by row."""
    blank = np.full_like(tiles[0], 255)
    padded = tiles + [blank] * (-len(tiles) % columns)
    return np.vstack([np.hstack(padded[n : n + columns]) for n in range(0, len(padded), columns)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, nargs="*", default=[], help=".glb or .vrm files")
    parser.add_argument("--size", type=int, default=200, help="pixels of each picture")
    parser.add_argument("--only", nargs="*", default=[], help="captions: these alone")
    parser.add_argument("--columns", type=int, default=COLUMNS)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "heads.jpg")
    arguments = parser.parse_args()
    if not all(vendor.complete(name, package) for name, package in vendor.catalogue().items()):
        raise SystemExit("What draws in 3D is not here yet: .venv/bin/python -m webrtc.vendor fetches it.")
    shipped = (path for path in (ROOT / "static" / "avatars").glob("*/*.glb") if not path.name.endswith(LIGHT_MODEL))
    models = arguments.model or sorted(shipped, reverse=True)
    wanted = {name: mouth for name, mouth in looks().items() if not arguments.only or name in arguments.only}
    tiles = asyncio.run(draw(models, arguments.size, wanted))
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if arguments.out.suffix == ".jpg" else []
    cv2.imwrite(str(arguments.out), sheet(tiles, arguments.columns), quality)
    print(f"{arguments.out}: {len(tiles)} pictures of {len(models)} heads")


if __name__ == "__main__":
    main()
