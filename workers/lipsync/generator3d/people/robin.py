"""Robin, the campus guide: in the early twenties, brown skin, short dark curls, an ochre sweatshirt."""

from __future__ import annotations

from workers.lipsync.generator3d.character import (
    BrowShape,
    Character,
    EyeShape,
    HairColours,
    HeadShape,
    MouthShape,
    NoseShape,
    Shirt,
    ShortCurls,
    Skin,
)

HEAD = HeadShape(
    face=(
        (120.0, 60.0, 64.0, 2.2),
        (90.0, 68.0, 78.0, 2.3),
        (60.0, 70.5, 83.0, 2.35),
        (45.0, 71.0, 83.5, 2.3),
        (25.0, 70.0, 80.5, 2.25),
        (5.0, 69.0, 79.5, 2.2),
        (-15.0, 67.0, 79.5, 2.1),
        (-35.0, 64.5, 80.0, 2.05),
        (-50.0, 60.5, 78.5, 2.0),
        (-62.0, 56.0, 77.5, 2.0),
        (-70.0, 50.5, 75.5, 2.05),
        (-80.0, 39.0, 71.0, 2.0),
    ),
    chin_y=-77.0,
    chin=(-66.0, 69.0, 15.0, 13.5),
    brow_ridge=0.45,
    cheek=0.95,
    neck=33.0,
    eye=EyeShape(
        upper=(
            (-0.96, -0.15), (-0.85, 0.01), (-0.52, 0.25), (-0.10, 0.355), (0.22, 0.355), (0.62, 0.255), (0.90, 0.12),
            (1.06, 0.045),
        ),
        iris=("#2a160d", "#7d4a28", "#6a3c1c"),
        lashes=0.55,
    ),
    nose=NoseShape(width=1.16, bridge=1.05, tip=(0.0, -9.0, 95.5), tip_radius=7.2),
    mouth=MouthShape(y=-40.5, half_width=25.5, upper=6.6, lower=8.8, smile=4.6),
    brow=BrowShape(
        spine=((12.5, 44.6), (23.5, 48.6), (35.0, 50.8), (46.0, 49.2), (54.5, 44.2)),
        heights=(2.6, 5.4, 5.2, 3.9, 0.8),
        colour="#1d100b",
        strength=0.9,
    ),
)  # fmt: skip

ROBIN = Character(
    name="robin",
    head=HEAD,
    skin=Skin(base="#a36b4b", blush="#a8523c", lid="#7c4a33", lips="#9f5651", shadow=(0.7, 0.95, 1.05), gloss=1.4),
    hair=ShortCurls(
        colours=HairColours(dark="#0d0807", base="#2f1c14", light="#6b4630"),
        line=(
            (0.0, 96.0),
            (0.35, 93.0),
            (0.62, 80.0),
            (0.85, 56.0),
            (1.15, 32.0),
            (1.45, 20.0),
            (1.62, 12.0),
            (1.8, 4.0),
            (2.3, -22.0),
            (3.15, -34.0),
        ),
        volume=((-40, 2.0), (0, 4.0), (40, 8.0), (80, 14.0), (110, 20.0), (135, 24.0), (160, 24.0)),
    ),
    shirt=Shirt(colour="#cf9636", rim="#c48a2e", neck=(-24, 58, 52, 4.6)),
    backdrop=("#e4e0c4", "#8f9d78"),
    seed=17,
)
