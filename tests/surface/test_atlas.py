"""Layouts in which each polygon has a place of its own."""

import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.transfer.texture import rasterise_all
from diffusionnet_blender.surface.atlas import atlas_side, polygon_atlas


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kinds", [(3,), (4,), (3, 4, 5, 9)])
def test_no_two_polygons_share_a_texel_or_touch(seed, kinds):
    rng = np.random.default_rng(seed)
    counts = rng.choice(kinds, 400)
    chosen = rng.random(400) < 0.8
    extents = rng.lognormal(size=400, sigma=1.5)
    extents[:3] = 0.0
    side = atlas_side(counts[chosen], 256, 1024)
    uv = polygon_atlas(counts, extents, chosen, side)
    starts = np.cumsum(counts) - counts
    triangles, polygon = [], []
    for number in np.flatnonzero(chosen):
        ring = uv[starts[number] : starts[number] + counts[number]]
        assert ring.min() > 0
        assert ring.max() < 1
        for k in range(1, counts[number] - 1):
            triangles.append(ring[[0, k, k + 1]])
            polygon.append(number)
    unused = np.repeat(~chosen, counts)
    assert np.all(uv[unused] == -1)
    polygon = np.array(polygon)
    texels, hidden = rasterise_all(np.array(triangles), side, side)
    owner = np.full((side + 2, side + 2), -1)
    owner[texels.row + 1, texels.column + 1] = polygon[texels.points.face]
    assert len(np.unique(polygon[texels.points.face])) == chosen.sum()
    here = polygon[hidden.points.face]
    assert np.all(owner[hidden.row + 1, hidden.column + 1] == here)
    # One texel around each belongs to nobody else, for lookups between texels.
    for shift in ((0, 1), (1, 0), (1, 1), (0, -1), (-1, 0), (-1, -1)):
        other = np.roll(owner, shift, axis=(0, 1))
        assert np.all((owner < 0) | (other < 0) | (owner == other))


def test_more_polygons_than_fit_are_refused():
    with pytest.raises(DiffusionNetError, match="do not fit"):
        polygon_atlas(np.full(100, 4), np.ones(100), np.ones(100, dtype=bool), 64)
