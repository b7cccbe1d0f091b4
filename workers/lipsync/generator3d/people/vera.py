"""Vera, the host: about thirty, chestnut hair to the shoulders, green-grey eyes, a teal knitted top."""

from __future__ import annotations

from workers.lipsync.generator3d.character import (
    Character,
    Guide,
    HairColours,
    HeadShape,
    LongHair,
    NoseShape,
    Shirt,
    Skin,
)

HAIR = LongHair(
    colours=HairColours(dark="#2b1913", base="#5e392b", light="#bb8a62"),
    guides=(
        Guide(at=0.0, root=(-1.5, 108, 60), rise=(38, 112, 66), bend=(67, 78, 56), ear=(68, 30, 42)),
        Guide(at=0.12, root=(-1.5, 120, 54), rise=(42, 126, 64), bend=(84, 92, 54), ear=(80, 30, 40)),
        Guide(at=0.30, root=(-1.5, 138, 36), rise=(50, 150, 42), bend=(98, 118, 22), ear=(98, 30, 8)),
        Guide(at=0.50, root=(-1.5, 147, 8), rise=(54, 163, 4), bend=(102, 120, -34), ear=(100, 30, -38)),
        Guide(at=0.75, root=(-1.5, 149, -22), rise=(42, 160, -60), bend=(80, 112, -96), ear=(74, 30, -96)),
        Guide(at=1.0, root=(-1.5, 147, -42), rise=(-2, 152, -92), bend=(-2, 100, -128), ear=(-2, 30, -120)),
    ),
    hang=(
        (30, 1.0, 1.0, 0.0),
        (-10, 1.0, 1.0, 0.0),
        (-50, 1.01, 1.0, 0.0),
        (-90, 1.06, 0.97, 2.0),
        (-120, 1.03, 0.93, 3.0),
        (-150, 0.90, 0.86, 2.0),
    ),
    tip=((0, -122), (0.15, -134), (0.4, -142), (0.7, -140), (1.0, -134)),
)

VERA = Character(
    name="vera",
    head=HeadShape(ears=0.0, nose=NoseShape(width=0.93)),
    skin=Skin(base="#ebb99b", blush="#e28a7a", lid="#c98f7c", lips="#c8646a"),
    hair=HAIR,
    shirt=Shirt(colour="#2f7f86", rim="#2a7279", neck=(-20, 60, 50, 3.2)),
    backdrop=("#d3dedf", "#809ca5"),
)
