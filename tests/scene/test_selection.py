"""Select the faces of a part."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.scene.options import Outputs
from diffusionnet_blender.scene.selection import select_part
from diffusionnet_blender.scene.write import write_labels
from tests.scenes import add_body, add_mesh, add_quads, result_for
from tests.shapes import icosphere

pytestmark = pytest.mark.usefixtures("blender")


def selected(elements):
    flags = np.zeros(len(elements), dtype=bool)
    elements.foreach_get("select", flags)
    return flags


@pytest.mark.parametrize("make", [add_body, add_quads])
def test_faces_of_the_part_with_their_edges_and_vertices(make):
    obj = make()
    mesh = obj.data
    result = result_for(obj)
    write_labels(obj, result, Outputs())
    count = select_part(obj, 1)
    chosen = result.polygon_labels == 1
    assert count == chosen.sum() > 0
    assert np.array_equal(selected(mesh.polygons), chosen)
    around = {v for p in mesh.polygons if p.select for v in p.vertices}
    assert set(np.flatnonzero(selected(mesh.vertices))) == around
    edges = {k for p in mesh.polygons if p.select for k in p.edge_keys}
    assert {e.key for e in mesh.edges if e.select} == edges


def test_extend():
    obj = add_body()
    result = result_for(obj)
    write_labels(obj, result, Outputs())
    select_part(obj, 1)
    select_part(obj, 3, extend=True)
    assert np.array_equal(selected(obj.data.polygons), np.isin(result.polygon_labels, [1, 3]))
    select_part(obj, 0)
    assert np.array_equal(selected(obj.data.polygons), result.polygon_labels == 0)


def test_hidden_faces_stay_unselected():
    obj = add_body()
    result = result_for(obj)
    write_labels(obj, result, Outputs())
    hidden = int(np.flatnonzero(result.polygon_labels == 1)[0])
    obj.data.polygons[hidden].hide = True
    count = select_part(obj, 1)
    assert count == (result.polygon_labels == 1).sum() - 1
    assert not obj.data.polygons[hidden].select


def test_in_edit_mode_the_selection_is_seen_there():
    import bmesh

    obj = add_body()
    result = result_for(obj)
    write_labels(obj, result, Outputs())
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.context.tool_settings.mesh_select_mode = (False, False, True)
    select_part(obj, 2)
    assert obj.mode == "EDIT"
    faces = bmesh.from_edit_mesh(obj.data).faces
    assert [f.select for f in faces] == (result.polygon_labels == 2).tolist()


def test_vertices_of_a_point_cloud():
    obj = add_mesh("Cloud", icosphere(2)[0], [])
    result = result_for(obj)
    write_labels(obj, result, Outputs())
    assert select_part(obj, 2) == (result.vertex_labels == 2).sum()
    assert np.array_equal(selected(obj.data.vertices), result.vertex_labels == 2)


def test_without_the_attribute_it_says_what_to_do():
    obj = add_body()
    write_labels(obj, result_for(obj), Outputs(attributes=False))
    with pytest.raises(DiffusionNetError, match="no integer attribute"):
        select_part(obj, 0)
