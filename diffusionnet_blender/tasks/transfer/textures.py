"""Images of the target: the source's, each texel looked up along the map."""

from __future__ import annotations

import numpy as np

from ...errors import DiffusionNetError, LayoutError
from ...matching.transfer.texture import (
    TransferMap,
    dilate,
    frame_turns,
    joined,
    paint,
    sample,
    transfer_map,
    turned_normals,
)
from ...matching.transfer.tiles import centres, collapsed, covered, udim_tiles
from ...surface.surface import triangle_areas
from ..progress import Progress
from .layers import Texture
from .request import TransferRequest
from .welded import WeldedPair, required

FLAT_NORMAL = (0.5, 0.5, 1.0, 1.0)
BLACK = (0.0, 0.0, 0.0, 1.0)
# Mean difference of stored colours that shows on a face whose place in the layout another one has.
NOTICEABLE = 0.1
# Share of a face's texels that must lie under others.
HIDDEN = 0.3
# Shares of faces that would have another face's colour: refused, and told.
MOST_WRONG = 0.05
FEW_WRONG = 0.005


class TextureTransfer:
    """The textures of a request in the target's layout.

    Parameters
    ----------
    welded : WeldedPair
    request : TransferRequest
    progress : Progress

    Attributes
    ----------
    textures, tiles, remarks
        As in `Moved`.

    Raises
    ------
    DiffusionNetError
        If the target has no layout.
    LayoutError
        If it covers nothing, or if faces that share a place in it need different colours.
    """

    def __init__(self, welded: WeldedPair, request: TransferRequest, progress: Progress):
        if request.target_uv is None:
            raise DiffusionNetError("The target has no UV map to bake into", "Unwrap it.")
        self._welded, self._request, self._progress = welded, request, progress
        self._uv = request.target_uv[welded.target.corners]
        slots = required(request.layers.slots, "material slots")
        self._slot_of_face = slots[welded.source.polygon_of_triangle]
        self._lookups: dict[tuple, tuple[TransferMap, TransferMap]] = {}
        target = welded.target
        self._collapsed = collapsed(self._uv, triangle_areas(target.vertices, target.triangles))
        self._wrong = np.zeros(len(self._uv), dtype=bool)
        self.textures: dict[str, np.ndarray] = {}
        self.tiles: dict[str, dict[int, np.ndarray]] = {}
        textures = request.layers.textures
        numbers = udim_tiles(self._uv, *_size(textures[0], request.texture_size))
        for done, texture in enumerate(textures):
            if numbers:
                self.tiles[texture.name] = {
                    number: self._image(texture, number, (done, part / len(numbers)))
                    for part, number in enumerate(numbers)
                }
            else:
                self.textures[texture.name] = self._image(texture, None, (done, 0.0))
        self.remarks = self._judged()

    def _image(self, texture: Texture, tile: int | None, done: tuple[int, float]) -> np.ndarray:
        """One image of the target, (H, W, 4) float32."""
        lookup, hidden = self._lookup(_size(texture, self._request.texture_size), tile, done)
        image = paint(lookup.texels, self._colours(texture, lookup))
        image = dilate(image, lookup.texels, self._request.dilation)
        if len(hidden.texels.row):
            texels = hidden.texels
            wanted = self._colours(texture, hidden)
            away = np.abs(wanted - image[texels.row, texels.column]).max(axis=1)
            face = texels.points.face
            count = np.bincount(face, minlength=len(self._uv))
            mean = np.bincount(face, away, len(self._uv)) / np.maximum(count, 1)
            own = np.bincount(lookup.texels.points.face, minlength=len(self._uv))
            # Neighbours share texels on their edge, too.
            self._wrong |= (mean > NOTICEABLE) & (count > HIDDEN * (count + own))
        return image

    def _lookup(
        self, size: tuple[int, int], tile: int | None, done: tuple[int, float]
    ) -> tuple[TransferMap, TransferMap]:
        """Texels of an image on the source, and those again of faces that others hide.

        A face without room counts as hidden by what lies at its centre.
        """
        count = len(self._request.layers.textures)

        def report(fraction: float) -> None:
            self._progress("texture", min((done[0] + max(done[1], fraction)) / count, 1.0))

        if (size, tile) not in self._lookups:
            texels, hidden = covered(self._uv, *size, tile)
            if not len(texels.row) and tile is None:
                raise LayoutError(
                    "The target's UV map covers no part of an image",
                    "Unwrap the target, or remove its UV map, so that a new one is made.",
                )
            bare = self._collapsed.copy()
            bare[texels.points.face] = bare[hidden.points.face] = False
            hidden = joined(hidden, centres(self._uv, np.flatnonzero(bare), *size, tile))
            inside = self._welded.inside
            self._lookups[size, tile] = (
                transfer_map(inside, texels, report),
                transfer_map(inside, hidden, report),
            )
        report(0.9)
        return self._lookups[size, tile]

    def _colours(self, texture: Texture, lookup: TransferMap) -> np.ndarray:
        """Colours (N, 4) of texels, each by the material at its source point."""
        slot = self._slot_of_face[lookup.source_points.face]
        colours = np.empty((len(slot), 4), dtype=np.float32)
        colours[:] = FLAT_NORMAL if texture.is_normal_map else BLACK
        for number in np.unique(slot):
            here = slot == number
            if number in texture.images:
                some = lookup if here.all() else lookup[here]
                colours[here] = self._sampled(texture, number, some)
            elif number in texture.constants:
                colours[here] = texture.constants[number]
        return colours

    def _sampled(self, texture: Texture, slot: int, lookup: TransferMap) -> np.ndarray:
        """Colours of texels that lie on one material of the source, which has an image."""
        layout = texture.layouts.get(slot, self._request.layers.uv)
        uv = required(layout, "UV layout")[self._welded.source.corners]
        colours = sample(
            texture.images[slot],
            lookup.source_uv(uv),
            texture.extensions.get(slot, "REPEAT"),
            slot in texture.closest,
        )
        if not texture.is_normal_map:
            return colours
        if slot in texture.frames:
            uv = texture.frames[slot][self._welded.source.corners]
        target = self._welded.target
        turn = frame_turns(
            lookup,
            self._welded.inside,
            (*self._welded.source_mesh, uv),
            (target.vertices, target.triangles, self._uv),
        )
        return turned_normals(colours, turn)

    def _judged(self) -> tuple[str, ...]:
        """A remark on faces that need other colours than their places have; many are refused."""
        polygons = np.unique(self._welded.target.polygon_of_triangle[self._wrong])
        share = len(polygons) / self._welded.target.polygon_count
        text = (
            f"{share:.1%} of the target's faces lie on others in its UV map, or without any area, "
            "and need other colours"
        )
        if share > MOST_WRONG:
            raise LayoutError(
                text,
                "Unwrap the target without overlaps, or remove its UV map, so that a new one is "
                "made.",
            )
        return (text,) if share > FEW_WRONG else ()


def _size(texture: Texture, side: int) -> tuple[int, int]:
    """Height and width of the new image; a side of 0 stands for those of the source."""
    if side:
        return side, side
    if texture.size is not None:
        return texture.size
    largest = max(texture.images.values(), key=lambda image: image.shape[0] * image.shape[1])
    return largest.shape[0], largest.shape[1]
