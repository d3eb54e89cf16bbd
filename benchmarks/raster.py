"""Pictures of meshes of any size, by a z-buffer in NumPy: from the front, without perspective."""

from __future__ import annotations

import numpy as np
from PIL import Image

SUPERSAMPLING = 2
# From the upper left, in front; x to the right, y away from the viewer, z up.
LIGHT = np.array([-0.45, -0.75, 0.5]) / np.linalg.norm([-0.45, -0.75, 0.5])
AMBIENT = 0.42
MARGIN = 0.04


def picture(
    vertices: np.ndarray,
    faces: np.ndarray,
    normals: np.ndarray,
    colours: np.ndarray,
    height: int,
) -> np.ndarray:
    """A mesh wound outward, seen along +y, on white.

    Parameters
    ----------
    vertices, normals : (V, 3) float
    faces : (F, 3) int
    colours : (V, 3) float
        0 to 1. Every point takes that of its triangle's nearest corner.
    height : int
        In pixels; the width follows.

    Returns
    -------
    (height, width, 3) uint8
    """
    rows = height * SUPERSAMPLING
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    scale = rows * (1 - 2 * MARGIN) / (high - low)[2]
    border = rows * MARGIN
    columns = int(np.ceil(((high - low)[0] * scale + 2 * border) / SUPERSAMPLING)) * SUPERSAMPLING
    x = (vertices[:, 0] - low[0]) * scale + border
    y = (high[2] - vertices[:, 2]) * scale + border
    flat = np.stack([x, y, vertices[:, 1]], axis=1)
    light = AMBIENT + (1 - AMBIENT) * np.clip(normals @ LIGHT, 0, 1)

    canvas = np.ones((rows * columns, 3))
    nearest = np.full(rows * columns, np.inf)
    for pixel, depth, colour in _samples(flat, faces, light, colours, columns):
        order = np.argsort(-depth, kind="stable")  # The nearest is written last.
        pixel, depth, colour = pixel[order], depth[order], colour[order]
        closest = np.full(rows * columns, -1)
        closest[pixel] = np.arange(len(pixel))
        here = np.flatnonzero(closest >= 0)
        here = here[depth[closest[here]] < nearest[here]]
        nearest[here] = depth[closest[here]]
        canvas[here] = colour[closest[here]]
    large = Image.fromarray((255 * canvas.clip(0, 1)).astype(np.uint8).reshape(rows, columns, 3))
    small = large.resize((columns // SUPERSAMPLING, height), Image.Resampling.BOX)
    return np.asarray(small)


def _samples(flat, faces, light, colours, columns):
    """Points that cover all triangles: pixel, depth and colour, in groups of like triangles."""
    first, second, third = flat[faces][:, :, :2].transpose(1, 0, 2)
    # Rows grow downward: what faces the viewer runs clockwise here. The rest cannot be seen.
    faces = faces[np.cross(second - first, third - first) < 0]
    corners = flat[faces]
    longest = np.linalg.norm(corners[:, :, :2] - np.roll(corners, 1, axis=1)[:, :, :2], axis=2)
    # Powers of two keep the groups few; a step of half a pixel leaves no holes.
    steps = 2 ** np.ceil(np.log2(np.maximum(2 * longest.max(axis=1), 1))).astype(int)
    for step in np.unique(steps):
        chosen = np.flatnonzero(steps == step)
        for part in np.array_split(chosen, max(1, len(chosen) * step * step // 4_000_000)):
            i, j = np.meshgrid(np.arange(step + 1), np.arange(step + 1), indexing="ij")
            inside = i + j <= step
            weight = np.stack([i, j, step - i - j], axis=-1)[inside] / step
            points = np.einsum("wc,fcd->fwd", weight, corners[part]).reshape(-1, 3)
            shade = np.einsum("wc,fc->fw", weight, light[faces[part]]).reshape(-1, 1)
            corner = faces[part][:, weight.argmax(axis=1)].ravel()
            column, row = points[:, 0].astype(int), points[:, 1].astype(int)
            yield row * columns + column, points[:, 2], shade * colours[corner]
