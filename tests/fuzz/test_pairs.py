"""Any two meshes are matched, and layers of data moved along the match, or refused in words."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.match import match
from diffusionnet_blender.tasks.transfer import transfer
from diffusionnet_blender.tasks.transfer.layers import (
    Attribute,
    Bones,
    Layers,
    MeshShape,
    ShapeKeys,
    Texture,
    Weights,
)
from tests.fuzz.fuzzing import examples, model, quick_and_full, result_or_error
from tests.fuzz.meshes import recipes

the_model = cache(model)
# Most have the vertices that a match needs.
BASES = ("sphere", "body", "body", "grid", "tetrahedra", "shells", "soup", "fan")
SIDES = recipes(BASES, largest=120, scales=(1.0, 1e-3, 1e3, 1e-12, 1e12))


def layers_of(surface, random):
    """One layer of each kind."""
    count, faces = len(surface.vertices), len(surface.faces)
    size = np.ptp(surface.vertices, axis=0).max()
    values = random.random((count, 3))
    joints = surface.vertices[random.integers(0, count, 4)]
    return Layers(
        uv=random.random((3 * faces, 2)),
        copy_uv=True,
        slots=random.integers(0, 3, faces),
        move_slots=True,
        textures=(
            Texture(
                "Base Color",
                {0: random.random((4, 8, 4)).astype(np.float32)},
                {1: np.ones(4)},
            ),
        ),
        weights=Weights(("a", "b", "mask"), values, np.array([True, True, False])),
        keys=ShapeKeys(
            ("moved", "same"),
            np.stack([surface.vertices + 0.1 * size * (values - 0.5), surface.vertices]),
        ),
        attributes=(
            Attribute("x", "FLOAT", "POINT", values[:, 0]),
            Attribute("n", "INT", "FACE", random.integers(0, 5, faces)),
            Attribute("c", "FLOAT_COLOR", "CORNER", random.random((3 * faces, 4))),
        ),
        labels=values / values.sum(axis=1, keepdims=True),
        bones=Bones(
            ("root", "tip"),
            joints[:2],
            joints[2:] + 0.1 * size,
            np.tile([0.0, 0.0, 1.0], (2, 1)),
            values[:, :2],
        ),
    )


def require_finite(moved, count):
    values = [moved.weights.values, moved.keys.positions, moved.labels]
    values += [attribute.values for attribute in moved.attributes]
    values += list(moved.textures.values()) + [moved.bones.heads, moved.bones.tails]
    assert all(np.isfinite(array).all() for array in values)
    assert moved.weights.values.shape == (count, 3)
    assert moved.weights.values.min() >= 0.0
    assert moved.weights.values.max() <= 1.0 + 1e-6
    assert moved.keys.positions.shape == (2, count, 3)


@quick_and_full(2, 120)
def test_a_pair_is_matched_or_refused(count):
    @examples(count)
    @given(SIDES, SIDES, st.booleans(), st.integers(0, 2**32 - 1))
    def holds(source, target, by_model, seed):
        random = np.random.default_rng(seed)
        pair = [
            result_or_error(lambda side=side: Surface(*side.make())) for side in (source, target)
        ]
        if None in pair:
            return
        network = the_model(match=True, outer_skin=False) if by_model else None
        found = result_or_error(lambda: match(*pair, network, engine="numpy"))
        if found is None:
            return
        points, vertices = found.target_to_source, len(pair[1].vertices)
        assert points.face.shape == (vertices,)
        assert ((points.face >= 0) & (points.face < len(pair[0].faces))).all()
        assert np.isfinite(points.barycentric).all()
        assert points.barycentric.min() >= -1e-9
        np.testing.assert_allclose(points.barycentric.sum(axis=1), 1.0, atol=1e-6)
        assert ((found.confidence >= 0) & (found.confidence <= 1)).all()
        moved = result_or_error(
            lambda: transfer(
                MeshShape.of(pair[0]),
                MeshShape.of(pair[1]),
                points,
                found.confidence,
                layers_of(pair[0], random),
                target_uv=random.random((3 * len(pair[1].faces), 2)),
                texture_size=16,
            )
        )
        if moved is not None:
            require_finite(moved, vertices)

    holds()


@pytest.mark.parametrize("faces", [0, 1])
def test_what_has_no_surface_is_refused(faces):
    surface = Surface(np.random.default_rng(0).normal(size=(50, 3)), np.array([[0, 1, 2]] * faces))
    with pytest.raises(DiffusionNetError):
        match(surface, surface, None, engine="numpy", method="MATCH")
