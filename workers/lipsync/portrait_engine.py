"""The embedded face: one photograph, warped. A picture costs a few milliseconds on one core and no network."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np

from broker.config import Settings
from workers.lipsync.articulators import MOUTH_ARTICULATORS, Articulation, articulate
from workers.lipsync.avatars import AvatarLibrary
from workers.lipsync.backdrops import BackdropLibrary
from workers.lipsync.brow_basis import build_brow_basis
from workers.lipsync.clip import read_clip
from workers.lipsync.engine import Wanted
from workers.lipsync.errors import AvatarError
from workers.lipsync.eyes import Eyes
from workers.lipsync.face import FaceState
from workers.lipsync.folds import Folds
from workers.lipsync.framing import FramedFace
from workers.lipsync.geometry import measure, smoothstep
from workers.lipsync.head_pose import COARSE, build_head_pose
from workers.lipsync.inner_mouth import InnerMouth, MouthFrame
from workers.lipsync.lip_layers import cut_lips
from workers.lipsync.lip_seam import draw_seam
from workers.lipsync.matte import cut_figure
from workers.lipsync.mouth_basis import build_mouth_basis, lip_lines
from workers.lipsync.moving_avatar import MovingAvatar
from workers.lipsync.warp_field import Grid, enlarge, look_up

logger = logging.getLogger(__name__)

SMALLEST, LARGEST = 128, 1024
MARGIN_NODES = 8
"""How far a turned head carries the face out of its own grid."""
FULL_EFFECT = 0.06
"""Mouth weight from which the cut-out lips wholly replace the portrait's own; below it they fade in, so that speech
starts from the untouched picture without a jump."""
TAPER = 0.16
"""Share of the lips' length at each corner over which the opening narrows to nothing."""
PARTED_PX = 0.5
"""Between the lips, from which there is something to see."""
SEAM = 0.026
"""Thickness of the line between lips that touch, in jaw heights."""
STILL = 1e-3
"""Weight below which a part does not move."""

_PUCKER = MOUTH_ARTICULATORS.index("pucker")


class PortraitAvatar:
    """One face at one size, ready to be drawn. Not for two threads at once."""

    def __init__(self, framed: FramedFace, size: int, weights: Path | None = None) -> None:
        """Takes part of a second. `weights`: where the network is that cuts the figure out; without it the background
        is part of the face. Raises AvatarError for a size that cannot be drawn."""
        if not SMALLEST <= size <= LARGEST or size % 2:
            raise AvatarError("size", f"A portrait is drawn from {SMALLEST} to {LARGEST} pixels, even; {size} is not.")
        cv2.setNumThreads(1)
        shrink = cv2.INTER_AREA if framed.pixels.shape[0] > size else cv2.INTER_CUBIC
        self.size = size
        self._portrait = cv2.resize(framed.pixels, (size, size), interpolation=shrink)
        matte = cut_figure(self._portrait, weights) if weights else None
        self._ground = matte.ground if matte else None
        opaque = np.dstack([self._portrait, np.full((size, size), 255, np.uint8)])
        self._plain = np.ascontiguousarray(matte.figure if matte else opaque)
        """With alpha, as `_under`; into both the eyes are painted, and into `_rest`."""
        self._rest = self._portrait.copy()
        self.face = face = measure(framed.points, size)
        step = _step(size)
        self.grid = Grid(0, 0, size // step, size // step, step)
        self._nodes = self.grid.nodes()
        lines = lip_lines(self._portrait, face)
        self.mouth = build_mouth_basis(face, lines, size, step)
        self._brows = build_brow_basis(face, size, step)
        self._folds = Folds(face, size)
        self._head = build_head_pose(face, size)
        self.eyes = Eyes(self._portrait, face)
        self.inner = InnerMouth(self._portrait, face)
        self._lips = cut_lips(self._portrait, face, lines, self.mouth.upper.grid)
        self._under = self._plain.copy()
        x0, y0, x1, y1 = self.mouth.upper.grid.box
        self._under[y0:y1, x0:x1, :3] = self._lips.under[y0:y1, x0:x1]
        self._anchors = np.stack(
            [face.mouth, face.mouth + face.right * face.mouth_width / 2, face.mouth + face.down * face.jaw_height / 2]
        )
        reach = np.linspace(-1, 1, len(self.mouth.face.contour))
        self._taper = smoothstep(1.0, 1.0 - 2 * TAPER, np.abs(reach)).astype(np.float32)[:, None]
        self._round = np.sqrt(1 - reach**2).astype(np.float32)[:, None]

    @property
    def portrait(self) -> np.ndarray:
        """(size, size, 3) uint8 BGR: the picture as it was given, at this size."""
        return self._portrait

    @property
    def cut_out(self) -> bool:
        """Whether the figure is known, so that it can stand before another background."""
        return self._ground is not None

    def draw(self, face: FaceState, backdrop: np.ndarray | None = None) -> bytes:
        """Planar yuv420p (I420, BT.601 limited range), size · size · 3 / 2 bytes."""
        return cv2.cvtColor(self.paint(face, backdrop), cv2.COLOR_BGR2YUV_I420).tobytes()

    def draw_cutout(self, face: FaceState) -> bytes:
        """I420 of twice the width: left the figure on black (colours times alpha), right its alpha as grey."""
        figure, alpha = self._figure(face, articulate(face))
        return cv2.cvtColor(np.hstack([figure, cv2.merge((alpha, alpha, alpha))]), cv2.COLOR_BGR2YUV_I420).tobytes()

    def paint(self, face: FaceState, backdrop: np.ndarray | None = None) -> np.ndarray:
        """(size, size, 3) uint8 BGR, before `backdrop` (the same) or the portrait's own background, which keeps still.

        A face at rest before its own background is the portrait itself, bit for bit.
        """
        art = articulate(face)
        if backdrop is None and not _moves(face, art):
            self.eyes.paint(self._rest, face.gaze, face.blink)
            return self._rest.copy()
        figure, alpha = self._figure(face, art)
        ground = self._ground if backdrop is None else backdrop
        if ground is None:
            return figure
        clear = cv2.bitwise_not(alpha)
        return np.asarray(cv2.add(figure, cv2.multiply(ground, cv2.merge((clear, clear, clear)), scale=1 / 255)))

    def _figure(self, face: FaceState, art: Articulation) -> tuple[np.ndarray, np.ndarray]:
        """Its colours times alpha (size, size, 3), and alpha (size, size), uint8; without a matte it fills the
        picture."""
        speaks = art.mouth_moves > STILL
        texture = self._under if speaks else self._plain
        self.eyes.paint(texture, face.gaze, face.blink)
        if not _moves(face, art):
            return _split(texture)
        pose = self._head.field(*face.pose, face.breath) if _posed(face) else None
        turned = self._nodes
        if pose is not None:
            turned = turned + cv2.resize(pose, self._nodes.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        where = self._bent(turned, art)
        out, alpha = _split(look_up(texture, where))
        if speaks:
            self._speak(out, art, pose, turned)
            self._folds.draw(out, where, art.mouth)
            if art.mouth_moves < FULL_EFFECT:
                self.eyes.paint(self._plain, face.gaze, face.blink)
                self._fade_in(out, where, art)
        return out, alpha

    def _bent(self, turned: np.ndarray, art: Articulation) -> np.ndarray:
        """Where each pixel comes from, (size, size, 2): the turned head, with brows and jaw moved in it."""
        nodes = turned.copy()
        if art.brows_move > STILL:
            self._bend(nodes, turned, self._brows.grid, self._brows.backward(art.brows))
        if art.mouth_moves > STILL:
            self._bend(nodes, turned, self.mouth.face.grid, self.mouth.face.backward(art.mouth))
        return enlarge(nodes, self.grid.step)

    def _bend(self, nodes: np.ndarray, turned: np.ndarray, grid: Grid, back: np.ndarray) -> None:
        """Add a part's backward field to the whole picture's, where the turned head now is."""
        x0, y0, x1, y1 = self._window(grid)
        moved = look_up(back, grid.to_nodes(turned[y0:y1, x0:x1]), cv2.BORDER_CONSTANT)
        nodes[y0:y1, x0:x1] += moved * np.float32(grid.step)

    def _speak(self, out: np.ndarray, art: Articulation, pose: np.ndarray | None, turned: np.ndarray) -> None:
        """What is between the lips, then the upper lip over it."""
        upper, lower = self._contours(art.mouth)
        anchors = self._anchors
        if pose is not None:
            carried = self._head.carry(pose, np.concatenate([upper, lower, anchors]))
            upper, lower, anchors = np.split(carried, [len(upper), len(upper) + len(lower)])
        if float((lower - upper)[:, 1].max()) > PARTED_PX:
            self.inner.draw(out, upper, lower, art, _frame(anchors))
        self._lay_upper_lip(out, turned, self.mouth.upper.backward(art.mouth))
        draw_seam(out, upper, lower, SEAM * self.face.jaw_height, self.inner.warmth)

    def _fade_in(self, out: np.ndarray, where: np.ndarray, art: Articulation) -> None:
        """Around the lips, the portrait's own while they hardly move."""
        x0, y0, x1, y1 = (edge * self.grid.step for edge in self._window(self.mouth.upper.grid))
        share = float(smoothstep(0.0, FULL_EFFECT, art.mouth_moves))
        before, _alpha = _split(look_up(self._plain, where[y0:y1, x0:x1]))
        out[y0:y1, x0:x1] = cv2.addWeighted(before, 1 - share, out[y0:y1, x0:x1], share, 0)

    def _window(self, grid: Grid) -> tuple[int, int, int, int]:
        """The nodes of the picture's grid that can show something of `grid`: x0, y0, x1, y1."""
        step, x, y = grid.step, grid.x // grid.step, grid.y // grid.step
        count = self.size // step
        return (
            max(0, x - MARGIN_NODES),
            max(0, y - MARGIN_NODES),
            min(count, x + grid.columns + MARGIN_NODES),
            min(count, y + grid.rows + MARGIN_NODES),
        )

    def _contours(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lips' inner edges, (41, 2) each, meeting at the corners and never crossed."""
        upper = self.mouth.upper.moved_contour(weights)
        lower = self.mouth.face.moved_contour(weights)
        middle = (upper + lower) / 2
        pucker = np.float32(np.clip(weights[_PUCKER], 0, 1))
        taper = self._taper * (1 - pucker) + np.minimum(self._taper, self._round) * pucker
        upper = middle + (upper - middle) * taper
        lower = middle + (lower - middle) * taper
        floor = np.interp(lower[:, 0], upper[:, 0], upper[:, 1])
        lower[:, 1] = np.maximum(lower[:, 1], floor)
        return upper, lower

    def _lay_upper_lip(self, out: np.ndarray, turned: np.ndarray, back: np.ndarray) -> None:
        grid = self.mouth.upper.grid
        x0, y0, x1, y1 = self._window(grid)
        part = turned[y0:y1, x0:x1]
        moved = look_up(back, grid.to_nodes(part))
        nodes = part + moved * np.float32(grid.step) - np.array((grid.x, grid.y), np.float32)
        px0, py0, px1, py1 = (edge * grid.step for edge in (x0, y0, x1, y1))
        where = cv2.resize(nodes, (px1 - px0, py1 - py0), interpolation=cv2.INTER_LINEAR)
        lip = look_up(self._lips.upper, where, cv2.BORDER_CONSTANT)
        clear = cv2.bitwise_not(cv2.extractChannel(lip, 3))
        below = cv2.multiply(out[py0:py1, px0:px1], cv2.merge((clear, clear, clear)), scale=1 / 255)
        out[py0:py1, px0:px1] = cv2.add(below, cv2.cvtColor(lip, cv2.COLOR_BGRA2BGR))


class PortraitEngine:
    """Prepares portraits, from the cache where it can. It draws one picture at a time."""

    name = "portrait"
    batch = 1

    def __init__(self, settings: Settings) -> None:
        self._library = AvatarLibrary.of(settings)
        self._backdrops = BackdropLibrary(settings.path("backdrops"))
        self._weights = settings.path("weights") / "mediapipe"

    def find(self, portrait: str) -> Path:
        """The picture a persona names. Raises AvatarError naming the known ones."""
        return self._library.path_of(portrait)

    def prepare(self, portrait_path: Path, size: int) -> PortraitAvatar | MovingAvatar:
        """Part of a second; some 50 ms more for a photograph that is new, a second more for a film beside it. Raises
        AvatarError."""
        still = self.still(portrait_path, size)
        try:
            clip = read_clip(portrait_path.parent, size)
        except AvatarError as error:
            logger.warning("film not used", extra={"portrait": portrait_path.parent.name, "reason": str(error)})
            return still
        return MovingAvatar(still, clip) if clip else still

    def still(self, portrait_path: Path, size: int) -> PortraitAvatar:
        """As `prepare`, without the film. Raises AvatarError."""
        return PortraitAvatar(self._library.framed(portrait_path), size, self._weights)

    def draw(self, wanted: list[Wanted]) -> list[bytes]:
        """I420 pictures, one for each."""
        return [
            each.avatar.draw(each.face, each.at_ns)
            if isinstance(each.avatar, MovingAvatar)
            else each.avatar.draw(each.face, each.backdrop)
            for each in wanted
        ]

    def find_backdrop(self, name: str) -> Path:
        """A picture of the backdrops' folder, or a colour. Raises AvatarError naming the known ones."""
        return self._backdrops.find(name)

    def prepare_backdrop(self, path: Path, size: int) -> np.ndarray:
        """(size, size, 3) uint8 BGR. Raises AvatarError."""
        return self._backdrops.load(path, size)

    def cut_out(self, wanted: Wanted) -> bytes:
        """I420 of twice the width: the figure, and its alpha as grey."""
        if isinstance(wanted.avatar, MovingAvatar):
            return wanted.avatar.draw_cutout(wanted.face, wanted.at_ns)
        drawn: bytes = wanted.avatar.draw_cutout(wanted.face)
        return drawn


def _split(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR), cv2.extractChannel(picture, 3)


def _posed(face: FaceState) -> bool:
    return any(face.pose) or face.breath > 0


def _moves(face: FaceState, art: Articulation) -> bool:
    """Whether anything but the eyes differs from the portrait."""
    return _posed(face) or art.mouth_moves > STILL or art.brows_move > STILL


def _step(size: int) -> int:
    """Pixels between nodes: some 256 nodes across, and no part node at the edge."""
    wanted = max(1, round(size / 256))
    return min((step for step in (1, 2, 3, 4) if size % step == 0), key=lambda step: abs(step - wanted))


def _frame(anchors: np.ndarray) -> MouthFrame:
    right, down = anchors[1] - anchors[0], anchors[2] - anchors[0]
    return MouthFrame(anchors[0], right / np.linalg.norm(right), down / np.linalg.norm(down))


assert COARSE < SMALLEST  # the pose field is only ever enlarged
