"""Two characters of several objects each, with their true map."""

from dataclasses import replace

import bpy
import numpy as np

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.scene.matches import find_match, keep_match, places
from diffusionnet_blender.scene.pair import pair_of
from tests.matching.pairs import lumpy_surface
from tests.operators.test_transfer import keep_true_match
from tests.scenes import add_mesh, add_rig, select
from tests.shapes import icosphere

PLACES = {"Source": (0.0, 0.0, 0.0), "Target": (4.0, 1.0, 0.0)}


def shell(chosen, out, seed):
    """A part of a lumpy body, so much outside of it: vertices, faces and directions."""
    surface, directions = lumpy_surface(2, seed=seed)
    inside = chosen(directions)
    kept = inside[surface.faces].all(axis=1)
    used, faces = np.unique(surface.faces[kept], return_inverse=True)
    return surface.vertices[used] * out, faces.reshape(-1, 3), directions[used]


def eyes():
    vertices, faces = icosphere(1)
    places = np.array([[0.25, -0.6, 0.5], [-0.25, -0.6, 0.5]])
    both = np.concatenate([0.1 * vertices + place for place in places])
    at = both / np.linalg.norm(both, axis=1, keepdims=True)
    return both, np.concatenate([faces, faces + len(vertices)]), at


def add_character(name, seed, rigged):
    """A body, a shirt around its middle and eyes in it, all under an armature or an empty."""
    parts = {
        "Body": shell(lambda d: d[:, 2] < 2, 1.0, seed),
        "Shirt": shell(lambda d: np.abs(d[:, 2]) < 0.6, 1.1, seed + 10),
        "Eyes": eyes(),
    }
    members = []
    for part, (vertices, faces, directions) in parts.items():
        obj = add_mesh(f"{name} {part}", vertices, faces)
        obj["directions"] = directions.ravel()
        members.append(obj)
    if rigged:
        ends = {"lower": ((0, 0, -2), (0, 0, 0)), "upper": ((0, 0, 0), (0, 0, 2))}
        holder = add_rig(members[0], ends)
        holder.name = f"{name} Rig"
        for obj in members:
            height = np.clip(0.5 + 0.5 * np.array(obj["directions"]).reshape(-1, 3)[:, 2], 0, 1)
            for bone, weights in (("lower", 1 - height), ("upper", height)):
                group = obj.vertex_groups.new(name=bone)
                for vertex, weight in enumerate(weights.tolist()):
                    if weight > 0:
                        group.add([vertex], weight, "REPLACE")
        for obj in members[1:]:
            obj.modifiers.new("Armature", "ARMATURE").object = holder
    else:
        holder = bpy.data.objects.new(f"{name} Root", None)
        bpy.context.collection.objects.link(holder)
    for obj in members:
        obj.parent = holder
    holder.location = PLACES[name]
    select(members[0])
    return members


def add_pair():
    """A rigged source and a target without a rig, in other triangles, and their true map kept."""
    source, target = add_character("Source", 0, True), add_character("Target", 3, False)
    bpy.context.view_layer.update()
    keep_true_maps(source, target)
    panel = bpy.context.scene.diffusionnet.transfer
    panel.source, panel.target = source[1], target[0]
    return source, target


def keep_true_maps(source, target):
    """The true map: to the member of the same name, in the same direction."""
    faces, barycentric, start = [], [], 0
    for one, other in zip(source, target, strict=True):
        own = np.array([polygon.vertices[:] for polygon in one.data.polygons])
        here, there = (np.array(o["directions"]).reshape(-1, 3) for o in (one, other))
        points, _ = ClosestPoints(here, own)(there)
        faces.append(points.face + start)
        barycentric.append(points.barycentric)
        start += len(own)
    points = SurfacePoints(np.concatenate(faces), np.concatenate(barycentric))
    both = both_characters(source, target)
    keep_true_match(*both, points)
    keep_match(*both, replace(find_match(*both), places=(places(both[0]), places(both[1]))))


def both_characters(source, target):
    return pair_of(bpy.context, source[0], target[0])
