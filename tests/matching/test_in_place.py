"""A target that lies on the source goes by the place, and any other does not."""

from functools import cache

import numpy as np
import pytest
from scipy.spatial import cKDTree

from benchmarks.quadrupeds import _bones, sample_animal, template
from diffusionnet_blender import Surface, match, transfer
from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching import in_place
from diffusionnet_blender.matching.in_place import Placement, may_lie_on
from diffusionnet_blender.surface.surface import triangle_areas
from diffusionnet_blender.surface.winding import vertex_normals
from diffusionnet_blender.tasks.transfer import MeshShape
from diffusionnet_blender.tasks.transfer.layers import Bones, Layers, ShapeKeys, Weights
from tests.matching.pairs import lumpy_surface
from tests.shapes import icosphere, joined

BONES = tuple(_bones())
# Bones whose skin is cut out, by the name of the garment.
GARMENTS = {
    "coat": ("back", "belly", "upper arm.L", "upper arm.R"),
    "stockings": ("thigh.L", "thigh.R", "shank.L", "shank.R"),
    "sleeve": ("upper arm.L", "forearm.L"),
    "hood": ("head", "snout", "ear.L", "ear.R"),
    "overall": BONES,
}


@cache
def skin():
    vertices, faces, weights = template()
    return vertices, faces, weights


def cut(name, away):
    """A garment: vertices, faces and the true weights."""
    vertices, faces, weights = skin()
    inside = np.isin(weights.argmax(axis=1), [BONES.index(bone) for bone in GARMENTS[name]])
    kept, faces = np.unique(faces[inside[faces].all(axis=1)], return_inverse=True)
    vertices = vertices + away * vertex_normals(*skin()[:2])
    return vertices[kept], faces.reshape(-1, 3), weights[kept]


def moved_weights(found, vertices, faces, **options):
    source = MeshShape.of(Surface(*skin()[:2]))
    layers = Layers(weights=Weights(BONES, skin()[2], np.ones(len(BONES), bool)))
    given = found.target_to_source, found.confidence, layers
    target = MeshShape.of(Surface(vertices, faces))
    moved = transfer(source, target, *given, limit=0, offset=found.offset, **options)
    return moved.weights.values


def error(found, wanted):
    return np.abs(found - wanted).sum(axis=1).mean()


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "away", [pytest.param(0.0, marks=SLOW), 0.01, pytest.param(0.03, marks=SLOW)]
)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in ("sleeve", "hood") else SLOW) for name in GARMENTS],
)
def test_a_garment_takes_the_weights_of_the_skin_below(name, away):
    vertices, faces, weights = cut(name, away)
    found = match(Surface(*skin()[:2]), Surface(vertices, faces))
    assert found.in_place
    ours = error(moved_weights(found, vertices, faces), weights)
    nearest = skin()[2][cKDTree(skin()[0]).query(vertices)[1]]
    assert ours < max(0.01, 0.34 * error(nearest, weights)), (ours, error(nearest, weights))


@pytest.mark.parametrize("scale", [1e-4, 1e-2, 1e2, 1e4])
def test_no_unit_decides(scale):
    vertices, faces, _ = cut("hood", 0.01)
    one = Placement(skin()[:2], (vertices, faces))
    other = Placement((scale * skin()[0], skin()[1]), (scale * vertices, faces))
    assert one.lies_on_source
    assert other.lies_on_source
    assert may_lie_on((scale * skin()[0], skin()[1]), (scale * vertices, faces))
    assert np.allclose(one.map()[1], other.map()[1], atol=1e-6)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=SLOW) for seed in (1, 2, 3))])
def test_two_animals_at_one_place_do_not_lie_on_one_another(seed):
    one, other = (sample_animal(2 * seed + i, 2000) for i in range(2))
    for pair in ((one, other), (other, one)):
        found = Placement(*((body.vertices, body.faces) for body in pair))
        assert not found.lies_on_source, (found.share, found.crossing)


@pytest.mark.parametrize("share", [1e-4, 0.01, 0.1, 10.0, 100.0])
def test_a_body_of_another_size_at_one_place_does_not_lie_on_it(share):
    vertices, faces = lumpy_surface(3)[0].vertices, lumpy_surface(3)[0].faces
    assert not Placement((vertices, faces), (share * vertices, faces)).lies_on_source


@pytest.mark.parametrize("name", sorted(GARMENTS))
def test_a_garment_beside_its_body_is_told_by_a_few_vertices(name, monkeypatch):
    monkeypatch.setattr(in_place, "LOOKED_AT", 50)
    vertices, faces, _ = cut(name, 0.01)
    assert may_lie_on(skin()[:2], (vertices, faces))
    size = np.ptp(skin()[0], axis=0).max()
    assert not may_lie_on(skin()[:2], (vertices + [0.5 * size, size, 0], faces))


def test_what_crosses_the_skin_again_and_again_is_told_by_a_few_vertices(monkeypatch):
    monkeypatch.setattr(in_place, "LOOKED_AT", 200)
    surface, _ = lumpy_surface(4)
    own = surface.vertices, surface.faces
    wider = surface.vertices * [1.1, 1.0, 0.9], surface.faces
    assert Placement(own, wider).share > in_place.LEAST_SHARE
    assert may_lie_on(own, own)
    assert not may_lie_on(own, wider)


def test_a_retopology_lies_on_its_scan():
    scan, here = lumpy_surface(4)
    rng = np.random.default_rng(0)
    noise = 0.002 * rng.standard_normal(scan.vertices.shape)
    scan = Surface(scan.vertices + noise, scan.faces)
    retopology, there = lumpy_surface(3, seed=6)
    found = match(scan, Surface(retopology.vertices @ turned(there, retopology), retopology.faces))
    assert found.in_place
    assert found.confident_share > 0.99
    assert (
        np.linalg.norm(found.target_to_source.interpolate(here, scan.faces) - there, axis=1).mean()
        < 0.02
    )


def turned(there, retopology):
    """The rotation (transposed) that takes a turned copy back to where its directions are."""
    from tests.matching.pairs import lumps

    u, _, v = np.linalg.svd(retopology.vertices.T @ lumps(there))
    return u @ v


@pytest.mark.slow
def test_a_thick_cloth_takes_the_same_weights_on_both_its_sides():
    outer, faces, weights = cut("coat", 0.02)
    inner, _, _ = cut("coat", 0.012)
    vertices, both = joined((outer, faces), (inner, faces[:, ::-1]))
    found = Placement(skin()[:2], (vertices, both))
    assert found.lies_on_source
    points, confidence = found.map()
    assert (confidence[len(outer) :] > 0).mean() > 0.9
    given = points.interpolate(skin()[2], skin()[1])
    assert error(given[len(outer) :], weights) < 0.1


def test_a_skirt_takes_what_it_hangs_from_and_no_paws():
    """The paws are the nearest to its hem; elbows and knees are near the skirt higher up."""
    vertices, faces, _ = cut("coat", 0.01)
    columns = 48
    angles = np.arange(columns) * 2 * np.pi / columns
    down = np.linspace(0, 1, 12)[:, None]
    rows = np.broadcast_arrays(
        (0.17 + 0.3 * down) * np.cos(angles),
        0.1 + (0.5 + 0.3 * down) * np.sin(angles),
        0.6 - 0.45 * down,
    )
    first = np.arange(11 * columns)
    beside = first + 1 - columns * (first % columns == columns - 1)
    skirt = np.concatenate(
        [
            np.stack([first, first + columns, beside + columns], axis=1),
            np.stack([first, beside + columns, beside], axis=1),
        ]
    )
    dress, both = joined((vertices, faces), (np.stack(rows, axis=2).reshape(-1, 3), skirt))
    found = match(Surface(*skin()[:2]), Surface(dress, both), method="IN_PLACE")
    weights = moved_weights(found, dress, both, accept_uncertain=True)[len(vertices) :]
    limbs = [i for i, bone in enumerate(BONES) if bone.split(".")[0] in ("shank", "forearm")]
    assert weights[:, limbs].sum(axis=1).max() < 0.3
    assert np.allclose(weights.sum(axis=1), 1)


def test_the_two_are_compared_where_they_stand():
    vertices, faces, weights = cut("hood", 0.01)
    source, away = Surface(*skin()[:2]), np.array([3.0, -2.0, 11.0])
    found = match(source, Surface(vertices - away, faces), offset=away)
    assert found.in_place
    assert np.array_equal(found.offset, away)
    assert error(moved_weights(found, vertices - away, faces), weights) < 0.02
    with pytest.raises(DiffusionNetError, match="nowhere on the source"):
        match(source, Surface(vertices - away, faces), method="IN_PLACE")


@pytest.mark.slow
def test_the_method_is_obeyed_and_pins_mean_a_match():
    source = lumpy_surface(2)[0]
    assert match(source, source, None).in_place
    assert not match(source, source, None, method="MATCH").in_place
    assert not match(source, source, None, pins=[[3, 3]]).in_place
    with pytest.raises(DiffusionNetError, match="Pins have no effect in place"):
        match(source, source, None, pins=[[3, 3]], method="IN_PLACE")


def test_a_button_of_few_vertices_takes_the_place_that_it_lies_on():
    vertices, faces = icosphere(0)
    top = skin()[0][skin()[0][:, 2].argmax()]
    found = match(Surface(*skin()[:2]), Surface(top + 0.01 * vertices, faces), method="IN_PLACE")
    at = found.target_to_source.interpolate(*skin()[:2])
    assert np.linalg.norm(at - top, axis=1).max() < 0.05


@pytest.mark.parametrize("small", [pytest.param(False, marks=SLOW), True])
def test_keys_and_bones_are_those_of_the_source(small):
    """A key that swells the belly, and bones, which stay where they are."""
    vertices, faces, _ = cut("coat", 0.01)
    away = np.array([0.5, 0.0, 0.0])
    source, target = Surface(*skin()[:2]), Surface(vertices - away, faces)
    found = match(source, target, offset=away)

    def swollen(places):
        return (
            places + [0, 0, -0.1] * np.exp(-np.square((places - [0, 0, 0.5]) / 0.2).sum(1))[:, None]
        )

    rest = np.array([[0.0, 0.42, 0.62]]), np.array([[0.0, 0.1, 0.6]])
    layers = Layers(
        keys=ShapeKeys(("full",), swollen(source.vertices)[None]),
        bones=Bones(("back",), *rest, np.array([[0.0, 0, 1]])),
    )
    given = found.target_to_source, found.confidence, layers
    shapes = MeshShape.of(source), MeshShape.of(target)
    moved = transfer(*shapes, *given, offset=found.offset, small_keys=small)
    wanted = swollen(vertices) - away
    size = np.abs(wanted - target.vertices).max()
    assert np.abs(moved.keys.positions[0] - wanted).max() < 0.25 * size
    assert np.abs(moved.keys.positions[0] - wanted).mean() < 0.02 * size
    assert np.allclose(moved.bones.heads + away, rest[0])
    assert np.allclose(moved.bones.tails + away, rest[1])
    assert triangle_areas(moved.keys.positions[0], faces).min() > 0
