"""Edges of triangle meshes agree with a slow count of their sides."""

from collections import Counter

import numpy as np
import pytest

from diffusionnet_blender.surface.edges import (
    boundary_edges,
    edges_of_sides,
    face_neighbours,
    paired_sides,
    side_lengths,
    sides,
    unique_edges,
)
from diffusionnet_blender.surface.loose_parts import label_mesh_parts
from tests.shapes import grid, icosphere, joined

FAN = np.array([[0, 1, 2], [1, 0, 3], [0, 1, 4], [2, 1, 5]])


@pytest.fixture(params=["closed", "open", "three at an edge"])
def faces(request):
    return {"closed": icosphere(1)[1], "open": grid(4, 3)[1], "three at an edge": FAN}[
        request.param
    ]


def counted(faces):
    """Each edge as a pair of vertices, with the sides that run along it."""
    found = {}
    for number, (f, i) in enumerate((f, i) for f in range(len(faces)) for i in range(3)):
        ends = int(faces[f, i]), int(faces[f, (i + 1) % 3])
        found.setdefault(tuple(sorted(ends)), []).append((number, ends))
    return found


def test_every_edge_is_found_once_with_its_triangles(faces):
    expected = counted(faces)
    edges, uses = unique_edges(faces)
    assert [tuple(edge) for edge in edges.tolist()] == sorted(expected)
    assert uses.tolist() == [len(expected[edge]) for edge in sorted(expected)]
    again, edge = edges_of_sides(faces)
    np.testing.assert_array_equal(again, edges)
    np.testing.assert_array_equal(np.sort(np.stack(sides(faces), axis=1), axis=1), edges[edge])


def test_sides_meet_in_pairs_where_two_triangles_share_an_edge(faces):
    expected = {tuple(n for n, _ in one) for one in counted(faces).values() if len(one) == 2}
    found = np.sort(np.stack(paired_sides(faces), axis=1), axis=1)
    assert {tuple(pair) for pair in found.tolist()} == expected
    neighbour = face_neighbours(faces)
    pairs = {(one // 3, other // 3) for one, other in expected}
    assert Counter((f, n) for f, row in enumerate(neighbour.tolist()) for n in row if n >= 0) == (
        Counter(pairs | {pair[::-1] for pair in pairs})
    )
    for f, row in enumerate(neighbour):
        for corner, other in enumerate(row):
            if other >= 0:
                shared = set(faces[f]) - {faces[f, corner]}
                assert shared <= set(faces[other])


def test_the_border_is_what_no_triangle_passes_the_other_way(faces):
    directed = {ends for one in counted(faces).values() for _, ends in one}
    expected = {(a, b) for a, b in directed if (b, a) not in directed}
    assert {tuple(edge) for edge in boundary_edges(faces).tolist()} == expected


def test_lengths_of_sides_and_pieces():
    vertices, faces = joined(grid(1, 1), grid(1, 1))
    lengths = side_lengths(vertices[faces])
    np.testing.assert_allclose(np.sort(lengths, axis=1), [[1, 1, np.sqrt(2)]] * 4)
    assert len(set(label_mesh_parts(len(vertices), faces))) == 2
