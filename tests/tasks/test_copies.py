"""Copies to learn from are other meshes with the same labels."""

import numpy as np

from diffusionnet_blender.surface.prepare import prepare
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.train.copies import MOST, plain_copy, varied_copy
from tests.shapes import icosphere, lumpy_body


def octants(vertices):
    return (vertices > 0) @ [1, 2, 4]


def test_a_copy_of_a_large_mesh_is_smaller_and_has_its_labels_where_they_were():
    vertices, faces = icosphere(5)
    copy, labels = plain_copy(Surface(vertices, faces), octants(vertices))
    assert 0.7 * MOST < len(copy.vertices) < 1.3 * MOST
    np.testing.assert_array_equal(labels, octants(copy.vertices))


def test_a_small_mesh_is_its_own_copy():
    vertices, faces = lumpy_body(2)
    copy, labels = plain_copy(Surface(vertices, faces), octants(vertices))
    np.testing.assert_array_equal(copy.vertices, vertices)
    np.testing.assert_array_equal(labels, octants(vertices))


def test_varied_copies_differ_and_can_all_be_computed_on():
    vertices, faces = lumpy_body(4)
    labels = octants(vertices)
    sizes, seen = set(), set()
    for seed in range(8):
        copy, found = varied_copy(Surface(vertices, faces), labels, np.random.default_rng(seed))
        again, _ = varied_copy(Surface(vertices, faces), labels, np.random.default_rng(seed))
        np.testing.assert_array_equal(copy.vertices, again.vertices)
        prepared = prepare(copy, DiscretizationSettings(k=8))
        assert np.isfinite(prepared.discretization.eigenvectors).all()
        assert prepared.discretization.bridged_parts == 0
        assert set(found) <= {-1, *range(8)}
        sizes.add(len(copy.vertices))
        seen |= set(found)
        # Bent and swollen, but the same thing: as large, within what was asked for.
        ratio = np.ptp(copy.vertices, axis=0).max() / np.ptp(vertices, axis=0).max()
        assert 0.5 < ratio < 2
    assert len(sizes) > 4
    assert seen >= set(range(8))


def test_a_point_cloud_is_copied_too():
    vertices, _ = icosphere(4)
    cloud = Surface(vertices, normals=vertices)
    copy, labels = varied_copy(cloud, octants(vertices), np.random.default_rng(0))
    assert copy.is_point_cloud
    assert len(copy.vertices) == len(labels) == len(copy.normals)


def test_a_subdivided_copy_has_no_labels_between_two_classes():
    vertices, faces = icosphere(1)
    labels = (vertices[:, 2] > 0).astype(int)
    counts = set()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        copy, found = varied_copy(Surface(vertices, faces), labels, rng)
        counts.add(len(copy.vertices))
        if len(copy.vertices) > len(vertices):
            assert (found[: len(vertices)] >= 0).all()
            assert (found == -1).any()
    assert max(counts) == 162
