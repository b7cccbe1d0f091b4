"""Vera, the host: about thirty, chestnut hair to the shoulders, green-grey eyes, a teal knitted top."""

from __future__ import annotations

from workers.lipsync.generator3d.character import (
    Character,
    EyeShape,
    Guide,
    HairColours,
    HeadShape,
    LongHair,
    MouthShape,
    NoseShape,
    Shirt,
    Skin,
)

HAIR = LongHair(
    colours=HairColours(dark="#2b1913", base="#5e392b", light="#bb8a62"),
    guides=(
        Guide(at=0.0, root=(-1.5, 101, 66), rise=(36, 105, 71), bend=(67, 72, 57), ear=(68, 30, 42)),
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

HEAD = HeadShape(
    face=(
        (120.0, 60.0, 64.0, 2.2),
        (90.0, 67.0, 79.0, 2.25),
        (60.0, 69.5, 84.0, 2.3),
        (45.0, 70.0, 84.0, 2.3),
        (25.0, 69.5, 81.0, 2.25),
        (5.0, 69.0, 80.0, 2.2),
        (-15.0, 66.5, 80.3, 2.12),
        (-35.0, 63.2, 80.8, 2.05),
        (-50.0, 58.8, 79.3, 2.0),
        (-62.0, 53.2, 77.5, 1.98),
        (-70.0, 47.2, 75.2, 2.0),
        (-80.0, 35.8, 71.0, 2.0),
    ),
    chin=(-62.5, 68.0, 14.2, 13.5),
    ears=0.0,
    eye=EyeShape(
        upper=(
            (-0.96, -0.15), (-0.85, 0.01), (-0.52, 0.25), (-0.10, 0.345), (0.22, 0.35), (0.62, 0.26), (0.90, 0.135),
            (1.06, 0.05),
        ),
        lashes=0.8,
    ),
    nose=NoseShape(width=0.98, bridge=0.96, tip=(0.0, -5.0, 94.0), tip_radius=6.4),
    mouth=MouthShape(y=-37.0, half_width=24.5, upper=6.8, lower=9.0, smile=5.6),
)  # fmt: skip

VERA = Character(
    name="vera",
    head=HEAD,
    skin=Skin(base="#e2a484", blush="#dc7868", lid="#bd806a", lips="#c0565e", shadow=(0.74, 0.98, 1.08)),
    hair=HAIR,
    shirt=Shirt(colour="#2f7f86", rim="#2a7279", neck=(-20, 60, 50, 3.2)),
    backdrop=("#d3dedf", "#809ca5"),
)
