"""What makes one painted person differ from another, as data: a character is one value of `Character`.

Lengths are in units of the painting's side, y downwards; colours are `#rrggbb`. A half outline runs down the right
side, x from the middle of the face, and is mirrored. Lids, lips and brows are given around their own middle.
"""

from __future__ import annotations

from dataclasses import dataclass

from workers.lipsync.generator.canvas import Points


@dataclass(frozen=True)
class Skin:
    base: str
    blush: str
    """Cheeks, nose and chin."""
    lid: str
    """Above and below the eyes."""
    shadow: tuple[float, float, float]
    """Red, green and blue left in half shade: skin's shadows are warm."""
    gloss: float = 1.0
    lines: float = 0.0
    """How much life has drawn around eyes, mouth and on the forehead, 0..1."""


@dataclass(frozen=True)
class Head:
    """`outline` and `neck` are half outlines, from the top to the middle below."""

    outline: Points
    neck: Points
    cheek: float = 1.0
    """Height of the cheek bones and apples."""
    chin: float = 1.0
    ears: bool = True
    """Whether they are seen."""


@dataclass(frozen=True)
class Nose:
    width: float = 1.0
    bridge: float = 1.0
    tip_y: float = 0.580


@dataclass(frozen=True)
class Eyes:
    """`upper` and `lower` lids run from the inner to the outer corner, x outwards from the eye's middle."""

    x: float
    y: float
    upper: Points
    lower: Points
    iris_dark: str
    iris_light: str
    iris_ring: str
    """The warmer ring around the pupil."""
    radius: float = 0.0226
    lift: float = 0.0024
    """How far the iris sits above the eye's middle."""
    lashes: float = 1.0
    crease: float = 0.0135
    """The fold's height above the lid."""


@dataclass(frozen=True)
class Brows:
    """`spine` from the inner to the outer end, x from the middle of the face; `widths` along it, evenly spaced."""

    spine: Points
    widths: tuple[float, ...]
    ground: str
    hairs: str
    strength: float = 0.62


@dataclass(frozen=True)
class Mouth:
    """Lip lines from the left corner to the right, around (0.5, `y`); all three share their corners."""

    y: float
    between: Points
    upper: Points
    lower: Points
    colour: str
    upper_shade: float = 0.75
    """How much darker the upper lip is than the lower."""
    gloss: float = 1.0
    cover: float = 0.88


@dataclass(frozen=True)
class Beard:
    """Short stubble: soft colour under many short hairs. `outline` is a half outline, `free` the half outline of what
    stays bare around the lips."""

    outline: Points
    free: Points
    hairs: tuple[str, ...]
    ground: str
    strength: float = 0.4


@dataclass(frozen=True)
class HairColours:
    dark: str
    base: str
    light: str


@dataclass(frozen=True)
class Fall:
    """Long hair: strands between guide lines from root to tip, neighbours side by side, from the face outwards."""

    guides: tuple[Points, ...]
    strands: int
    seed: int
    gleam: float = 0.3
    """Where along a strand the light lies, 0..1."""
    gleam_strength: float = 1.0
    shadow: tuple[float, ...] = (0.0,)
    """How much darker than the hair's own colour, per guide."""
    roots: float = 0.0
    """How much darker where the strands begin."""
    wave: float = 0.0
    """How far locks swing to the side at their tips."""
    waves: float = 2.0
    gather: float = 0.0
    """How much strands meet in pointed locks at their tips, 0..1."""
    casts: bool = False
    """Whether it throws a shadow on the face."""


@dataclass(frozen=True)
class Crop:
    """Short hair: little locks that cover an area. `outline` is closed and whole; a flow is a place and the direction
    (in turns, 0 to the right, 0.25 down) in which hair grows there."""

    outline: Points
    flows: tuple[tuple[float, float, float], ...]
    locks: int
    length: float
    breadth: float
    seed: int
    curl: float = 0.6
    """Radians by which a lock bends along its way, to either side."""
    spread: float = 0.05
    """How unlike neighbours lie, in turns."""
    hairs: int = 9
    """Per lock."""
    solid: float = 1.0
    """Coverage of the ground under the locks."""
    soft: float = 0.004
    overhang: float = 0.0
    """How far locks may root outside the outline."""
    light: tuple[float, float] = (0.3, 0.7)
    """Tone in the shade, and what the light adds."""
    unlike: float = 0.10
    """How much the tones of neighbours differ."""
    whites: float = 0.0
    """Share of locks that are of the light colour."""
    casts: bool = True


@dataclass(frozen=True)
class Hair:
    colours: HairColours
    front: tuple[Fall | Crop, ...]
    """Over the head, the first lowest."""
    back: tuple[Fall, ...] = ()
    """Behind the neck."""


@dataclass(frozen=True)
class Panel:
    """A piece of cloth, `outline` closed and whole. `folds`: (x, y, turn in radians, height)."""

    outline: Points
    colour: str
    thick: float = 0.08
    """How far the edge takes to round off."""
    knit: float = 1.0
    folds: tuple[tuple[float, float, float, float], ...] = ()
    seams: tuple[Points, ...] = ()
    casts: float = 0.28


@dataclass(frozen=True)
class Clothes:
    front: tuple[Panel, ...]
    back: tuple[Panel, ...] = ()
    """Behind the neck."""


@dataclass(frozen=True)
class Backdrop:
    light: str
    dark: str
    glow: tuple[float, float] = (0.38, 0.36)


@dataclass(frozen=True)
class Character:
    """All there is to a painted person, who is made up: no one's likeness is used."""

    name: str
    skin: Skin
    head: Head
    nose: Nose
    eyes: Eyes
    brows: Brows
    mouth: Mouth
    hair: Hair
    clothes: Clothes
    backdrop: Backdrop
    beard: Beard | None = None
    frame: tuple[float, float, float] = (0.06, 0.075, 0.88)
    """Left, top and side of the part of the painting that is shown."""
