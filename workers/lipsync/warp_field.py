"""Moved points spread to a smooth field, and a field turned round: the arithmetic of the warp."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_NO_MAP = np.empty((0, 0), np.float32)
"""OpenCV's second map, which a map of pairs does without."""

SMOOTHING = 0.6
BLUR_NODES = 1.6
EDGE_NODES = 10
"""Nodes over which a field fades to nothing at its border."""


@dataclass(frozen=True)
class Grid:
    """Nodes every `step` pixels over a box of the picture; node (0, 0) is the middle of its first step × step block."""

    x: int
    y: int
    columns: int
    rows: int
    step: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 in pixels."""
        return self.x, self.y, self.x + self.columns * self.step, self.y + self.rows * self.step

    def nodes(self) -> np.ndarray:
        """(rows, columns, 2) float32 pixel positions."""
        middle = (self.step - 1) / 2
        xs = self.x + np.arange(self.columns, dtype=np.float32) * self.step + middle
        ys = self.y + np.arange(self.rows, dtype=np.float32) * self.step + middle
        return np.dstack(np.meshgrid(xs, ys)).astype(np.float32)

    def numbers(self) -> np.ndarray:
        """(rows, columns, 2) float32: each node's column and row."""
        return np.dstack(np.meshgrid(np.arange(self.columns), np.arange(self.rows))).astype(np.float32)

    def to_nodes(self, points: np.ndarray) -> np.ndarray:
        """Pixel positions as node numbers, float32."""
        middle = (self.step - 1) / 2
        first = np.array((self.x + middle, self.y + middle), np.float32)
        nodes = np.subtract(points, first, dtype=np.float32)
        nodes *= np.float32(1 / self.step)
        return nodes


def grid_over(box: tuple[float, float, float, float], size: int, step: int) -> Grid:
    """The smallest grid over `box` (x0, y0, x1, y1) inside a picture of `size` pixels."""
    x0, y0 = (max(0, int(low // step)) for low in box[:2])
    x1, y1 = (min(size // step, int(-(-high // step))) for high in box[2:])
    return Grid(x0 * step, y0 * step, x1 - x0, y1 - y0, step)


def spread(grid: Grid, points: np.ndarray, moves: list[tuple[np.ndarray, np.ndarray]], edge: bool = True) -> np.ndarray:
    """Each (indices into `points`, their moves (n, 2)) as a field (fields, rows, columns, 2) float32 over the grid.

    A radial basis of |r| with a constant: straight between points, no ringing.
    """
    nodes = grid.nodes().reshape(-1, 2)
    scale = np.float32(1 / grid.step)  # lengths in nodes, so that smoothing means the same at every size
    squares = (points**2).sum(1)[None] + (nodes.astype(np.float64) ** 2).sum(1)[:, None] - 2 * nodes @ points.T
    distances = (np.sqrt(np.maximum(squares, 0)) * scale).astype(np.float32)
    among = np.linalg.norm(points[:, None] - points[None], axis=2) * scale
    weights = np.zeros((len(points), 2 * len(moves)), np.float32)
    constants = np.zeros(2 * len(moves), np.float32)
    for i, (indices, values) in enumerate(moves):
        n, its = len(indices), slice(2 * i, 2 * i + 2)
        system = np.zeros((n + 1, n + 1))
        system[:n, :n] = -among[np.ix_(indices, indices)]
        system[np.arange(n), np.arange(n)] += SMOOTHING
        system[:n, n] = system[n, :n] = 1
        solved = np.linalg.solve(system, np.concatenate([values, np.zeros((1, 2))]))
        weights[indices, its], constants[its] = solved[:n], solved[n]
    # One product for all fields: picking out of the distances what each one needs took half of the time of a face.
    flat = (constants - distances @ weights).reshape(grid.rows, grid.columns, -1)
    fields = [
        cv2.GaussianBlur(np.ascontiguousarray(flat[..., 2 * i : 2 * i + 2]), (0, 0), BLUR_NODES)
        for i in range(len(moves))
    ]
    stack = np.stack(fields)
    return stack * _fade(grid)[None, :, :, None] if edge else stack


def _fade(grid: Grid) -> np.ndarray:
    columns, rows = np.arange(grid.columns), np.arange(grid.rows)
    from_edge = np.minimum(
        np.minimum(columns, columns[::-1])[None].astype(np.float32),
        np.minimum(rows, rows[::-1])[:, None].astype(np.float32),
    )
    t = np.clip(from_edge / EDGE_NODES, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def look_up(picture: np.ndarray, where: np.ndarray, outside: int = cv2.BORDER_REPLICATE) -> np.ndarray:
    """`picture` at the positions `where` (rows, columns, 2) float32 x, y; between pixels bilinear."""
    return np.asarray(cv2.remap(picture, where, _NO_MAP, cv2.INTER_LINEAR, borderMode=outside))


def enlarge(nodes: np.ndarray, step: int) -> np.ndarray:
    """Positions at a whole picture's nodes to positions at its pixels; at the edges the outermost slope goes on."""
    size = (nodes.shape[1] * step, nodes.shape[0] * step)
    pixels = np.asarray(cv2.resize(nodes, size, interpolation=cv2.INTER_LINEAR))
    for view in (pixels, pixels[::-1], pixels.swapaxes(0, 1), pixels.swapaxes(0, 1)[::-1]):
        first = step // 2
        slope = view[first + 1] - view[first]
        for i in range(first):
            view[i] = view[first] - (first - i) * slope
    return pixels


def turn_round(field: np.ndarray, numbers: np.ndarray, coarse: int = 3, fine: int = 2) -> np.ndarray:
    """The backward field b of a forward one f (in nodes): b(x) = -f(x + b(x)), by fixed point.

    `numbers` is (rows, columns, 2) float32: each node's column and row. The first passes run on every second node, a
    quarter of the work. What remains is below 0.2 pixels (99th percentile, widest mouth, three portraits at 512).
    """
    if coarse:
        few = numbers[::2, ::2]
        where = few - field[::2, ::2]
        for _ in range(coarse):
            where = cv2.subtract(few, look_up(field, where))
        # Node i of the coarse grid is node 2 i of the fine one.
        size = (field.shape[1], field.shape[0])
        where = cv2.warpAffine(where, _DOUBLE, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    else:
        where = cv2.subtract(numbers, field)
    for _ in range(fine):
        where = cv2.subtract(numbers, look_up(field, where))
    return cv2.subtract(where, numbers)


_DOUBLE = np.array([[2, 0, 0], [0, 2, 0]], np.float32)


def sample(fields: np.ndarray, grid: Grid, points: np.ndarray) -> np.ndarray:
    """(fields, n, 2): the fields' values at pixel positions."""
    at = grid.to_nodes(points)[None]
    return np.stack([look_up(np.ascontiguousarray(field), at)[0] for field in fields])
