"""Curves as an SVG picture: enough for a page of documentation, and no library to install for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 50, 50
COLOURS = ("#c2410c", "#1d4ed8", "#15803d", "#7e22ce")


@dataclass(frozen=True)
class Curve:
    """Points (x, y) in order. Curves with the same first word share a colour."""

    name: str
    points: tuple[tuple[float, float], ...]
    dashed: bool = False


def draw(title: str, curves: Sequence[Curve], mark_y: float | None = None) -> str:
    """The picture of curves over common axes from 0; `mark_y`: a line across."""
    most_x = max(x for curve in curves for x, _ in curve.points) * 1.05
    most_y = max(max(y for curve in curves for _, y in curve.points) * 1.1, 1.0)

    def at(x: float, y: float) -> str:
        across = LEFT + x / most_x * (WIDTH - LEFT - RIGHT)
        return f"{across:.1f},{HEIGHT - BOTTOM - y / most_y * (HEIGHT - TOP - BOTTOM):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/><text x="{LEFT}" y="24">{escape(title)}</text>',
        _line(at(0, 0), at(most_x, 0), "black"),
        _line(at(0, 0), at(0, most_y), "black"),
    ]
    for step in range(0, int(most_x) + 1, 100):
        parts.append(_label(at(step, 0), 0, 18, f"{step}", "middle"))
    for step in range(0, int(most_y) + 1, 10):
        parts.append(_label(at(0, step), -8, 4, f"{step}", "end"))
    if mark_y is not None:
        parts.append(_line(at(0, mark_y), at(most_x, mark_y), "grey"))
    colours: dict[str, str] = {}
    for row, curve in enumerate(curves):
        colour = colours.setdefault(curve.name.split()[0], COLOURS[len(colours) % len(COLOURS)])
        dash = ' stroke-dasharray="6 4"' if curve.dashed else ""
        points = " ".join(at(x, y) for x, y in curve.points)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        key = f"{WIDTH - 230},{TOP + 18 * row + 4}"
        parts.append(_line(key, f"{WIDTH - 200},{TOP + 18 * row + 4}", colour, dash))
        parts.append(_label(key, 38, 4, curve.name, "start"))
    return "\n".join((*parts, "</svg>\n"))


def _line(start: str, end: str, colour: str, more: str = "") -> str:
    (x1, y1), (x2, y2) = start.split(","), end.split(",")
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}"{more}/>'


def _label(at: str, right: float, down: float, text: str, anchor: str) -> str:
    x, y = (float(part) for part in at.split(","))
    return f'<text x="{x + right:.1f}" y="{y + down:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
