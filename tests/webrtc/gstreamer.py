"""GStreamer as a stranger at the doors, by the system's own Python: where its scripts are, and whether it is here."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

SYSTEM_PYTHON = "/usr/bin/python3"
PLAYER, SENDER, SERVER = (str(Path(__file__).with_name(f"gst_{name}.py")) for name in ("player", "sender", "server"))

PACKAGES = "gstreamer1.0-plugins-bad gstreamer1.0-nice gir1.2-gst-plugins-bad-1.0 python3-gi"
LOOK = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC
Gst.init(None)
assert all(map(Gst.ElementFactory.find, ("webrtcbin", "nicesrc", "rtpbin", "opusenc", "vp8enc")))
"""


@cache
def lacking() -> str:
    """Why it cannot run here; empty when it can."""
    try:
        found = subprocess.run([SYSTEM_PYTHON, "-c", LOOK], capture_output=True, check=False).returncode == 0
    except OSError:
        found = False
    if found:
        return ""
    return f"needs GStreamer: apt-get install {PACKAGES}"
