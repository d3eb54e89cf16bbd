"""All layers at once, and meshes that are split along their seams."""

import numpy as np
import pytest

from diffusionnet_blender.errors import Cancelled, DiffusionNetError
from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.tasks.transfer import transfer
from diffusionnet_blender.tasks.transfer.layers import (
    Attribute,
    Layers,
    MeshShape,
    ShapeKeys,
    Texture,
    Weights,
)
from tests.matching.pairs import lumpy_surface


def shape_of(surface, split=False):
    """As Blender has it; `split`: no two triangles share a vertex, as in an STL."""
    faces = surface.faces
    vertices = surface.vertices[faces.ravel()] if split else surface.vertices
    triangles = np.arange(faces.size).reshape(faces.shape) if split else faces
    count = len(faces)
    corners = np.arange(3 * count).reshape(-1, 3)
    return MeshShape(vertices, triangles, corners, np.arange(count), 3 * count, count)


@pytest.fixture(scope="module")
def pair():
    source, here = lumpy_surface(3)
    target, there = lumpy_surface(3, seed=6)
    points, _ = ClosestPoints(here, source.faces)(there)
    return source, here, target, there, points


def flat_layout(directions, faces):
    """Seen along z: the two halves lie on each other, so that nothing else is cut."""
    return 0.5 + 0.45 * directions[faces].reshape(-1, 3)[:, :2]


def test_everything_at_once(pair):
    source, here, target, there, points = pair
    layers = Layers(
        slots=(here[source.faces].mean(axis=1)[:, 0] > 0).astype(int),
        uv=flat_layout(here, source.faces),
        copy_uv=True,
        textures=(Texture("Base Color", {0: np.full((4, 4, 4), 0.25, np.float32)},
                          {1: np.array([1, 0, 0, 1.0])}),),
        move_slots=True,
        weights=Weights(("low", "mask"), np.stack([np.ones(len(here)), here[:, 2] > 0], axis=1),
                        np.array([True, False])),
        keys=ShapeKeys(("Same",), source.vertices[None]),
        attributes=(Attribute("x", "FLOAT", "POINT", here[:, 0]),),
        labels=np.stack([here[:, 2] > 0, here[:, 2] <= 0], axis=1).astype(float),
    )  # fmt: skip
    stages = []
    moved = transfer(
        shape_of(source),
        shape_of(target),
        points,
        np.ones(len(there)),
        layers,
        target_uv=flat_layout(there, target.faces),
        texture_size=32,
        progress=lambda stage, fraction: stages.append(stage),
    )
    assert {"texture", "weights", "shape keys"} <= set(stages)
    image = moved.textures["Base Color"]
    assert image.shape == (32, 32, 4)
    # Each texel from the material where it lands: an image on one side, a colour on the other.
    np.testing.assert_allclose(image[16, 6], 0.25, atol=1e-6)
    np.testing.assert_allclose(image[16, 26], [1, 0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(moved.layout.uv, flat_layout(there, target.faces), atol=0.03)
    np.testing.assert_allclose(moved.weights.values[:, 0], 1, atol=1e-6)
    np.testing.assert_allclose(moved.keys.positions[0], target.vertices, atol=1e-6)
    np.testing.assert_allclose(moved.attributes[0].values, there[:, 0], atol=0.03)
    clear = np.abs(there[:, 2]) > 0.2
    np.testing.assert_array_equal(moved.labels.argmax(axis=1)[clear], (there[:, 2] <= 0)[clear])


def test_a_mesh_split_along_its_seams_stays_whole(pair):
    """The map runs on over a seam of the source, and the target does not come apart."""
    source, here, target, there, points = pair
    bigger = 1.1 * source.vertices
    split = np.repeat(np.arange(len(points)), 1)[target.faces.ravel()]
    layers = Layers(
        slots=np.zeros(len(source.faces), dtype=int),
        uv=flat_layout(here, source.faces),
        textures=(Texture("Base Color", {0: np.ones((4, 4, 4), np.float32)}),),
        keys=ShapeKeys(("Bigger",), bigger[source.faces.ravel()][None]),
    )
    moved = transfer(
        shape_of(source, split=True),
        shape_of(target, split=True),
        points[split],
        np.ones(len(split)),
        layers,
        target_uv=flat_layout(there, target.faces),
        texture_size=32,
    )
    found = moved.keys.positions[0]
    for vertex in (0, 100, 300):
        copies = found[split == vertex]
        assert len(copies) > 3
        np.testing.assert_array_equal(copies, copies[:1].repeat(len(copies), axis=0))
    size = np.linalg.norm(found - found.mean(axis=0)) / np.linalg.norm(
        target.vertices[split] - target.vertices[split].mean(axis=0)
    )
    assert size == pytest.approx(1.1, abs=0.01)


def test_textures_need_a_layout(pair):
    source, here, target, there, points = pair
    layers = Layers(
        slots=np.zeros(len(source.faces), dtype=int),
        uv=flat_layout(here, source.faces),
        textures=(Texture("Base Color", {0: np.ones((4, 4, 4), np.float32)}),),
    )
    with pytest.raises(DiffusionNetError, match="no UV map to bake into"):
        transfer(shape_of(source), shape_of(target), points, np.ones(len(there)), layers)


@pytest.mark.parametrize("stage", ["weights", "shape keys"])
def test_it_can_be_cancelled_within_a_stage(pair, stage):
    source, here, target, there, points = pair
    sure = np.ones(len(there))
    sure[: len(sure) // 2] = 0.0
    layers = Layers(
        weights=Weights(("all",), np.ones((len(here), 1)), np.ones(1, dtype=bool)),
        keys=ShapeKeys(("Bigger",), 1.1 * source.vertices[None]),
    )
    calls = []

    def stop(at, fraction):
        if at == stage:
            calls.append(fraction)
            if len(calls) == 2:
                raise Cancelled

    with pytest.raises(Cancelled):
        transfer(MeshShape.of(source), MeshShape.of(target), points, sure, layers, progress=stop)
