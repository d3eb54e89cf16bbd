"""Labels corrected after a run, on sheets and spheres."""

import numpy as np
import pytest

from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.edit_labels import (
    decide,
    follow_faces,
    grow,
    merge,
    neighbourhood_of,
    remove_islands,
    shrink,
    smooth,
)
from tests.shapes import grid, icosphere, joined


def near_of(vertices, faces, polygons=None):
    polygons = np.arange(len(faces)) if polygons is None else polygons
    return neighbourhood_of(Surface(vertices, faces), polygons)


def squares(columns=12, rows=9):
    """A sheet of unit squares, as quads of two triangles each: surface, neighbours, middles."""
    vertices, faces = grid(columns, rows)
    corner = np.floor(vertices[faces].mean(axis=1))[:, :2].astype(int)
    polygons = corner[:, 0] * rows + corner[:, 1]
    middles = np.stack(np.divmod(np.arange(columns * rows), rows), axis=1) + 0.5
    return near_of(vertices, faces, polygons), middles


def border_length(labels, columns=12, rows=9):
    cells = labels.reshape(columns, rows)
    return np.count_nonzero(np.diff(cells, axis=0)) + np.count_nonzero(np.diff(cells, axis=1))


def test_growing_takes_the_ring_of_faces_that_share_a_corner():
    near, middles = squares()
    labels = np.zeros(len(middles), dtype=int)
    labels[(middles == [5.5, 4.5]).all(axis=1)] = 1
    for steps in (1, 2, 3):
        grown = grow(labels, near, 1, steps)
        distance = np.abs(middles - [5.5, 4.5]).max(axis=1)
        assert np.array_equal(grown == 1, distance <= steps)


def test_shrinking_undoes_growing_and_gives_to_the_nearest_part():
    near, middles = squares()
    labels = np.digitize(middles[:, 0], [4, 8])
    grown = grow(labels, near, 1, 2)
    assert np.array_equal(shrink(grown, near, 1, 2), labels)


def test_a_part_that_nothing_touches_neither_shrinks_nor_grows():
    near, middles = squares()
    labels = np.full(len(middles), 3)
    assert np.array_equal(shrink(labels, near, 3), labels)
    assert np.array_equal(grow(labels, near, 3), labels)
    assert np.array_equal(grow(labels, near, 1), labels)


def test_smoothing_straightens_a_jagged_border_and_leaves_a_straight_one():
    near, middles = squares()
    straight = (middles[:, 0] > 6).astype(int)
    jagged = (middles[:, 0] + (middles[:, 1].astype(int) % 2) > 6).astype(int)
    assert np.array_equal(smooth(straight, near, 4), straight)
    smoothed = smooth(jagged, near, 4)
    assert border_length(smoothed) < 0.7 * border_length(jagged)
    assert 0.3 < smoothed.mean() < 0.7


def test_smoothing_one_part_moves_its_borders_alone():
    near, middles = squares()
    jagged = middles[:, 1].astype(int) % 2
    labels = np.digitize(middles[:, 0] + jagged, [4, 8])
    smoothed = smooth(labels, near, 4, part=0)
    changed = smoothed != labels
    assert changed.any()
    assert np.all((labels[changed] == 0) | (smoothed[changed] == 0))
    assert (smooth(labels, near, 4) != labels).sum() > changed.sum()


def test_islands_go_to_what_surrounds_them_and_large_pieces_stay():
    near, middles = squares()
    labels = (middles[:, 0] > 6).astype(int)
    island = (np.abs(middles - [2.5, 4.5]).max(axis=1)) <= 1
    labels[island] = 1
    sizes = np.ones(len(labels))
    assert np.array_equal(remove_islands(labels, near, sizes, 0.3), (middles[:, 0] > 6))
    assert np.array_equal(remove_islands(labels, near, sizes, 0.1), labels)
    assert np.array_equal(remove_islands(labels, near, sizes, 0.3, part=0), labels)


def test_a_loose_part_of_the_mesh_is_no_island():
    vertices, faces = joined(icosphere(2), (icosphere(0)[0] * 0.1 + 3, icosphere(0)[1]))
    near = near_of(vertices, faces)
    labels = np.zeros(len(faces), dtype=int)
    labels[: len(faces) // 2] = 1
    labels[-20:] = 1
    assert np.all(remove_islands(labels, near, np.ones(len(labels)), 0.5)[-20:] == 1)
    assert np.all(smooth(labels, near, 5)[-20:] == 1)


def test_a_mesh_that_is_split_along_its_seams_is_whole():
    vertices, faces = icosphere(2)
    whole = near_of(vertices, faces)
    split = near_of(vertices[faces].reshape(-1, 3), np.arange(3 * len(faces)).reshape(-1, 3))
    labels = (vertices[faces].mean(axis=1)[:, 2] > 0.3).astype(int)
    for change in (grow, shrink):
        assert np.array_equal(change(labels, whole, 1), change(labels, split, 1))
    assert np.array_equal(smooth(labels, whole), smooth(labels, split))
    after = grow(labels, whole, 1)
    before = np.zeros(len(vertices), dtype=int)
    followed = follow_faces(before, labels, after, whole)
    of_split = follow_faces(np.zeros(faces.size, dtype=int), labels, after, split)
    assert np.array_equal(of_split, followed[faces.ravel()])


def test_points_of_a_cloud_grow_shrink_and_smooth():
    vertices = icosphere(3)[0]
    near = neighbourhood_of(Surface(vertices), np.zeros(0, dtype=int))
    labels = (vertices[:, 2] > 0.2).astype(int)
    grown = grow(labels, near, 1)
    assert labels.sum() < grown.sum() < 0.8 * len(labels)
    assert vertices[grown == 1, 2].min() > -0.25
    assert shrink(labels, near, 1).sum() < labels.sum()
    noisy = labels.copy()
    noisy[np.random.default_rng(0).random(len(labels)) < 0.1] ^= 1
    assert (smooth(noisy, near, 4) == labels).mean() > 0.95 > (noisy == labels).mean()


def test_vertices_follow_most_of_their_faces_where_faces_have_changed():
    vertices, faces = icosphere(3)
    near = near_of(vertices, faces)
    heights = vertices[faces].mean(axis=1)[:, 2]
    before = (heights > 0.3).astype(int)
    after = (heights > 0.0).astype(int)
    stale = np.full(len(vertices), 2)
    followed = follow_faces(stale, before, after, near)
    changed = np.isin(np.arange(len(vertices)), faces[before != after])
    assert np.all(followed[~changed] == 2)
    counts = np.zeros((len(vertices), 2))
    np.add.at(counts, (faces.ravel(), np.repeat(after, 3)), 1)
    clear = changed & (np.abs(counts[:, 0] - counts[:, 1]) > 1)
    assert np.array_equal(followed[clear], counts.argmax(axis=1)[clear])


def test_deciding_is_certain_where_it_changes_something():
    probabilities = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3]], dtype=np.float32)
    np.testing.assert_allclose(
        decide(probabilities, np.array([0, 2])), [[0.6, 0.3, 0.1], [0, 0, 1]], rtol=1e-6
    )


@pytest.mark.parametrize(("part", "into"), [(0, 2), (2, 0), (1, 2)])
def test_merging_adds_probabilities_and_closes_the_gap(part, into):
    random = np.random.default_rng(3)
    probabilities = random.dirichlet(np.ones(4), 50).astype(np.float32)
    labels = random.integers(0, 4, 80)
    names = np.array(list("abcd"))
    merged, numbers = merge(probabilities, labels, part, into)
    left = np.delete(names, part)
    assert np.array_equal(
        left[numbers], np.where(names[labels] == names[part], names[into], names[labels])
    )
    np.testing.assert_allclose(merged.sum(axis=1), 1, rtol=1e-5)
    column = list(left).index(names[into])
    np.testing.assert_allclose(merged[:, column], probabilities[:, [part, into]].sum(axis=1))
