"""Curves become a picture that a browser can read."""

from __future__ import annotations

from xml.etree import ElementTree

from bench.curves import Curve, draw


def test_each_curve_is_a_line_with_its_name_inside_the_picture() -> None:
    picture = ElementTree.fromstring(
        draw("cuts & waits", [Curve("a, one", ((200, 30), (700, 5))), Curve("a, two", ((300, 40),), dashed=True)], 5)
    )
    lines = [each for each in picture if each.tag.endswith("polyline")]
    assert [line.get("stroke") for line in lines] == [lines[0].get("stroke")] * 2
    assert [line.get("stroke-dasharray") for line in lines] == [None, "6 4"]
    points = [point.split(",") for line in lines for point in (line.get("points") or "").split()]
    assert all(0 <= float(x) <= 760 and 0 <= float(y) <= 420 for x, y in points)
    assert {"a, one", "a, two", "cuts & waits"} <= {each.text for each in picture}
