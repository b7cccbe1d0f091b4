"""Which of the 478 face-mesh points is what. Numbers are those of MediaPipe's canonical face model; left and right are
the picture's."""

from __future__ import annotations

POINTS = 478
MESH_POINTS = 468
"""The first 468 are the mesh; then five of each iris (centre, then its rim)."""

UPPER_LIP_OUTER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
UPPER_LIP_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
LOWER_LIP_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""Each from the left corner to the right; the outer and the inner pairs share their corners."""

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

LEFT_EYE_UPPER = (33, 246, 161, 160, 159, 158, 157, 173, 133)
LEFT_EYE_LOWER = (33, 7, 163, 144, 145, 153, 154, 155, 133)
RIGHT_EYE_UPPER = (362, 398, 384, 385, 386, 387, 388, 466, 263)
RIGHT_EYE_LOWER = (362, 382, 381, 380, 374, 373, 390, 249, 263)
"""Lid edges, from left to right."""

LID_CREASES = ((247, 30, 29, 27, 28, 56, 190), (467, 260, 259, 257, 258, 286, 414))
"""Above the upper lids, in the order of `EYES`."""
EYES = ((LEFT_EYE_UPPER, LEFT_EYE_LOWER), (RIGHT_EYE_UPPER, RIGHT_EYE_LOWER))

LEFT_IRIS = (468, 469, 470, 471, 472)
RIGHT_IRIS = (473, 474, 475, 476, 477)

LEFT_BROW = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55)
RIGHT_BROW = (336, 296, 334, 293, 300, 285, 295, 282, 283, 276)
"""Upper edge then lower edge, each from left to right."""

CHIN, FOREHEAD, NOSE_BASE, NOSE_TIP = 152, 10, 2, 1
LEFT_CHEEK, RIGHT_CHEEK = 234, 454
LEFT_EYE_OUTER, RIGHT_EYE_OUTER = 33, 263
LEFT_CORNER, RIGHT_CORNER = 61, 291
UPPER_LIP_MIDDLE, LOWER_LIP_MIDDLE = 13, 14
