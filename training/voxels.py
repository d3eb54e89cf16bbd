"""The outer skin of a heap of meshes, labels and all."""

from __future__ import annotations

from diffusionnet_blender.surface import voxels

from .meshes import Body


def outer_skin(
    body: Body,
    cells: int,
    close: int = 1,
    softness: float = 0.7,
    shrink_wrap: bool = False,
) -> Body:
    """Voxel remesh; see `voxels.outer_skin` of the package.

    Returns
    -------
    Body
        The largest piece, with the labels of the nearest places of `body`. Where a wide hole lets
        the outside in, the skin has two sides.
    """
    skin = voxels.outer_skin(body.vertices, body.faces, cells, close, softness, shrink_wrap)
    return body.remeshed(skin.vertices, skin.faces, skin.source)
