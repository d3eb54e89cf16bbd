"""Everything in a file that a write may change, as plain values to compare."""

import bpy
import numpy as np

from diffusionnet_blender.scene.attributes import kind_of, read_attribute

COLLECTIONS = (
    "objects", "meshes", "armatures", "materials", "images", "collections", "texts", "actions",
    "node_groups", "scenes",
)  # fmt: skip


def state_of_file():
    """Names of all data-blocks, content of all meshes and objects, selection and mode."""
    bpy.context.view_layer.update()
    layer = bpy.context.view_layer
    return {
        "blocks": {name: sorted(getattr(bpy.data, name).keys()) for name in COLLECTIONS},
        "meshes": {mesh.name: state_of_mesh(mesh) for mesh in bpy.data.meshes},
        "objects": {obj.name: state_of_object(obj) for obj in bpy.data.objects},
        "materials": {m.name: state_of_material(m) for m in bpy.data.materials},
        "bones": {
            a.name: [(b.name, tuple(b.head_local), tuple(b.tail_local)) for b in a.bones]
            for a in bpy.data.armatures
        },
        "active": layer.objects.active and layer.objects.active.name,
        "selected": sorted(obj.name for obj in layer.objects.selected),
        "mode": bpy.context.mode,
    }


def state_of_mesh(mesh):
    edges = np.zeros(len(mesh.edges), dtype=bool)
    mesh.edges.foreach_get("use_seam", edges)
    legend = mesh.diffusionnet
    return {
        "attributes": {
            a.name: (a.data_type, a.domain, read_attribute(mesh, a.name, kind).tobytes())
            for a in mesh.attributes
            if (kind := kind_of(a.data_type, a.domain))
        },
        "uv": [(layer.name, layer.active, layer.active_render) for layer in mesh.uv_layers],
        "colours": (
            mesh.color_attributes.active_color_name,
            mesh.color_attributes.render_color_index,
        ),
        "seams": edges.tobytes(),
        "materials": [m and m.name for m in mesh.materials],
        "keys": [
            (key.name, key.value, key.mute, key.relative_key.name, key.vertex_group)
            + tuple(np.array([point.co for point in key.data]).ravel())
            for key in (mesh.shape_keys.key_blocks if mesh.shape_keys else ())
        ],
        "parts": [
            (p.name, tuple(p.stored_colour), p.vertex_group, p.hidden, p.area) for p in legend.parts
        ],
        "legend": (legend.model, legend.face_attribute, legend.vertex_attribute, legend.unsure_of),
        "owned": sorted((n.kind, n.name, n.role, n.content) for n in legend.owned),
    }


def state_of_object(obj):
    return {
        "data": obj.data and obj.data.name,
        "groups": [(g.name, g.lock_weight) for g in obj.vertex_groups],
        "active group": obj.vertex_groups.active_index if obj.vertex_groups else -1,
        "weights": [
            tuple((e.group, e.weight) for e in v.groups)
            for v in (obj.data.vertices if obj.type == "MESH" else ())
        ],
        "slots": [(s.link, s.material and s.material.name) for s in obj.material_slots],
        "modifiers": [
            (m.name, m.type, repr(getattr(m, "object", None)), getattr(m, "vertex_group", ""))
            for m in obj.modifiers
        ],
        "properties": {k: obj[k] for k in obj.keys() if isinstance(obj[k], (str, float, int))},
        "collections": sorted(c.name for c in obj.users_collection),
        "parent": obj.parent and obj.parent.name,
        "place": [tuple(row) for row in obj.matrix_world],
        "hidden": obj.hide_get() if obj.name in bpy.context.view_layer.objects else None,
        "key": obj.active_shape_key_index,
        "mode": obj.mode,
    }


def state_of_material(material):
    nodes = material.node_tree.nodes if material.node_tree else ()
    return {
        "colour": tuple(material.diffuse_color),
        "part": material.get("diffusionnet_part"),
        "nodes": [
            (n.bl_idname, getattr(n, "image", None) and n.image.name, *map(_value, n.inputs))
            for n in nodes
        ],
    }


def _value(socket):
    value = getattr(socket, "default_value", None)
    return tuple(value) if hasattr(value, "__len__") and not isinstance(value, str) else value
