"""Meshes and labels in text files keep their order, and what is no mesh is told."""

import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from experiments.layouts.files import read_labels, read_mesh

# Triangles of two materials by turns, other texture coordinates at a vertex, and a relative index.
OBJ = """mtllib x.mtl
v 0 0 0
v 1 0 0
v 0 1 0
v 1 1 0
vt 0 0
vt 1 0
usemtl red
f 1/1 2/2 3/1
usemtl blue
f 3/2 2/1 4/1
usemtl red
f 1/2 3/1 2/2
v 0 0 1
f -1 4 3
"""


def test_vertices_and_triangles_of_an_obj_keep_their_order(tmp_path):
    path = tmp_path / "mesh.obj"
    path.write_text(OBJ)
    found = read_mesh(path)
    assert found.vertices.shape == (5, 3)
    assert found.faces.tolist() == [[0, 1, 2], [2, 1, 3], [0, 2, 1], [4, 3, 2]]


@pytest.mark.parametrize("suffix", ["off", "obj", "ply"])
def test_each_format_is_read_as_it_was_written(tmp_path, suffix):
    trimesh = pytest.importorskip("trimesh")
    ball = trimesh.creation.icosphere(subdivisions=1)
    path = tmp_path / f"ball.{suffix}"
    ball.export(path)
    found = read_mesh(path)
    np.testing.assert_allclose(found.vertices, ball.vertices, atol=1e-6)
    assert (found.faces == ball.faces).all()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.obj", ""),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nf 1 2 3 4\n"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n"),
        ("a.off", "OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n4 0 1 2 2\n"),
        ("a.ply", "ply\nformat ascii 1.0\n"),
    ],
)
def test_what_is_no_triangle_mesh_is_told(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DiffusionNetError, match="is no triangle mesh in the format"):
        read_mesh(path)


def test_labels_are_whole_numbers_one_for_each_place(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("1\n2.000e+00\n3\n")
    assert read_labels(path, 3).tolist() == [1, 2, 3]
    with pytest.raises(DiffusionNetError, match="3 labels, and its mesh 4 places"):
        read_labels(path, 4)
    path.write_text("1\n2.5\n")
    with pytest.raises(DiffusionNetError, match="more in it than whole numbers"):
        read_labels(path, 2)
