"""Long computations report their progress and can be cancelled."""

import numpy as np
import pytest

from diffusionnet_blender.errors import Cancelled
from diffusionnet_blender.matching.by_features import map_by_features
from diffusionnet_blender.matching.points import points_at_vertices
from diffusionnet_blender.matching.registration import register
from diffusionnet_blender.matching.transfer.shape_keys import deformation_transfer, rotated_offsets
from diffusionnet_blender.matching.transfer.weights import inpaint, transfer_weights
from tests.matching.pairs import lumpy_surface, spectral

SURFACE, DIRECTIONS = lumpy_surface(2)
SHAPE = SURFACE.vertices, SURFACE.faces
MESH = spectral(SURFACE)
SAME = points_at_vertices(np.arange(len(SURFACE.vertices)), SURFACE.faces)
KEYS = SURFACE.vertices[None] * np.array([1.1, 0.9])[:, None, None]
UPPER = DIRECTIONS[:, 2] > 0
LONG = {
    "features": lambda progress: map_by_features(MESH, MESH, DIRECTIONS, DIRECTIONS, progress),
    "registration": lambda progress: register(
        MESH, MESH, SAME, np.ones(len(DIRECTIONS)), progress=progress
    ),
    "keys": lambda progress: deformation_transfer(SAME, SHAPE, SHAPE, KEYS, progress),
    "small keys": lambda progress: rotated_offsets(SAME, SHAPE, SHAPE, KEYS, progress),
    "inpainting": lambda progress: inpaint(*SHAPE, DIRECTIONS, UPPER, progress),
    "weights": lambda progress: transfer_weights(
        SAME, SURFACE.faces, np.abs(DIRECTIONS), SHAPE, UPPER, progress=progress
    ),
}


@pytest.mark.parametrize("run", LONG.values(), ids=LONG)
def test_progress_goes_up_and_may_stop_at_any_step(run):
    told = []
    run(told.append)
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] <= 1
    assert len(told) > 1

    calls = []

    def stop(fraction):
        calls.append(fraction)
        if len(calls) == len(told) // 2 + 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(stop)
    assert len(calls) == len(told) // 2 + 1
