"""A stray vertex far away decides neither the scale nor anything else, and is named."""

from itertools import product

import numpy as np
import pytest

from diffusionnet_blender import Surface, match, segment
from diffusionnet_blender.surface.repair import repair, weld
from diffusionnet_blender.surface.stray import stray_vertices
from tests.matching.pairs import lumpy_surface
from tests.shapes import icosphere, joined, lumpy_body

SHAPES = {"sphere": lambda: icosphere(3), "lump": lambda: lumpy_body(3)}
FAR = [10, 100, 1e4]


def with_stray(vertices, faces, far, connected, count=1):
    """Further vertices so many sizes away, loose or at the end of a sliver."""
    size = np.ptp(vertices, axis=0).max()
    angle = np.arange(count) * 2.0
    directions = np.stack([np.cos(angle), np.sin(angle), 0.5 + 0 * angle], axis=1)
    made = np.concatenate([vertices, vertices.mean(axis=0) + far * size * directions])
    if not connected:
        return made, faces
    slivers = [[*faces[10 * i][:2], len(vertices) + i] for i in range(count)]
    return made, np.concatenate([faces, slivers])


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("connected", [False, True])
@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_rest_is_repaired_as_without_it(shape, far, connected, count):
    vertices, faces = SHAPES[shape]()
    plain = repair(Surface(vertices, faces))
    made = repair(Surface(*with_stray(vertices, faces, far, connected, count)))
    assert np.array_equal(made.surface.vertices, plain.surface.vertices)
    assert np.array_equal(made.surface.faces, plain.surface.faces)
    assert made.report.stray_vertices == count
    assert made.report.first_stray_vertex == len(vertices)
    assert f"{count} stray vertices (first: {len(vertices)})" in made.report.summary()
    assert len(np.unique(weld(with_stray(vertices, faces, far, connected)[0]))) == len(vertices) + 1


@pytest.mark.parametrize("connected", [False, True])
@pytest.mark.parametrize("far", FAR)
def test_labels_of_the_rest_are_the_same(far, connected):
    vertices, faces = lumpy_body(3)
    plain = segment(Surface(vertices, faces)).vertex_labels
    made = segment(Surface(*with_stray(vertices, faces, far, connected)))
    assert np.array_equal(made.vertex_labels[:-1], plain)


@pytest.mark.parametrize(
    ("far", "connected", "side", "method"),
    [
        # Matches of shapes take a second each.
        pytest.param(*each, marks=() if each[3] == "AUTO" else pytest.mark.slow)
        for each in product(FAR, [False, True], ["source", "target"], ["AUTO", "MATCH"])
    ],
)
def test_a_match_is_as_without_it(far, connected, side, method):
    source, here = lumpy_surface(3)
    target, there = lumpy_surface(3)
    if side == "source":
        source = Surface(*with_stray(source.vertices, source.faces, far, connected))
        here = np.concatenate([here, here[:1]])
    else:
        target = Surface(*with_stray(target.vertices, target.faces, far, connected))
    found = match(source, target, None, method=method)
    assert found.in_place == (method == "AUTO")
    at = found.target_to_source.interpolate(here, source.faces)[: len(there)]
    assert np.linalg.norm(at - there, axis=1).mean() < 0.05


def test_what_has_neighbours_is_no_stray():
    """A detailed lamp on a post of a few vertices, and two bodies far from each other."""
    lamp, faces = icosphere(4)
    post = np.array([[x, y, z] for z in (-1.0, -60.0) for x in (0, 0.2) for y in (0, 0.2)])
    assert not len(stray_vertices(np.concatenate([lamp, post])))
    two, _ = joined((lamp, faces), (lamp + [100.0, 0, 0], faces))
    assert not len(stray_vertices(two))
    assert not len(stray_vertices(np.concatenate([icosphere(0)[0], [[100.0, 0, 0]]])))
