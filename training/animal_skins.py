"""Parts of an animal's skin where its bones tell too little, or too much."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from diffusionnet_blender.surface.edges import edges_of_sides
from diffusionnet_blender.surface.winding import vertex_normals

from .parts import ANIMAL_PART_NAMES, NO_PART, SIDES
from .poses import unit

# Of a rig without bones in the neck, so much of the head's first bone is neck, and so much more of
# it may be either.
NECK_OF_HEAD, NECK_OR_HEAD = 0.33, 0.15
# Of the way from the middle to a hip or a shoulder.
_INNER = 0.75
# Skin behind the hips that is thinner than this is a tail without bones.
_THIN = 0.25


def share_of_left(held: np.ndarray) -> float:
    """How much the left side counts: a side that has forgotten a part takes all from the other."""
    forgotten = [
        sum(
            not held[:, number].any()
            for number, name in enumerate(ANIMAL_PART_NAMES)
            if name.endswith(f".{side}")
        )
        for side in SIDES
    ]
    return 0.5 + 0.5 * np.sign(forgotten[1] - forgotten[0])


def mended(vertices: np.ndarray, labels: np.ndarray, lines: dict[str, np.ndarray]) -> np.ndarray:
    """Labels where bones reach into the trunk: no tail lies before its first bone, no leg in the
    middle above its hip or shoulder, nor right on the plane between both sides."""
    labels = labels.copy()
    torso = ANIMAL_PART_NAMES.index("torso")
    if "tail" in lines:
        tail = lines["tail"]
        before = (vertices - tail[0]) @ (tail[1] - tail[0]) < 0
        labels[before & (labels == ANIMAL_PART_NAMES.index("tail"))] = torso
    for part, line in lines.items():
        if part.partition(".")[0].endswith("upper_leg"):
            top = line[0]
            off = np.abs(vertices[:, 0])
            inside = (off < _INNER * abs(top[0])) & (vertices[:, 2] > top[2]) | (off < 1e-6)
            labels[inside & (labels == ANIMAL_PART_NAMES.index(part))] = torso
    return labels


def with_tail(
    vertices: np.ndarray, faces: np.ndarray, labels: np.ndarray, lines: dict[str, np.ndarray]
) -> np.ndarray:
    """Labels with a tail that has no bones: thin skin of the trunk behind the hips, in the middle.

    Its line is added, if there is any.
    """
    hips = lines["hind_upper_leg.L"][0]
    thin = thickness(vertices, faces) < _THIN
    thin &= (vertices[:, 1] > hips[1] + 0.1) & (np.abs(vertices[:, 0]) < abs(hips[0]) / 2)
    thin &= labels == ANIMAL_PART_NAMES.index("torso")
    chosen = np.flatnonzero(thin)
    if not len(chosen):
        return labels
    edges, _ = edges_of_sides(faces)
    within = edges[thin[edges].all(axis=1)]
    graph = sparse.coo_matrix((np.ones(len(within)), within.T), (len(vertices),) * 2)
    _, piece = connected_components(graph, directed=False)
    largest = np.bincount(piece[chosen]).argmax()
    tail = chosen[piece[chosen] == largest]
    if len(tail) < 6:
        return labels
    body = np.flatnonzero(~thin)
    away = cKDTree(vertices[body]).query(vertices[tail])[0]
    lines["tail"] = vertices[tail][[away.argmin(), away.argmax()]] * [0, 1, 1]
    return np.where(np.isin(np.arange(len(labels)), tail), ANIMAL_PART_NAMES.index("tail"), labels)


def thickness(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """How far the skin on the other side of a closed mesh is from each vertex, (V,), along its
    normal inwards; infinity where there is none."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    one, two = b - a, c - a
    found = np.full(len(vertices), np.inf)
    for index, (start, way) in enumerate(
        zip(vertices, -vertex_normals(vertices, faces), strict=True)
    ):
        # Moeller and Trumbore (1997), all triangles at once.
        across = np.cross(way, two)
        slope = np.einsum("fi,fi->f", one, across)
        scale = np.divide(1.0, slope, where=np.abs(slope) > 1e-12, out=np.zeros_like(slope))
        gap = start - a
        u = scale * np.einsum("fi,fi->f", gap, across)
        beyond = np.cross(gap, one)
        v = scale * (beyond @ way)
        far = scale * np.einsum("fi,fi->f", two, beyond)
        met = (scale != 0) & (u >= 0) & (v >= 0) & (u + v <= 1) & (far > 1e-4)
        if met.any():
            found[index] = far[met].min()
    return found


def with_neck(vertices: np.ndarray, labels: np.ndarray, lines: dict[str, np.ndarray]) -> np.ndarray:
    """Labels with a neck that has no bones: the first of the head's; some after it has no label.

    The lines of both are set.
    """
    start, *_, end = lines["head"]
    head = labels == ANIMAL_PART_NAMES.index("head")
    reach = (vertices[head] - start) @ unit(end - start)
    length = reach.max()
    border = start + NECK_OF_HEAD * length * unit(end - start)
    lines["neck"], lines["head"] = np.stack([start, border]), np.stack([border, end])
    part = np.full(len(reach), ANIMAL_PART_NAMES.index("head"))
    part[reach < (NECK_OF_HEAD + NECK_OR_HEAD) * length] = NO_PART
    part[reach < NECK_OF_HEAD * length] = ANIMAL_PART_NAMES.index("neck")
    labels = labels.copy()
    labels[head] = part
    return labels
