"""Fewer triangles on some of the same vertices: edges are given up in rounds, those that are missed least first.

What giving one up costs is the squared distance from the planes that were there (Garland and Heckbert 1997), and how
far whatever else a vertex carries – a shape's move, a normal, a colour – lies from what was there (Hoppe 1999).
Vertices at one place are one point with several sides, as along a texture's cuts; such a point goes only along its cut.
Of the libraries for this, the page's (meshoptimizer) has no wheels for Python, and those with wheels know places only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ids = NDArray[np.int64]

EDGE_WEIGHT = 10.0
"""Of a border or a cut, whose line is seen more than a surface's place."""
A_ROUND = 0.12
"""Share of the points that may go in one round: fewer come closer to always taking the cheapest."""
LEAST_TURN = 0.3
"""Cosine between a triangle before and after: what turns further has folded."""


@dataclass
class _Mesh:
    place: Array
    """(points, 3)."""
    point: Ids
    """Of each vertex."""
    beside: Array
    """(vertices, columns)."""
    faces: Ids
    """(n, 3) vertices."""
    planes: Array
    """(points, 4, 4)."""
    slopes: Array
    """(vertices, columns, 4): gradient and offset of what is beside, summed over area."""
    bends: Array
    """(vertices, 4, 4) the squares of these."""
    areas: Array
    """(vertices,)."""
    locked: NDArray[np.bool_]
    """(points,)."""


def fewer(places: Array, faces: Ids, beside: Array, keep: int, locked: Ids | None = None) -> Ids:
    """About `keep` of the triangles, (m, 3); more where fewer would tear or fold the surface.

    `places`: (n, 3); `faces`: (f, 3); `beside`: (n, k), as far apart as the places are when they matter as much;
    `locked`: vertices that stay.
    """
    mesh = _measure(places, faces, beside)
    mesh.locked[mesh.point[locked if locked is not None else np.zeros(0, np.int64)]] = True
    while len(mesh.faces) > keep:
        gone = _round(mesh, (len(mesh.faces) - keep + 1) // 2)
        if not gone:
            break
    return mesh.faces


def _measure(places: Array, faces: Ids, beside: Array) -> _Mesh:
    place, point = np.unique(places, axis=0, return_inverse=True)
    point = point.reshape(-1).astype(np.int64)
    faces = _whole(faces, point)
    corners = point[faces]
    a, b, c = (place[corners[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    size = np.linalg.norm(across, axis=1)
    normal = across / np.maximum(size, 1e-20)[:, None]
    area = size / 2
    plane = np.concatenate([normal, -(normal * a).sum(1)[:, None]], 1)
    planes = np.zeros((len(place), 4, 4))
    _add(planes, corners, area[:, None, None] * plane[:, :, None] * plane[:, None, :])
    _add_edges(planes, place, point, faces, normal)
    slope = _slopes(a, b, c, normal, beside[faces])
    slopes = np.zeros((len(places), beside.shape[1], 4))
    _add(slopes, faces, area[:, None, None] * slope)
    bends = np.zeros((len(places), 4, 4))
    _add(bends, faces, area[:, None, None] * (slope.transpose(0, 2, 1) @ slope))
    areas = np.zeros(len(places))
    _add(areas, faces, area)
    locked = np.zeros(len(place), bool)
    return _Mesh(place, point, beside, faces, planes, slopes, bends, areas, locked)


def _add(sums: Array, corners: Ids, of_face: Array) -> None:
    for k in range(3):
        np.add.at(sums, corners[:, k], of_face)


def _add_edges(planes: Array, place: Array, point: Ids, faces: Ids, normal: Array) -> None:
    """Borders and cuts: planes that stand upright on them."""
    start, end = _edges(faces)
    twin = np.isin(_key(end, start, len(point)), _key(start, end, len(point)))
    of = np.tile(np.arange(len(faces)), 3)[~twin]
    u, v = point[start[~twin]], point[end[~twin]]
    along = place[v] - place[u]
    upright = np.cross(along, normal[of])
    upright /= np.maximum(np.linalg.norm(upright, axis=1), 1e-20)[:, None]
    plane = np.concatenate([upright, -(upright * place[u]).sum(1)[:, None]], 1)
    weight = EDGE_WEIGHT * (along**2).sum(1)
    square = weight[:, None, None] * plane[:, :, None] * plane[:, None, :]
    np.add.at(planes, u, square)
    np.add.at(planes, v, square)


def _slopes(a: Array, b: Array, c: Array, normal: Array, beside: Array) -> Array:
    """(faces, columns, 4): what is beside as a linear function of the place, level across the triangle."""
    frame = np.stack([b - a, c - a, normal], 1)
    frame[np.abs(np.linalg.det(frame)) < 1e-20] = np.eye(3)
    rises = np.stack([beside[:, 1] - beside[:, 0], beside[:, 2] - beside[:, 0], np.zeros_like(beside[:, 0])], 1)
    gradient = np.linalg.solve(frame, rises).transpose(0, 2, 1)
    offset = beside[:, 0] - np.einsum("fkx,fx->fk", gradient, a)
    return np.concatenate([gradient, offset[:, :, None]], 2)


def _edges(faces: Ids) -> tuple[Ids, Ids]:
    return faces.T.reshape(-1), faces[:, [1, 2, 0]].T.reshape(-1)


def _key(start: Ids, end: Ids, count: int) -> Ids:
    return start * count + end


def _round(mesh: _Mesh, wanted: int) -> int:
    """Give up some points, at most so many; how many."""
    u, v, a, b, first = _moves(mesh)
    if not len(u):
        return 0
    cheapest = np.argsort(_cost(mesh, u, v, a, b, first), kind="stable")
    some = max(1, int(A_ROUND * len(np.unique(mesh.point[mesh.faces]))))
    looked_at, best = 4 * some, cheapest[:0]
    while not len(best) and looked_at < 16 * len(cheapest):
        sound = cheapest[:looked_at]
        sound = sound[~_folds(mesh, u[sound], v[sound])]
        best = sound[np.sort(np.unique(u[sound], return_index=True)[1])][:some]
        best = best[_apart(mesh, u[best], v[best])][:wanted]
        looked_at *= 4
    _apply(mesh, u[best], v[best], np.isin(first, best), a, b)
    return len(best)


def _moves(mesh: _Mesh) -> tuple[Ids, Ids, Ids, Ids, Ids]:
    """Where a point may go: from u to v (points), and for each of them its sides from a to b (vertices), `first` being
    the move that a pair of sides belongs to."""
    count, points = len(mesh.point), len(mesh.place)
    start, end = _edges(mesh.faces)
    sides = np.unique(np.concatenate([_key(start, end, count), _key(end, start, count)]))
    a, b = np.divmod(sides, count)
    pairs, first = np.unique(_key(mesh.point[a], mesh.point[b], points), return_inverse=True)
    u, v = np.divmod(pairs, points)
    start_point, end_point = mesh.point[start], mesh.point[end]
    used = np.unique(mesh.faces)
    many = np.bincount(mesh.point[used], minlength=points)
    # Every side of u goes to one of v's.
    whole = np.bincount(first, minlength=len(pairs)) == many[u]
    # A border stays where it is, and so does what is no surface.
    around = _key(np.minimum(start_point, end_point), np.maximum(start_point, end_point), points)
    edge, faces_at = np.unique(around, return_counts=True)
    at = faces_at[np.searchsorted(edge, _key(np.minimum(u, v), np.maximum(u, v), points))]
    ends = np.concatenate(np.divmod(edge[faces_at == 1], points))
    border = np.bincount(ends, minlength=points)
    odd = np.zeros(points, bool)
    odd[np.concatenate(np.divmod(edge[faces_at > 2], points))] = True
    odd |= (border != 0) & (border != 2)
    free = ~(mesh.locked | odd)[u] & (at <= 2) & ((border[u] == 0) | (at == 1))
    near = sparse.csr_matrix((np.ones(len(u), np.int32), (u, v)), shape=(points, points))
    allowed = np.flatnonzero(whole & free)
    shared = np.asarray(near[u[allowed]].multiply(near[v[allowed]]).sum(1)).ravel()
    allowed = allowed[shared == at[allowed]]
    place = np.full(len(pairs), -1)
    place[allowed] = np.arange(len(allowed))
    kept = place[first] >= 0
    return u[allowed], v[allowed], a[kept], b[kept], place[first[kept]]


def _cost(mesh: _Mesh, u: Ids, v: Ids, a: Ids, b: Ids, first: Ids) -> Array:
    there = np.concatenate([mesh.place[v], np.ones((len(v), 1))], 1)
    cost = np.einsum("ni,nij,nj->n", there, mesh.planes[u] + mesh.planes[v], there)
    at = there[first]
    value = mesh.beside[b]
    sloped = np.einsum("nkj,nj->nk", mesh.slopes[a], at)
    off = np.einsum("ni,nij,nj->n", at, mesh.bends[a], at) - 2 * (sloped * value).sum(1)
    off += mesh.areas[a] * (value**2).sum(1)
    np.add.at(cost, first, off)
    return cost


def _folds(mesh: _Mesh, u: Ids, v: Ids) -> NDArray[np.bool_]:
    """Moves that turn a triangle over."""
    corners = mesh.point[mesh.faces]
    move, face = _around(mesh, u)
    before = corners[face]
    after = np.where(before == u[move][:, None], v[move][:, None], before)
    stays = (before != v[move][:, None]).all(1)
    old, new = (np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]) for p in (mesh.place[before], mesh.place[after]))
    least = LEAST_TURN * np.linalg.norm(old, axis=1) * np.linalg.norm(new, axis=1)
    folded = stays & ((old * new).sum(1) <= least)
    return np.bincount(move[folded], minlength=len(u)) > 0


def _around(mesh: _Mesh, points: Ids) -> tuple[Ids, Ids]:
    """(which of `points`, triangle) for every triangle at each of them."""
    corners = mesh.point[mesh.faces].reshape(-1)
    order = np.argsort(corners, kind="stable")
    left, right = (np.searchsorted(corners[order], points, side) for side in ("left", "right"))
    count = right - left
    which = np.repeat(np.arange(len(points)), count)
    inside = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return which, order[np.repeat(left, count) + inside] // 3


def _apart(mesh: _Mesh, u: Ids, v: Ids) -> Ids:
    """Those that do not touch each other, the first ones first."""
    which, face = _around(mesh, u)
    ring = mesh.point[mesh.faces[face]].reshape(-1)
    claims = np.concatenate([np.repeat(which, 3), np.arange(len(v))])
    claimed = np.concatenate([ring, v])
    owner = np.full(len(mesh.place), len(u))
    np.minimum.at(owner, claimed, claims)
    lost = np.bincount(claims[owner[claimed] != claims], minlength=len(u)) > 0
    return np.flatnonzero(~lost)


def _apply(mesh: _Mesh, u: Ids, v: Ids, moved: NDArray[np.bool_], a: Ids, b: Ids) -> None:
    mesh.planes[v] += mesh.planes[u]
    a, b = a[moved], b[moved]
    for sums in (mesh.slopes, mesh.bends, mesh.areas):
        np.add.at(sums, b, sums[a])
    goes = np.arange(len(mesh.point))
    goes[a] = b
    mesh.faces = _whole(goes[mesh.faces], mesh.point)


def _whole(faces: Ids, point: Ids) -> Ids:
    """Those with three corners."""
    x, y, z = point[faces].T
    return faces[(x != y) & (y != z) & (z != x)]
