"""Sculpts a talking head: `python -m workers.lipsync.generator3d vera -o static/avatars/vera/vera.glb`.

Its libraries are in etc/requirements/avatars3d.txt; nothing at run time needs them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from broker.personas import LIGHT_MODEL
from workers.lipsync.generator3d.avatar import sculpt, to_glb
from workers.lipsync.generator3d.people import PEOPLE
from workers.lipsync.generator3d.vrm import make_vrm
from workers.lipsync.lighter.light_file import light_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(PEOPLE))
    parser.add_argument("-o", "--out", type=Path, required=True, help="a .glb, or a .vrm (VRM 1.0)")
    options = parser.parse_args()
    file = to_glb(sculpt(PEOPLE[options.name]))
    if options.out.suffix == ".vrm":
        make_vrm(file, options.name.title())
    options.out.parent.mkdir(parents=True, exist_ok=True)
    data = file.packed()
    options.out.write_bytes(data)
    print(f"{options.out}: {len(data) / 1e6:.2f} MB")
    if options.out.suffix == ".glb" and (light := light_file(data)):
        options.out.with_suffix(LIGHT_MODEL).write_bytes(light)
        print(f"{options.out.with_suffix(LIGHT_MODEL)}: {len(light) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
