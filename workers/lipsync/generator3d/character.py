"""What makes one sculpted person differ from another, as data: a person is one value of `Character`.

Millimetres; x to the person's left, y up, z forward; the eyes are at y = 26. Colours are `#rrggbb`.
Curves are rows of numbers, interpolated smoothly. Everyone is made up: no one's likeness is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Row = tuple[float, ...]
Curve = tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class EyeShape:
    centre: tuple[float, float, float] = (33.2, 26.0, 51.5)
    """Of the person's left eyeball."""
    radius: float = 19.2
    upper: Curve = (
        (-0.96, -0.15), (-0.85, 0.02), (-0.52, 0.275), (-0.10, 0.385), (0.22, 0.388), (0.62, 0.285), (0.90, 0.14),
        (1.06, 0.045),
    )  # fmt: skip
    """The upper lid's edge from the inner to the outer corner, as (yaw, pitch) about the eyeball's middle, radians."""
    lower: Curve = (
        (-0.96, -0.17), (-0.84, -0.205), (-0.50, -0.285), (0.0, -0.335), (0.45, -0.295), (0.80, -0.135), (1.06, 0.03),
    )  # fmt: skip
    iris_radius: float = 8.7
    iris: tuple[str, str, str] = ("#2c4a41", "#86a98d", "#8a6a3a")
    """Rim, middle, and the warmer ring around the pupil."""
    lashes: float = 1.0
    """Length, 1 is a woman's with a little make-up."""


@dataclass(frozen=True, kw_only=True)
class NoseShape:
    width: float = 1.0
    bridge: float = 1.0
    """How thick the bridge is."""
    tip: tuple[float, float, float] = (0.0, -8.0, 95.5)
    tip_radius: float = 6.6


@dataclass(frozen=True, kw_only=True)
class MouthShape:
    y: float = -38.3
    half_width: float = 24.5
    smile: float = 5.2
    """How far the corners lie above the middle of the line between the lips."""
    upper: float = 5.9
    """The upper lip's height at its peaks; the lower's in its middle below."""
    lower: float = 8.0
    front: float = 90.0
    """Where the lips end in front."""


@dataclass(frozen=True, kw_only=True)
class BrowShape:
    spine: Curve = ((13.5, 45.2), (23.5, 49.6), (35.0, 52.2), (46.0, 50.6), (54.0, 45.0))
    """(x, y) from the inner to the outer end."""
    heights: tuple[float, ...] = (1.6, 4.3, 4.2, 3.2, 0.7)
    """Along the spine, evenly spaced."""
    colour: str = "#4a2d20"
    strength: float = 0.85


@dataclass(frozen=True, kw_only=True)
class HeadShape:
    skull: tuple[float, float, float] = (74.0, 79.0, 92.0)
    face: Curve = (
        # y, half width, front, roundness (2 is an ellipse, less is more pointed)
        (120.0, 60.0, 64.0, 2.2),
        (90.0, 67.0, 79.0, 2.25),
        (60.0, 69.5, 84.0, 2.3),
        (45.0, 70.0, 84.0, 2.3),
        (25.0, 69.0, 81.0, 2.25),
        (5.0, 67.5, 79.5, 2.2),
        (-15.0, 65.0, 79.5, 2.1),
        (-35.0, 61.5, 80.0, 2.0),
        (-50.0, 57.0, 78.5, 1.95),
        (-62.0, 51.5, 77.0, 1.95),
        (-70.0, 45.5, 75.0, 2.0),
        (-80.0, 34.0, 71.0, 2.0),
    )
    """Horizontal sections of the face without nose, lips and eyes."""
    jaw_slope: float = 0.62
    """How the jaw's lower edge climbs from the chin to the ear."""
    chin_y: float = -73.5
    chin: tuple[float, float, float, float] = (-63.0, 68.0, 13.0, 13.5)
    """The ball of the chin: y, z, half width, height."""
    cheek: float = 1.0
    brow_ridge: float = 0.0
    neck: float = 29.5
    ears: float = 1.0
    eye: EyeShape = field(default_factory=EyeShape)
    nose: NoseShape = field(default_factory=NoseShape)
    mouth: MouthShape = field(default_factory=MouthShape)
    brow: BrowShape = field(default_factory=BrowShape)


@dataclass(frozen=True, kw_only=True)
class Skin:
    base: str
    blush: str
    """Cheeks, nose and chin."""
    lid: str
    lips: str
    shadow: tuple[float, float, float] = (0.80, 1.0, 1.10)
    """How strongly red, green and blue go down in hidden places: skin's shadows are warm."""
    gloss: float = 1.0


@dataclass(frozen=True, kw_only=True)
class HairColours:
    dark: str
    base: str
    light: str


@dataclass(frozen=True, kw_only=True)
class Guide:
    """One line of long hair on the left half, from its root to ear height; below it hangs. Points are (x, y, z)."""

    at: float
    """Where around the head: 0 frames the face, 1 is the middle behind."""
    root: tuple[float, float, float]
    rise: tuple[float, float, float]
    bend: tuple[float, float, float]
    ear: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class LongHair:
    colours: HairColours
    guides: tuple[Guide, ...]
    hang: Curve
    """(y, scale of x, scale of z, shift of z) below the ears."""
    tip: Curve
    """(at, y of the tips)."""
    locks: int = 13
    """Thick locks on each half."""
    groove: float = 2.6
    """How deep the furrows between them are."""
    seed: int = 5


@dataclass(frozen=True, kw_only=True)
class ShortCurls:
    colours: HairColours
    line: Curve
    """(angle around the head in radians from the front, height where the hair begins)."""
    volume: Curve
    """(height, thickness)."""
    curl: float = 13.0
    """Size of a curl."""
    seed: int = 3


@dataclass(frozen=True, kw_only=True)
class Shirt:
    colour: str
    neck: tuple[float, float, float, float]
    """The neck hole: middle z, half width, half depth, thickness of its rim."""
    rim: str
    knit: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Character:
    name: str
    head: HeadShape
    skin: Skin
    hair: LongHair | ShortCurls
    shirt: Shirt
    backdrop: tuple[str, str]
    """Of the portrait: in the light, in the shade."""
    seed: int = 7
