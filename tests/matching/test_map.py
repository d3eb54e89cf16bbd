"""Functional maps, ZoomOut, precise maps and their measures, on meshes of one body."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from diffusionnet_blender.matching.candidates import map_score
from diffusionnet_blender.matching.confidence import confidence, cycle_distance, feature_margin
from diffusionnet_blender.matching.functional_map import (
    functional_map,
    map_of_points,
    solve_commuting,
)
from diffusionnet_blender.matching.orientation import judge, orientation_kept
from diffusionnet_blender.matching.pins import pin_functions
from diffusionnet_blender.matching.points import SurfacePoints, points_at_vertices
from diffusionnet_blender.matching.pointwise import embeddings, nearest_rows, precise_map
from diffusionnet_blender.matching.sampling import farthest_points
from diffusionnet_blender.matching.zoomout import zoomout
from diffusionnet_blender.surface.signatures import wave_kernel_signature
from diffusionnet_blender.surface.surface import Surface
from tests.matching.pairs import lumpy_surface, mapped_directions, spectral
from tests.shapes import grid, random_rotation


class Pair:
    """A body and the same body with other triangles, turned in space and of another size."""

    def __init__(self):
        self.source_surface, self.source_directions = lumpy_surface(4)
        turned, self.target_directions = lumpy_surface(3, seed=5)
        self.target_surface = Surface(7 * turned.vertices @ random_rotation(2).T, turned.faces)
        self.source, self.target = spectral(self.source_surface), spectral(self.target_surface)
        nearest = nearest_rows(self.source_directions, self.target_directions)
        self.truth = points_at_vertices(nearest, self.source.faces)
        self.reverse = points_at_vertices(
            nearest_rows(self.target_directions, self.source_directions), self.target.faces
        )

    def angles(self, points):
        """How far off the mapped directions are."""
        found = mapped_directions(points, self.source, self.source_directions)
        return np.arccos(np.clip((found * self.target_directions).sum(axis=1), -1, 1))

    def precise(self, c):
        on_source, on_target = embeddings(self.source.eigenvectors, self.target.eigenvectors, c)
        return precise_map(on_source, self.source.faces, on_target)

    def descriptors(self):
        return [
            wave_kernel_signature(m.eigenvalues, m.eigenvectors, 64)
            for m in (self.source, self.target)
        ]


@pytest.fixture(scope="module")
def pair():
    return Pair()


def test_every_row_solves_its_own_regularised_system():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 6, 9))
    low, high = np.sort(rng.random((2, 6)), axis=1)
    c = solve_commuting(a, b, low, high, 0.3)
    scale = max(low.max(), high.max())

    def energy(c):
        commutator = (c * low - high[:, None] * c) / scale
        return np.square(c @ a - b).sum() + 0.3 * np.square(commutator).sum()

    for _ in range(20):
        assert energy(c) < energy(c + 1e-3 * rng.standard_normal(c.shape))


def test_descriptors_of_one_body_find_its_map_whatever_its_position_and_size(pair):
    c = functional_map(pair.source, pair.target, *pair.descriptors(), 20)
    start = pair.angles(pair.precise(c)).mean()
    refined = pair.angles(pair.precise(zoomout(pair.source, pair.target, c, 60))).mean()
    assert refined < 0.02
    assert refined < 0.1 * start
    # Points within triangles in the last round make a difference of their own.
    at_vertices = zoomout(pair.source, pair.target, c, 60, between_vertices=False)
    assert refined < 0.95 * pair.angles(pair.precise(at_vertices)).mean()


def test_a_precise_map_lands_within_triangles_and_beats_vertices(pair):
    c = map_of_points(pair.source, pair.target, pair.truth, 60)
    on_source, on_target = embeddings(pair.source.eigenvectors, pair.target.eigenvectors, c)
    points = precise_map(on_source, pair.source.faces, on_target)
    assert (points.barycentric >= 0).all()
    np.testing.assert_allclose(points.barycentric.sum(axis=1), 1, atol=1e-9)
    vertices = points_at_vertices(nearest_rows(on_source, on_target), pair.source.faces)
    assert pair.angles(points).mean() < 0.6 * pair.angles(vertices).mean()


def test_a_precise_map_finds_the_nearest_of_all_triangles():
    rng = np.random.default_rng(1)
    corners = rng.standard_normal((14, 5))
    faces = np.array([rng.choice(14, 3, replace=False) for _ in range(30)])
    queries = rng.standard_normal((40, 5))
    points = precise_map(corners, faces, queries)
    found = np.linalg.norm(points.interpolate(corners, faces) - queries, axis=1)
    share = rng.dirichlet(np.ones(3), 4000)
    everywhere = np.einsum("sc,fcd->fsd", share, corners[faces]).reshape(-1, 5)
    sampled = np.linalg.norm(everywhere[None] - queries[:, None], axis=2).min(axis=1)
    assert (found <= sampled + 1e-9).all()
    assert (sampled < found + 0.1).all()


def test_a_precise_map_finds_the_nearest_of_many_triangles():
    """Vertices are looked at in groups, and some are left over."""
    rng = np.random.default_rng(2)
    sheet, faces = grid(31, 37)
    x, y, _ = sheet.T
    corners = np.stack([x, y, 8 * np.sin(x / 7), 8 * np.cos(y / 9), np.sin((x + y) / 5)], axis=1)
    on_sheet = np.einsum(
        "qc,qcd->qd",
        rng.dirichlet(np.ones(3), 60),
        corners[faces[rng.integers(len(faces), size=60)]],
    )
    queries = on_sheet + 0.3 * rng.standard_normal(on_sheet.shape)
    points = precise_map(corners, faces, queries)
    found = np.linalg.norm(points.interpolate(corners, faces) - queries, axis=1)
    share = rng.dirichlet(np.ones(3), 100)
    everywhere = np.einsum("sc,fcd->fsd", share, corners[faces]).reshape(-1, 5)
    nearest = np.array([np.linalg.norm(everywhere - query, axis=1).min() for query in queries])
    assert (found <= nearest + 1e-9).all()


def test_refinement_opens_a_folded_map_when_it_is_bidirectional(pair):
    # The half at x below zero is laid onto the other half, for the most part.
    folded = pair.target_directions.copy()
    folded[:, 0] = np.where(folded[:, 0] < 0, -0.2 * folded[:, 0], folded[:, 0])
    folded /= np.linalg.norm(folded, axis=1, keepdims=True)
    points = points_at_vertices(nearest_rows(pair.source_directions, folded), pair.source.faces)
    c = map_of_points(pair.source, pair.target, points, 12)

    def covered(c):
        """Share of the source's area near to the image of a target vertex."""
        image = pair.precise(c).interpolate(pair.source.vertices, pair.source.faces)
        return pair.source.mass @ (cKDTree(image).query(pair.source.vertices)[0] < 0.05)

    assert covered(c) < 0.7
    assert covered(zoomout(pair.source, pair.target, c, 60, bidirectional=False)) < 0.8
    refined = zoomout(pair.source, pair.target, c, 60)
    assert covered(refined) > 0.95
    assert pair.angles(pair.precise(refined)).mean() < 0.1


def test_a_few_pins_alone_give_the_map(pair):
    on_target = farthest_points(pair.target.vertices, 6)
    on_source = pair.truth[on_target].nearest_vertex(pair.source.faces)
    pinned = pin_functions(pair.source, on_source), pin_functions(pair.target, on_target)
    c = functional_map(pair.source, pair.target, *pinned, 20)
    points = pair.precise(zoomout(pair.source, pair.target, c, 60, pins=(on_source, on_target)))
    assert pair.angles(points).mean() < 0.03


def test_a_mirrored_map_does_not_keep_the_orientation(pair):
    mirrored = nearest_rows(pair.source_directions * [1, 1, -1], pair.target_directions)
    mirrored = points_at_vertices(mirrored, pair.source.faces)
    assert orientation_kept(pair.source, pair.target, pair.truth) > 0.9
    assert orientation_kept(pair.source, pair.target, mirrored) < 0.1


def test_of_several_maps_the_right_one_has_the_highest_score(pair):
    """A half turn keeps the orientation: only features and the rigid residual detect it."""
    features = [
        np.c_[d, d[:, :1] * d[:, 1:2]] for d in (pair.source_directions, pair.target_directions)
    ]
    candidates = [
        points_at_vertices(
            nearest_rows(pair.source_directions * signs, pair.target_directions), pair.source.faces
        )
        for signs in ([1, 1, -1], [-1, 1, -1], [1, 1, 1])
    ]
    judged = [judge(pair.source, pair.target, points, *features) for points in candidates]
    assert [j.mirrored for j in judged] == [True, False, False]
    spectral_maps = [map_of_points(pair.source, pair.target, points, 30) for points in candidates]
    scores = [map_score(c, quality) for c, quality in zip(spectral_maps, judged, strict=True)]
    assert np.argmax(scores) == 2
    assert judged[2].rigid_residual < 0.02 < judged[1].rigid_residual


def test_confidence_falls_where_the_cycle_does_not_close(pair):
    right = cycle_distance(pair.source, pair.target, pair.truth, pair.reverse)
    assert confidence(right).min() > 0.5
    astray = pair.target_directions[:, 2] > 0.6
    wrong = SurfacePoints(pair.truth.face.copy(), pair.truth.barycentric)
    wrong.face[astray] = pair.truth.face[pair.target_directions[:, 2].argmin()]
    found = confidence(cycle_distance(pair.source, pair.target, wrong, pair.reverse))
    assert found[astray].max() < 0.05
    assert found[~astray].min() > 0.5


def test_features_that_fit_better_elsewhere_lower_the_confidence(pair):
    samples = farthest_points(pair.source.vertices, 200)
    right = feature_margin(
        pair.source, pair.truth, pair.source_directions, pair.target_directions, samples
    )
    half_turned = points_at_vertices(
        nearest_rows(pair.source_directions * [-1, -1, 1], pair.target_directions),
        pair.source.faces,
    )
    wrong = feature_margin(
        pair.source, half_turned, pair.source_directions, pair.target_directions, samples
    )
    assert right.mean() > 0 > wrong.mean()
    no_way = np.zeros(len(right))
    assert confidence(no_way, right).mean() > confidence(no_way, wrong).mean()
