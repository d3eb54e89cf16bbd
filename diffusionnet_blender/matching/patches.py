"""Parts of two surfaces that look alike, as two faces, and a sharper map between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_matrix, csgraph
from scipy.spatial import cKDTree

from ..surface.edges import unique_edges
from ..surface.loose_parts import label_mesh_parts, label_parts
from ..surface.surface import triangle_areas, vertex_areas
from ..surface.winding import vertex_normals
from .closest import ClosestPoints
from .points import SurfacePoints
from .similarity import similarity
from .warp import Points, Similarity, laid_on, size_of, warped

Mesh = tuple[np.ndarray, np.ndarray]

# A patch is what is moved and what is so near to it: in units of the size of what is moved, and at
# least of the square root of the area.
MARGIN, LEAST_MARGIN = 0.5, 0.06
# Places that are no farther apart than so many of the latter are one part: an eye and a mouth.
NEIGHBOURS = 3.0
# Residual of the similarity, in units of the size, above which two patches are not alike: faces of
# people have 0.03 to 0.08.
ALIKE = 0.11
# Another start than the map, or fewer vertices than all, are taken if the residual is so much less.
MUCH_BETTER = 0.8
# Vertices farther than this from a patch that was laid on them lie elsewhere, in units of its size.
REACH = 0.35
MOST_TURNED = 60.0
# Weight of what is not moved, in the turn and the scale of a patch.
LEAST = 0.05
# A loose part of the target lies on each loose part of the source with such a share of its image.
SHARE = 0.1
# What encloses less than this share of its own area is no border of a patch.
POCKET = 0.03
# Loose parts with less of the area do not decide how a patch lies: teeth have many vertices.
DECIDING_AREA = 0.15


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of the source and its counterpart on the target.

    Attributes
    ----------
    source, target : (n,), (m,) int64
        Vertices.
    points : SurfacePoints
        On the source, one for each of `target`.
    warped : (m, 3) float64
        The target's vertices bent onto the source.
    to_source : Similarity
        That lays the target's part on the source's.
    size : float
        Of the source's part, see `size_of`.
    """

    source: np.ndarray
    target: np.ndarray
    points: SurfacePoints
    warped: np.ndarray
    to_source: Similarity
    size: float

    def without(self, vertices: np.ndarray) -> Patch:
        """The same less some vertices (n,) of the target."""
        kept = np.isin(self.target, vertices, invert=True)
        return replace(
            self, target=self.target[kept], points=self.points[kept], warped=self.warped[kept]
        )


def moved_parts(source: Mesh, moved: np.ndarray, keys: np.ndarray) -> list[np.ndarray]:
    """Vertices around those that are moved and where they go, one array for each place.

    Parameters
    ----------
    source : (vertices, faces)
    moved : (K, V) bool
        By each of several keys.
    keys : (K, V, 3) float
    """
    vertices = source[0]
    least = LEAST_MARGIN * np.sqrt(triangle_areas(*source).sum())
    near = np.zeros(len(vertices), bool)
    cell = least
    for own, key in zip(moved, keys, strict=True):
        if not own.any():
            continue
        margin = max(MARGIN * size_of(vertices[own]), least)
        tree = cKDTree(np.concatenate([vertices[own], key[own]]))
        near |= tree.query(vertices, distance_upper_bound=margin)[0] < np.inf
    near &= np.isin(np.arange(len(vertices)), source[1])
    near = np.flatnonzero(near)
    cells, number = np.unique(np.floor(vertices[near] / cell), axis=0, return_inverse=True)
    beside = cKDTree(cells).query_pairs(NEIGHBOURS, output_type="ndarray")
    graph = coo_matrix((np.ones(len(beside)), beside.T), shape=(len(cells), len(cells)))
    label = csgraph.connected_components(graph, directed=False)[1][number.ravel()]
    return [near[label == part] for part in range(label.max(initial=-1) + 1)]


def patch_of(
    part: np.ndarray,
    moved: np.ndarray,
    source: Mesh,
    target: Mesh,
    target_to_source: SurfacePoints,
    progress: Callable[[], None] = lambda: None,
    start: Similarity | None = None,
    with_pockets: bool = False,
) -> Patch | None:
    """The counterpart of a part of the source, or None if the target has nothing alike.

    Parameters
    ----------
    part : (n,) int
        Vertices of the source.
    moved : (V,) bool
        Those of the source by which turn and scale are told.
    source, target : (vertices, faces)
    target_to_source : SurfacePoints
        The map as it is.
    progress : callable
        Called between steps; may raise to stop.
    start : Similarity, optional
        Where the counterpart lies about, tried beside the map; by default the boxes of both meshes
        are laid on one another.
    with_pockets : bool
        Take in what the counterpart encloses, as a throat.
    """
    if len(part) < 4 or not np.ptp(source[0][part], axis=0).any():
        return None
    start = start or _as_they_stand(source[0], target[0])
    fitting = _Fitting(part, source, target, target_to_source, start, progress)
    found = fitting.best()
    if found.residual > ALIKE:
        return None
    progress()
    to_source, own = found.to_source, found.own
    if with_pockets:
        own = _filled(own, target)
    normals = fitting.normals[1][own]
    at_rest = Points(target[0][own], normals).moved(to_source)
    bent = warped(found.goal, at_rest, found.decides[own])
    facing = normals @ to_source.rotation.T
    points = _on_parts(bent, facing, own, source, fitting.parts, target_to_source)
    weight = LEAST + points.interpolate(moved.astype(float), source[1])
    to_source = Similarity(*similarity(target[0][own], bent, weight))
    return Patch(part, own, points, bent, to_source, found.goal.size)


@dataclass(frozen=True, eq=False)
class _Fit:
    """The target's vertices on a part of the source.

    Attributes
    ----------
    goal : Points
        Of the source, on which lie those that decide.
    decides : (V,) bool
        Vertices of the target.
    to_source : Similarity
    own : (m,) int64
        Vertices of the target on the part.
    residual : float
        Of those that decide on the goal or of the goal on them, the larger one.
    """

    goal: Points
    decides: np.ndarray
    to_source: Similarity
    own: np.ndarray
    residual: float


class _Fitting:
    """Lays the target on a part of the source, as `patch_of` has them.

    Attributes
    ----------
    normals, parts : two arrays each
        Of the vertices of source and target: normals, and numbers of loose parts.
    """

    def __init__(
        self,
        part: np.ndarray,
        source: Mesh,
        target: Mesh,
        target_to_source: SurfacePoints,
        start: Similarity,
        progress: Callable[[], None],
    ):
        self._part, self._source, self._target = part, source, target
        self._start, self._progress = start, progress
        self.normals = [vertex_normals(*mesh) for mesh in (source, target)]
        self.parts = [label_mesh_parts(len(mesh[0]), mesh[1]) for mesh in (source, target)]
        self._tree = cKDTree(source[0])
        self._inside = np.zeros(len(source[0]))
        self._inside[part] = 1.0
        weight = target_to_source.interpolate(self._inside, source[1])
        self._mapped = np.flatnonzero(weight > 0.5)
        self._nearest = target_to_source.nearest_vertex(source[1])
        self._image = target_to_source.interpolate(source[0], source[1])

    def best(self) -> _Fit:
        """By all vertices, or by those alone that are alike: large loose parts, or some of them.

        Teeth on one head alone have many vertices, and of a head with hair and a bald one only the
        skin is alike.
        """
        found = self._fit(self._part, self._mapped, np.ones(len(self._target[0]), bool))
        one = _large_parts(self._source, self._part, self.parts[0])
        other = _large_parts(self._target, self._mapped, self.parts[1])
        large = np.concatenate(one), np.concatenate(other)
        if len(large[0]) < len(self._part) or len(large[1]) < len(self._mapped):
            found = _better(found, self._by_parts(*large))
        if len(one) == len(other) == 1:
            return found
        part = self.parts[0]
        led_to = [np.bincount(part[self._nearest[theirs]]).argmax() for theirs in other]
        alike = []
        for own in one:
            led_here = [at for at, to in zip(other, led_to, strict=True) if to == part[own[0]]]
            fits = [(self._by_parts(own, theirs), theirs) for theirs in led_here]
            fit, theirs = min(fits, key=lambda pair: pair[0].residual, default=(None, None))
            if fit is not None and fit.residual <= ALIKE:
                alike.append((own, theirs, fit))
        if not alike or len(alike) == len(one) == len(other):
            return found
        chosen = alike[0][2]
        if len(alike) > 1:
            pairs = (np.concatenate([each[n] for each in alike]) for n in (0, 1))
            chosen = self._by_parts(*pairs)
        return _better(found, chosen)

    def _by_parts(self, own: np.ndarray, theirs: np.ndarray) -> _Fit:
        """By loose parts of both, of the target's in full: the map may have led elsewhere."""
        decides = np.isin(self.parts[1], self.parts[1][theirs]) | (not len(theirs))
        return self._fit(own, theirs, decides)

    def _fit(self, own: np.ndarray, theirs: np.ndarray, decides: np.ndarray) -> _Fit:
        """By vertices of the source and those of the target that decide, (V,) bool.

        From where the map has some of the latter, or from the start that was given.
        """
        goal = Points(self._source[0][own], self.normals[0][own])
        starts = [self._start]
        if len(theirs) > 3:
            starts.insert(0, Similarity.between(self._target[0][theirs], self._image[theirs]))
        fits = []
        for start in starts:
            self._progress()
            fits.append(self._from(start, goal, decides))
        is_better = fits[-1].residual < MUCH_BETTER * fits[0].residual
        return fits[-1] if is_better else fits[0]

    def _from(self, start: Similarity, goal: Points, decides: np.ndarray) -> _Fit:
        """The fit from a start, in two rounds: what lies on the part depends on where it lies."""
        found, residual = start, np.inf
        own = np.zeros(0, np.int64)
        whole = self._target[0]
        on_source = self._source[0][self._part]
        reach = REACH * goal.size
        low, high = on_source.min(axis=0) - reach, on_source.max(axis=0) + reach
        for _ in range(2):
            at = found(whole)
            close = np.flatnonzero(((at > low) & (at < high)).all(axis=1))
            off, near = self._tree.query(at[close], distance_upper_bound=reach)
            on_part = np.isfinite(off)
            on_part[on_part] = self._inside[near[on_part]] > 0
            own = close[on_part]
            chosen = own[decides[own]]
            if len(chosen) < 4:
                return _Fit(goal, decides, found, own, np.inf)
            points = Points(whole[chosen], self.normals[1][chosen])
            found, residual = laid_on(goal, points, found)
        back = cKDTree(found(points.positions)).query(goal.some().positions)[0]
        back = back[back <= np.quantile(back, 0.85)]
        residual = max(residual, float(np.sqrt(np.square(back).mean())) / goal.size)
        return _Fit(goal, decides, found, own, residual)


def _better(usual: _Fit, other: _Fit) -> _Fit:
    """The usual fit, but for another one that is much better or alone alike."""
    is_much = other.residual < MUCH_BETTER * usual.residual
    is_alone = other.residual <= ALIKE < usual.residual
    return other if is_much or is_alone else usual


def _filled(own: np.ndarray, mesh: Mesh) -> np.ndarray:
    """Vertices (n,) of a mesh with the pockets that they enclose, as a throat."""
    vertices, faces = mesh
    outside = np.ones(len(vertices), bool)
    outside[own] = False
    edges, _ = unique_edges(faces)
    label = label_parts(len(vertices), edges[outside[edges].all(axis=1)])
    areas = vertex_areas(vertices, faces)
    is_small = np.bincount(label, areas) < POCKET * areas[own].sum()
    rim = edges[outside[edges].sum(axis=1) == 1]
    beside = label[rim[outside[rim]]]
    pockets = np.intersect1d(np.flatnonzero(is_small), beside)
    return np.flatnonzero(~outside | np.isin(label, pockets))


def _large_parts(mesh: Mesh, vertices: np.ndarray, label: np.ndarray) -> list[np.ndarray]:
    """Some vertices (n,) of a mesh by its loose parts (V,), small ones left out.

    All at once where none is large, as of a heap of scales.
    """
    label = label[vertices]
    area = np.bincount(label, vertex_areas(*mesh)[vertices])
    large = np.flatnonzero(area > DECIDING_AREA * area.sum())
    return [vertices[label == number] for number in large] or [vertices]


def _as_they_stand(source: np.ndarray, target: np.ndarray) -> Similarity:
    """The boxes of vertices (V, 3), (W, 3) laid on one another."""
    low = source.min(axis=0), target.min(axis=0)
    extent = source.max(axis=0) - low[0], target.max(axis=0) - low[1]
    middle = low[0] + extent[0] / 2, low[1] + extent[1] / 2
    lengths = [float(np.linalg.norm(own)) for own in extent]
    scale = lengths[0] / max(lengths[1], float(np.finfo(float).tiny))
    return Similarity(np.eye(3), scale, middle[0] - scale * middle[1])


def _on_parts(
    at: np.ndarray,
    facing: np.ndarray,
    own: np.ndarray,
    source: Mesh,
    parts: Sequence[np.ndarray],
    target_to_source: SurfacePoints,
) -> SurfacePoints:
    """Closest points (m,) of the source that face alike; an eye stays on an eye.

    A loose part of the target keeps to those loose parts of the source that the map leads it to.
    `parts` are those of the vertices of source and target.
    """
    part_of_face = parts[0][source[1][:, 0]]
    part = parts[1][own]
    goal = part_of_face[target_to_source.face[own]]
    face, barycentric = np.empty(len(own), np.int64), np.empty((len(own), 3))
    for number in np.unique(part):
        here = part == number
        share = np.bincount(goal[here]) / np.count_nonzero(here)
        faces = np.flatnonzero(np.isin(part_of_face, np.flatnonzero(share >= SHARE)))
        surface = ClosestPoints(source[0], source[1][faces])
        found, _ = surface(at[here], facing[here], MOST_TURNED)
        face[here], barycentric[here] = faces[found.face], found.barycentric
    return SurfacePoints(face, barycentric)
