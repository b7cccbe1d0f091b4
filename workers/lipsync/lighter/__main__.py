"""Makes the light file of a head that was put in its place by hand: `python -m workers.lipsync.lighter head.glb …`."""

from __future__ import annotations

import argparse
from pathlib import Path

from broker.personas import LIGHT_MODEL
from workers.lipsync.adding.model_file import look_over
from workers.lipsync.errors import AvatarError
from workers.lipsync.lighter.light_file import light_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("heads", type=Path, nargs="+", help="a .glb of static/avatars/")
    for path in parser.parse_args().heads:
        print(f"{path}: {made(path)}")


def made(path: Path) -> str:
    """What came of it, in words."""
    try:
        data = path.read_bytes()
        look_over(data)
    except (OSError, AvatarError) as error:
        return str(error)
    light, target = light_file(data), path.with_suffix(LIGHT_MODEL)
    if light is None:
        target.unlink(missing_ok=True)  # that of another head
        return "needs none, or is of a kind that the page thins itself."
    target.write_bytes(light)
    return f"{target.name}, {len(light) / 1e6:.2f} MB"


if __name__ == "__main__":
    main()
