"""Closest points, walks, distances, proxies, lifting and pins."""

import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.geodesic import geodesic_distances, surface_graph
from diffusionnet_blender.matching.lift import lift_map
from diffusionnet_blender.matching.orientation import orientation_kept
from diffusionnet_blender.matching.pins import bend_to_pins
from diffusionnet_blender.matching.points import points_at_vertices
from diffusionnet_blender.matching.pointwise import nearest_rows
from diffusionnet_blender.matching.proxy import decimate
from diffusionnet_blender.matching.registration import SETTLING, congruent_map, register
from diffusionnet_blender.matching.walk import SurfaceWalk
from diffusionnet_blender.surface.edges import face_neighbours
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from diffusionnet_blender.surface.triangles import compact
from tests.matching.pairs import lumpy_surface, mapped_directions, spectral
from tests.shapes import grid, icosphere, joined, random_rotation, signed_volume


def test_closest_points_are_the_closest_of_all():
    rng = np.random.default_rng(0)
    vertices, faces = icosphere(2)
    vertices = vertices * [1.0, 0.4, 2.0]
    # One triangle a hundred times the others.
    vertices = np.concatenate([vertices, [[9, 0, 0], [9, 30, 0], [9, 0, 30]]])
    faces = np.concatenate([faces, [[162, 163, 164]]])
    queries = rng.uniform(-3, 12, (200, 3))
    surface = ClosestPoints(vertices, faces)
    points, _ = surface(queries)
    found = np.linalg.norm(surface.positions(points) - queries, axis=1)
    share = rng.dirichlet(np.ones(3), 300)
    dense = np.einsum("sc,fci->fsi", share, vertices[faces]).reshape(-1, 3)
    for query, distance in zip(queries, found, strict=True):
        assert distance <= np.linalg.norm(dense - query, axis=1).min() + 1e-9


def test_the_normal_gate_takes_the_layer_that_faces_the_same_way():
    sheet, faces = grid(20, 20)
    layers = joined((sheet, faces), (sheet + [0, 0, 0.2], faces[:, ::-1]))
    surface = ClosestPoints(*layers)
    queries = np.random.default_rng(0).uniform(2, 18, (50, 3)) * [1, 1, 0] + [0, 0, 0.15]
    ungated, _ = surface(queries)
    assert (surface.positions(ungated)[:, 2] > 0.1).all()
    gated, agrees = surface(queries, np.tile([0, 0, 1.0], (50, 1)), 60)
    assert agrees.all()
    np.testing.assert_allclose(surface.positions(gated), queries * [1, 1, 0], atol=1e-9)


def test_a_walk_ends_where_the_closest_point_is():
    rng = np.random.default_rng(3)
    vertices, faces = icosphere(4)
    start = rng.integers(0, len(faces), 500)
    middle = vertices[faces[start]].mean(axis=1)
    positions = middle + 0.3 * rng.standard_normal((500, 3))
    positions /= np.linalg.norm(positions, axis=1, keepdims=True)
    points = SurfaceWalk(vertices, faces)(start, positions)
    found = points.interpolate(vertices, faces)
    assert np.linalg.norm(found - positions, axis=1).max() < 0.01


def test_a_walk_stops_at_a_rim_and_never_jumps_to_another_layer():
    sheet, faces = grid(10, 10)
    vertices, faces = joined((sheet, faces), (sheet + [0, 0, 0.1], faces))
    below = len(faces) // 2
    positions = np.array([[25.0, 4.4, 0.1], [3.3, 7.7, 0.1]])
    points = SurfaceWalk(vertices, faces)(np.array([74, below - 1]), positions)
    assert (points.face < below).all()
    found = points.interpolate(vertices, faces)
    np.testing.assert_allclose(found, [[10.0, 4.4, 0.0], [3.3, 7.7, 0.0]], atol=1e-9)


def test_neighbours_lie_across_the_edge_opposite_of_their_corner():
    _, faces = icosphere(1)
    neighbour = face_neighbours(faces)
    for face in range(len(faces)):
        for corner in range(3):
            shared = set(faces[face]) & set(faces[neighbour[face, corner]])
            assert shared == set(faces[face]) - {faces[face, corner]}


def test_distances_on_a_sphere_are_great_circles():
    vertices, faces = icosphere(4)
    distance = geodesic_distances(surface_graph(vertices, faces), np.array([0]))[0]
    exact = np.arccos(np.clip(vertices @ vertices[0], -1, 1))
    far = exact > 0.3
    ratio = distance[far] / exact[far]
    assert 0.99 < ratio.min()
    assert ratio.mean() < 1.04


def test_a_proxy_keeps_the_shape():
    surface, _ = lumpy_surface(5)
    proxy = decimate(surface, 700)
    assert 600 < len(proxy.vertices) <= 700
    assert (face_neighbours(proxy.faces) >= 0).all()  # still closed
    near = ClosestPoints(proxy.vertices, proxy.faces)
    away = np.linalg.norm(near.positions(near(surface.vertices)[0]) - surface.vertices, axis=1)
    assert away.max() < 0.01
    volume = signed_volume(surface.vertices, surface.faces)
    assert signed_volume(proxy.vertices, proxy.faces) == pytest.approx(volume, rel=0.01)


def test_a_proxy_keeps_rims_and_loose_parts():
    sheet = grid(40, 30)
    ball, ball_faces = icosphere(4)
    vertices, faces = joined(sheet, (ball + [60, 0, 0], ball_faces))
    proxy = decimate(Surface(vertices, faces), 500)
    assert len(proxy.vertices) <= 500
    flat = proxy.vertices[proxy.faces].max(axis=1)[:, 0] < 50
    assert triangle_areas(proxy.vertices, proxy.faces[flat]).sum() == pytest.approx(1200, rel=1e-3)
    assert (face_neighbours(proxy.faces[~flat]) >= 0).all()
    assert decimate(proxy, 10**6) is proxy


@pytest.mark.slow
def test_a_map_of_proxies_is_lifted_to_the_dense_meshes():
    source, source_directions = lumpy_surface(4, seed=1)
    target, target_directions = lumpy_surface(5, seed=2)
    source_proxy, target_proxy = decimate(source, 900), decimate(target, 700)
    # The true map of the proxies: both lie in the same place.
    points, _ = ClosestPoints(source_proxy.vertices, source_proxy.faces)(target_proxy.vertices)
    confidence = 0.5 + 0.1 * target_proxy.vertices[:, 2]
    lifted, sure = lift_map(points, confidence, source_proxy, target_proxy, source, target)
    assert len(lifted) == len(target.vertices)
    found = mapped_directions(lifted, source, source_directions)
    assert np.linalg.norm(found - target_directions, axis=1).max() < 0.05
    assert np.linalg.norm(found - target_directions, axis=1).mean() < 0.01
    np.testing.assert_allclose(sure, 0.5 + 0.1 * target.vertices[:, 2], atol=0.01)


@pytest.fixture(scope="module")
def identical():
    surface, directions = lumpy_surface(4)
    mesh = spectral(surface, 100)
    return mesh, directions, points_at_vertices(np.arange(len(directions)), mesh.faces)


def test_pins_are_met_exactly_and_the_map_bends_smoothly_around(identical):
    mesh, directions, same = identical
    pins = nearest_rows(directions, np.array([[1.0, 0, 0], [0, 0, 1.0], [-1, 0, 0]]))
    wanted = pins.copy()
    tilted = np.array([np.cos(0.25), np.sin(0.25), 0])
    wanted[0] = nearest_rows(directions, tilted[None])[0]
    bent = bend_to_pins(mesh, mesh, same, wanted, pins)
    np.testing.assert_array_equal(bent[pins].nearest_vertex(mesh.faces), wanted)
    np.testing.assert_allclose(bent[pins].barycentric.max(axis=1), 1)
    moved = np.linalg.norm(mapped_directions(bent, mesh, directions) - directions, axis=1)
    # Neighbours move alike, what is far does not move, nothing is folded.
    edges = np.concatenate([mesh.faces[:, :2], mesh.faces[:, 1:]])
    assert np.abs(moved[edges[:, 0]] - moved[edges[:, 1]]).max() < 0.3 * moved.max()
    assert moved[directions[:, 0] < -0.3].max() < 1e-2
    assert orientation_kept(mesh, mesh, bent) > 0.97


def test_pins_in_place_change_nothing(identical):
    mesh, directions, same = identical
    pins = np.array([3, 500, 1200])
    bent = bend_to_pins(mesh, mesh, same, pins, pins)
    found = mapped_directions(bent, mesh, directions)
    np.testing.assert_allclose(found, directions, atol=1e-6)


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [([1, 2], [1], "2 pins on the source and 1"), ([1], [10**7], "does not have"),
     ([1, 2], [5, 5], "two places")],
)  # fmt: skip
def test_pins_that_make_no_sense_are_refused(identical, source, target, words):
    mesh, _, same = identical
    with pytest.raises(DiffusionNetError, match=words) as caught:
        bend_to_pins(mesh, mesh, same, source, target)
    assert caught.value.fix


def test_registration_unfolds_a_map_that_is_folded(identical):
    mesh, directions, same = identical
    rng = np.random.default_rng(0)
    shaken = directions + 0.08 * rng.standard_normal(directions.shape)
    folded = points_at_vertices(nearest_rows(directions, shaken), mesh.faces)
    mended = register(mesh, mesh, folded, np.ones(len(directions)))

    def error(points):
        away = mapped_directions(points, mesh, directions) - directions
        return np.linalg.norm(away, axis=1).mean()

    assert error(mended) < 0.7 * error(folded)
    assert orientation_kept(mesh, mesh, mended) > 0.98 > orientation_kept(mesh, mesh, folded)


def test_a_shape_and_its_retopology_are_matched_by_position(identical):
    mesh, directions, same = identical
    other_surface, other_directions = lumpy_surface(3, seed=4)
    turned = Surface(3 * other_surface.vertices @ random_rotation(7).T, other_surface.faces)
    other = spectral(turned)
    slid = nearest_rows(directions, other_directions + [0, 0.2, 0.1])
    found = congruent_map(mesh, other, points_at_vertices(slid, mesh.faces))
    away = mapped_directions(found, mesh, directions) - other_directions
    assert np.linalg.norm(away, axis=1).mean() < 0.01
    fat = spectral(Surface(other_surface.vertices * [1, 1.3, 1], other_surface.faces))
    assert congruent_map(mesh, fat, points_at_vertices(slid, mesh.faces)) is None


def test_a_whole_shape_is_registered_to_a_part_of_it(identical):
    """Vertices without a partner neither shrink the rest to a point nor drag it away."""
    mesh, directions, _ = identical
    whole_surface, whole_directions = lumpy_surface(3, seed=4)
    whole = spectral(whole_surface)
    kept = directions[:, 2] > 0.3
    faces, used = compact(len(kept), mesh.faces[kept[mesh.faces].all(axis=1)])
    part = spectral(Surface(mesh.vertices[used], faces))
    initial = points_at_vertices(nearest_rows(directions[used], whole_directions), faces)
    assert congruent_map(part, whole, initial) is None
    to_one_place = points_at_vertices(np.zeros(len(whole_directions), np.int64), faces)
    assert congruent_map(part, whole, to_one_place) is None
    common = whole_directions[:, 2] > 0.5
    found = register(part, whole, initial, common.astype(float), schedule=SETTLING)
    away = found.interpolate(directions[used], faces)[common] - whole_directions[common]
    assert np.quantile(np.linalg.norm(away, axis=1), 0.95) < 0.1


@pytest.mark.slow
def test_registration_keeps_its_pins(identical):
    mesh, directions, same = identical
    pins = np.array([3, 500, 1200]), np.array([3, 500, 1200])
    pins[0][1] = nearest_rows(directions, directions[500:501] + [0.1, 0, 0])[0]
    bent = bend_to_pins(mesh, mesh, same, *pins)
    found = register(mesh, mesh, bent, np.ones(len(directions)), pins)
    np.testing.assert_array_equal(found[pins[1]].nearest_vertex(mesh.faces), pins[0])
    np.testing.assert_allclose(found[pins[1]].barycentric.max(axis=1), 1)
