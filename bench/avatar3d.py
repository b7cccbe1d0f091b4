"""The 3D face in a headless Chromium that draws by the CPU: drawings a second, triangles, memory.

  python -m bench.avatar3d [--model FILE.glb …] [--quality low high] [--seconds 10] [--json FILE]

A scripted edge plays a mouth that opens and closes all the time, so that every drawing has moving shapes. Without
--model: the models of static/avatars/ and the plain head of the tests. Low quality draws at most 30 times a second on
such a renderer. Memory is what Chromium's processes hold (RSS) with the head minus the same call without it; shared
pages count in each. A graphics card is another matter altogether: this says what a machine without one can do.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from broker.config import ROOT
from broker.personas import LIGHT_MODEL
from broker.visemes import VISEMES
from tests.avatar3d.heads import head
from tests.e2e.page_harness.browser import SOFTWARE_3D, Browsers, Tab
from tests.e2e.page_harness.fake_edge import FakeEdge
from tests.e2e.page_harness.programme import know_the_origin
from webrtc import vendor

MIB = 1024 * 1024
TALK_SAMPLES = 9_600
WARM_UP_S = 3.0

COUNT = """() => {
  globalThis.drawnMs = [];
  document.addEventListener("drawn", ({ detail }) => {
    globalThis.drawnMs.push(performance.now());
    globalThis.triangles = detail.triangles;
  }, true);
}"""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One head at one quality."""

    head: str
    quality: str
    triangles: int
    """Drawn, which in low quality may be fewer than the file has."""
    file_mib: float
    """Of what the page loads: in low quality the light file, where there is one."""
    load_s: float
    """From Start of the call to the first drawing on the page, the model's parsing and the shaders included."""
    fps: float
    worst_ms: float
    """Longest time between two drawings."""
    memory_mib: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, nargs="*", default=[], help=".glb or .vrm files")
    parser.add_argument("--quality", nargs="*", default=["low", "high"], choices=["low", "high"])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--json", metavar="FILE", type=Path)
    arguments = parser.parse_args()
    if not all(vendor.complete(name, package) for name, package in vendor.catalogue().items()):
        raise SystemExit("What draws in 3D is not here yet: .venv/bin/python -m webrtc.vendor fetches it.")
    shipped = (path for path in (ROOT / "static" / "avatars").glob("*/*.glb") if not path.name.endswith(LIGHT_MODEL))
    files = arguments.model or sorted(shipped)
    lights = {f"head{n}": light for n, path in enumerate(files) if (light := path.with_suffix(LIGHT_MODEL)).is_file()}
    heads = {f"head{n}{path.suffix}": path.read_bytes() for n, path in enumerate(files)}
    names = {f"head{n}{path.suffix}": path.name for n, path in enumerate(files)}
    if not arguments.model:
        heads["plain.glb"], names["plain.glb"] = head(), "the tests' plain head"
    load_before = os.getloadavg()[0]
    figures = asyncio.run(measure(heads, lights, names, arguments.quality, arguments.seconds))
    print(f"\n{os.cpu_count()} cores of {platform.machine()}, load before {load_before:.1f}, {platform.platform()}")
    print("| head | quality | triangles | file MiB | load s | drawings/s | longest gap ms | memory MiB |")
    print("|---|---|---|---|---|---|---|---|")
    for each in figures:
        print(
            f"| {each.head} | {each.quality} | {each.triangles} | {each.file_mib:.1f} | {each.load_s:.1f} "
            f"| {each.fps:.1f} | {each.worst_ms:.0f} | {each.memory_mib:.0f} |"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(each) for each in figures], indent=1), encoding="utf-8")


async def measure(
    heads: dict[str, bytes], lights: dict[str, Path], names: dict[str, str], qualities: list[str], seconds: float
) -> list[Figure]:
    """Each head at each quality, in a browser of its own. `lights`: their light files, by persona."""
    know_the_origin()
    figures = []
    for file, content in heads.items():
        for quality in qualities:
            persona = file.split(".")[0]
            light = lights[persona].read_bytes() if persona in lights else b""
            edge = FakeEdge(heads={file: content} | ({persona + LIGHT_MODEL: light} if light else {}))
            edge.mouth = talking
            browsers = Browsers(*SOFTWARE_3D)
            await edge.start()
            try:
                async with browsers.tab(viewport={"width": 1280, "height": 800}) as here:
                    found = await one(edge, here, persona, quality, seconds)
                loaded = light if light and quality == "low" else content
                figures.append(Figure(head=names[file], quality=quality, file_mib=len(loaded) / MIB, **found))
            finally:
                await browsers.close()
                await edge.stop()
    return figures


async def one(edge: FakeEdge, here: Tab, persona: str, quality: str, seconds: float) -> dict[str, Any]:
    """Call, look at the picture, then at the head."""
    here.page.set_default_timeout(120_000)
    await here.page.add_init_script(f"({COUNT})()")
    await here.page.goto(f"{edge.url}?persona={persona}&quality={quality}")
    await here.page.click("#start")
    await here.page.wait_for_selector("#face[data-picture=moving]")
    await asyncio.sleep(1)
    before = browser_mib()
    started = time.monotonic()
    await here.page.click("#front")
    await here.page.wait_for_selector("#face[data-front=avatar3d]")
    load_s = time.monotonic() - started
    await asyncio.sleep(WARM_UP_S)
    await here.page.evaluate("() => void (drawnMs.length = 0)")
    await asyncio.sleep(seconds)
    at = await here.page.evaluate("drawnMs")
    gaps = [b - a for a, b in itertools.pairwise(at)]
    return {
        "triangles": int(await here.page.evaluate("triangles")),
        "load_s": load_s,
        "fps": (len(at) - 1) * 1000 / (at[-1] - at[0]) if len(at) > 1 else 0.0,
        "worst_ms": max(gaps, default=0.0),
        "memory_mib": browser_mib() - before,
    }


def talking(start: int) -> tuple[list[int], dict[str, float], str]:
    """From one shape to the next, without end."""
    place, share = divmod(start / TALK_SAMPLES, 1.0)
    weights = [0] * len(VISEMES)
    weights[1 + int(place) % 14] = int(255 * (1 - share))
    weights[1 + int(place + 1) % 14] = int(255 * share)
    return weights, {"blink": 0.0, "yaw": 0.1 * share, "breath": share}, "neutral"


def browser_mib() -> float:
    """What this process's browsers hold."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" in process.name():
                total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / MIB


if __name__ == "__main__":
    main()
