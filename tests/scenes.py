"""Objects in Blender, for the tests."""

import bpy
import numpy as np

from tests.conftest import CLASSES, COLOURS
from tests.shapes import icosphere


def add_mesh(name, vertices, faces, edges=()):
    """Object with a mesh, in the scene, active and the only one selected."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(np.asarray(vertices).tolist(), list(edges), [list(map(int, f)) for f in faces])
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(obj)
    select(obj)
    return obj


def add_body(name="Body", subdivisions=2, scale=(1.0, 0.6, 1.7)):
    """A mesh of 10 * 4^n + 2 vertices that no rotation maps to itself."""
    vertices, faces = icosphere(subdivisions)
    x, y, z = vertices.T
    vertices = vertices * (1 + 0.3 * x * y + 0.2 * z**2 + 0.1 * z)[:, None] * scale
    return add_mesh(name, vertices, faces)


def link_bodies(folder, *names, library="library"):
    """Objects linked from a file of bodies into the scene; made before others have their names."""
    file = folder / f"{library}.blend"
    bodies = {add_body(name) for name in names}
    bpy.data.libraries.write(str(file), bodies)
    for obj in bodies:
        bpy.data.objects.remove(obj)
    with bpy.data.libraries.load(str(file), link=True) as (_, here):
        here.objects = list(names)
    for obj in here.objects:
        bpy.context.collection.objects.link(obj)
    bpy.context.view_layer.update()
    return here.objects


def add_quads(name="Quads"):
    """A box of quads, and a hexagon for a lid."""
    bpy.ops.mesh.primitive_cylinder_add(vertices=6, end_fill_type="NGON")
    obj = bpy.context.object
    obj.name = obj.data.name = name
    return obj


def select(*objects):
    bpy.context.view_layer.update()
    for obj in list(bpy.context.view_layer.objects.selected):
        obj.select_set(False)
    for obj in objects:
        obj.select_set(True)
    bpy.context.view_layer.objects.active = objects[-1] if objects else None
    bpy.context.view_layer.update()


def add_rig(obj, ends):
    """An armature that deforms an object, with bones between ends: (head, tail) by name."""
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(rig)
    select(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    for name, (head, tail) in ends.items():
        bone = rig.data.edit_bones.new(name)
        bone.head, bone.tail = head, tail
    bpy.ops.object.mode_set(mode="OBJECT")
    obj.modifiers.new("Armature", "ARMATURE").object = rig
    return rig


def chain(*names):
    """Ends of bones one above the other."""
    return {name: ((0, 0, n - 1), (0, 0, n)) for n, name in enumerate(names)}


def result_for(obj, seed=0, classes=CLASSES, colours=COLOURS):
    """Labels by height, with probabilities that are neither 0 nor 1."""
    from diffusionnet_blender.scene.read import read_object
    from diffusionnet_blender.tasks.labels import labels_of

    geometry = read_object(obj)
    heights = geometry.surface.vertices @ np.random.default_rng(seed).standard_normal(3)
    middles = np.quantile(heights, (np.arange(len(classes)) + 0.5) / len(classes))
    scores = np.exp(-8 * np.abs(heights[:, None] - middles) / np.ptp(heights))
    probabilities = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    return labels_of(
        probabilities,
        geometry.surface,
        geometry.polygons,
        classes,
        np.array(colours),
        "by height",
    )


def group_weights(obj, name):
    """Weight of each vertex in a group, (V,), 0 where it is not in it."""
    index = obj.vertex_groups[name].index
    weights = np.zeros(len(obj.data.vertices))
    for vertex in obj.data.vertices:
        for element in vertex.groups:
            if element.group == index:
                weights[vertex.index] = element.weight
    return weights


def values_of(obj, name):
    """Values of an attribute, integers or floats."""
    data = obj.data.attributes[name].data
    values = np.zeros(len(data))
    data.foreach_get("value", values)
    return values


def snapshot(obj):
    """All that a write may change on an object, as plain values to compare."""
    mesh = obj.data
    return {
        "attributes": {
            a.name: [
                tuple(getattr(item, "color", None) or [getattr(item, "value", None)])
                for item in a.data
            ]
            for a in mesh.attributes
            if a.data_type in {"INT", "FLOAT", "BYTE_COLOR"}
        },
        "groups": {g.name: group_weights(obj, g.name).tolist() for g in obj.vertex_groups},
        "materials": [m.name if m else None for m in mesh.materials],
        "material_index": [p.material_index for p in mesh.polygons],
        "active colour": mesh.color_attributes.active_color_name,
        "legend": [
            (p.name, tuple(p.color), p.area, p.share, p.face_count, p.vertex_count, p.vertex_group)
            for p in mesh.diffusionnet.parts
        ],
        "unsure of": mesh.diffusionnet.unsure_of,
        "owned": sorted((o.kind, o.name) for o in mesh.diffusionnet.owned),
    }
