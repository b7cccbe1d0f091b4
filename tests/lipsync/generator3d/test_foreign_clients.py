"""Others' programs take the committed heads: Khronos' validator, and TalkingHead's own page in a real Chromium.

Both come from npm at test time into the project's cache; without npm or a registry these tests are skipped.
"""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.page_harness.browser import CHROMIUM
from workers.lipsync.generator3d.people import PEOPLE

ROOT = Path(__file__).resolve().parents[3]
AVATARS = ROOT / "static" / "avatars"
PACKAGES = ("gltf-validator@2.0.0-dev.3.10", "@met4citizen/talkinghead@1.7.0")
VALIDATE = """
const validator = require('gltf-validator'), fs = require('fs');
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])), { maxIssues: 200 })
  .then((report) => console.log(JSON.stringify(report.issues)));
"""
PAGE = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<div id="a" style="width:240px;height:260px"></div>
<script type="importmap">{"imports": {"three": "/npm/three/build/three.module.js",
"three/addons/": "/npm/three/examples/jsm/", "talkinghead": "/npm/@met4citizen/talkinghead/modules/talkinghead.mjs"}}
</script><script type="module">
import { TalkingHead } from 'talkinghead';
try {
  const head = new TalkingHead(document.getElementById('a'), { ttsEndpoint: '/none', lipsyncModules: ['en'],
    cameraView: 'head', modelFPS: 5, modelPixelRatio: 1, avatarIgnoreCamera: false });
  const url = new URLSearchParams(location.search).get('glb');
  await head.showAvatar({ url, body: 'F', avatarMood: 'neutral', lipsyncLang: 'en' });
  window.seen = { aa: 0, blink: 0 };
  setInterval(() => {
    for (const [key, name] of [['aa', 'viseme_aa'], ['blink', 'eyeBlinkLeft']])
      window.seen[key] = Math.max(window.seen[key], head.mtAvatar[name].applied ?? 0);
  }, 40);
  window.speak = () => {
    const rate = 22050, tone = head.audioCtx.createBuffer(1, rate * 4, rate), wave = tone.getChannelData(0);
    for (let i = 0; i < wave.length; i++) wave[i] = 0.2 * Math.sin(i * 0.06);
    head.speakAudio({ audio: tone, words: ['ah'], wtimes: [0], wdurations: [4000], visemes: ['aa'], vtimes: [0],
      vdurations: [3800] }, { lipsyncLang: 'en' });
  };
  window.meshes = head.morphs.map((mesh) => mesh.name);
} catch (error) { window.failed = String(error.stack ?? error); }
window.ready = true;
</script>"""


@pytest.fixture(scope="module")
def modules() -> Path:
    """The folder of node modules."""
    home = ROOT / ".cache" / "test-clients"
    if not (home / "node_modules" / "@met4citizen").is_dir() or not (home / "node_modules" / "gltf-validator").is_dir():
        if not shutil.which("npm"):
            pytest.skip("needs npm: apt-get install npm")
        home.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(home), *PACKAGES]
        made = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
        if made.returncode:
            pytest.skip(f"npm could not bring {' and '.join(PACKAGES)}: {made.stderr[-200:]}")
    return home / "node_modules"


@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_the_validator_finds_no_error(modules: Path, name: str) -> None:
    command = ["node", "-e", VALIDATE, str(AVATARS / name / f"{name}.glb")]
    told = subprocess.run(command, cwd=modules.parent, capture_output=True, text=True, timeout=120, check=True)
    issues = json.loads(told.stdout)
    assert issues["numErrors"] == 0, issues["messages"][:3]
    assert {message["code"] for message in issues["messages"]} <= {
        "NODE_SKINNED_MESH_NON_ROOT",  # Ready Player Me's own layout, which TalkingHead wants
        "MESH_PRIMITIVE_GENERATED_TANGENT_SPACE",  # tangents would cost 0.2 MB; every viewer makes its own
    }


class _Files(http.server.SimpleHTTPRequestHandler):
    """The page, node modules under /npm/, avatars under /avatars/."""

    def __init__(self, *args: object, modules: Path) -> None:
        self._modules = modules
        super().__init__(*args)  # type: ignore[arg-type]  # as socketserver calls it

    def translate_path(self, path: str) -> str:
        path = path.partition("?")[0]
        for prefix, folder in (("/npm/", self._modules), ("/avatars/", AVATARS)):
            if path.startswith(prefix):
                return str(folder / path.removeprefix(prefix))
        return str(ROOT / "nothing")

    def guess_type(self, path: object) -> str:
        return "text/javascript" if str(path).endswith((".mjs", ".js")) else "application/octet-stream"

    def do_GET(self) -> None:
        if self.path.startswith("/?"):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.encode())
        else:
            super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(modules: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Files, modules=modules))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_talking_head_loads_it_and_its_mouth_opens(site: str, name: str) -> None:
    flags = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    with sync_playwright() as playwright:
        flags.append("--autoplay-policy=no-user-gesture-required")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            page = browser.new_page(viewport={"width": 260, "height": 280})
            page.set_default_timeout(120_000)
            page.goto(f"{site}/?glb=/avatars/{name}/{name}.glb")
            page.wait_for_function("window.ready")
            assert page.evaluate("window.failed") is None
            assert set(page.evaluate("window.meshes")) >= {"Wolf3D_Head", "Wolf3D_Teeth", "Wolf3D_Tongue", "EyeLeft"}
            assert page.evaluate("window.seen.aa") < 0.1
            page.evaluate("window.speak()")
            page.wait_for_function("window.seen.aa > 0.3")
        finally:
            browser.close()
