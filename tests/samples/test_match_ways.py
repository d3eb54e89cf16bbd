"""The way by which sample characters are matched, and that it keeps their parts and sides."""

from pathlib import Path

import bpy
import numpy as np
import pytest

from diffusionnet_blender.matching.limbs.digits import EXTREMITIES, ROOT, digits_of
from diffusionnet_blender.matching.limbs.parted import parted_mesh
from diffusionnet_blender.scene.character import characters_of
from diffusionnet_blender.scene.files import open_file
from diffusionnet_blender.scene.match_jobs import read_to_match, request_of
from diffusionnet_blender.surface.surface import Surface, vertex_areas
from diffusionnet_blender.tasks.match import body, job, main_part, match
from diffusionnet_blender.tasks.models import find_model
from diffusionnet_blender.tasks.segment import segment
from tests.shapes import icosphere, joined

SAMPLES = Path(__file__).parents[2] / "samples"
pytestmark = pytest.mark.slow


def read(name):
    """Of a file of one character, all that is known of it."""
    (character,) = characters_of(open_file(SAMPLES / name), bpy.context.view_layer)
    return read_to_match(character)


@pytest.fixture(scope="module")
def sides(addon):
    return {name.split(".")[0]: read(name) for name in ("ada.glb", "bo.blend", "cleo.glb")}


@pytest.fixture(scope="module")
def parts(sides):
    """The coarse part of each vertex, by the segmentation of each character by itself."""
    return {name: segment(side.geometry.placed).vertex_labels for name, side in sides.items()}


def known_parts(labels):
    """Parts as bones know them, of a rig whose borders are those of the labels."""
    return np.eye(len(find_model("body_parts").card.class_names), dtype=np.float32)[labels]


@pytest.mark.parametrize(
    ("source", "target", "rigged", "way"),
    [
        ("ada", "bo", False, "features"),
        # The parts of one rig alone do not lead: its borders are another maker's.
        ("ada", "bo", True, "features"),
        ("cleo", "ada", False, "limbs"),
        ("ada", "cleo", False, "limbs"),
    ],
)
def test_parts_come_to_the_same_parts(sides, parts, source, target, rigged, way):
    require_same_parts(sides, parts, source, target, rigged, way)


def test_parts_found_on_fewer_vertices_come_to_the_same_parts(sides, parts, monkeypatch):
    monkeypatch.setattr(body, "MOST_VERTICES", 2000)
    require_same_parts(sides, parts, "cleo", "ada", True, "limbs")


@pytest.mark.parametrize("rigged", [False, True])
def test_parts_found_on_proxies_come_to_the_same_parts(sides, parts, monkeypatch, rigged):
    monkeypatch.setattr(main_part, "PROXY_VERTICES", 2000)
    require_same_parts(sides, parts, "ada", "bo", rigged, "features")


def test_face_and_feet_beside_other_objects_are_matched_to_their_own_vertices(sides):
    """On the outer skin of both, by which they are matched, ears, lips and toes are rounder."""
    ada = request_of(sides["ada"], sides["ada"]).source
    vertices, top = ada.vertices, ada.vertices[:, 2].max()
    height = np.ptp(vertices[:, 2])
    ball, faces = icosphere(3)
    behind = vertices.mean(axis=0) + [0, 0.25 * height, 0]
    burdened = joined((vertices, ada.faces), (0.12 * height * ball + behind, faces))
    found = match(ada, Surface(*burdened), method="MATCH").target_to_source[: len(vertices)]
    away = np.linalg.norm(found.interpolate(vertices, ada.faces) - vertices, axis=1)
    assert away[vertices[:, 2] > top - 0.12 * height].mean() < 2e-4 * height
    assert away[vertices[:, 2] < top - 0.97 * height].mean() < 5e-4 * height


def finger_of_bones(character):
    """Number of the finger, from the thumb on, whose bones move each vertex most, 0 of none."""
    found = []
    for obj in character.members:
        names = [group.name for group in obj.vertex_groups]
        held = np.zeros((len(obj.data.vertices), 6))
        for vertex in obj.data.vertices:
            for group in vertex.groups:
                name = names[group.group]
                number = int(name[6]) if name.startswith("finger") else 0
                held[vertex.index, number] += group.weight
        found.append(held.argmax(axis=1))
    return np.concatenate(found)


def test_fingers_of_a_dressed_character_go_to_their_own(addon):
    """Sleeves hide its arms, and on its outer skin fingers are one piece."""
    (cleo,) = characters_of(open_file(SAMPLES / "cleo.glb"), bpy.context.view_layer)
    of_bones, source = finger_of_bones(cleo), read_to_match(cleo)
    request = request_of(source, read("bo.blend"))
    finger = of_bones[job.run(request).target_to_source.nearest_vertex(request.source.faces)]
    bo = request.target
    found = segment(bo, "body_parts_fine")
    mesh = parted_mesh(
        bo.vertices, bo.faces, found.vertex_probabilities, found.class_names, found.frame
    )
    for side in "LR":
        digits = digits_of(mesh, EXTREMITIES[0], side)
        counts = [np.bincount(finger[d.vertices[d.along > ROOT]], minlength=6) for d in digits]
        assert sorted(int(count.argmax()) for count in counts) == [1, 2, 3, 4, 5]
        assert all(count.max() > 0.9 * count.sum() for count in counts)


def require_same_parts(sides, parts, source, target, rigged, way):
    request = request_of(sides[source], sides[target])
    if rigged:
        request = job.MatchRequest(
            request.source, request.target, source_known=known_parts(parts[source])
        )
    found = job.run(request)
    assert found.way == way
    image = parts[source][found.target_to_source.nearest_vertex(request.source.faces)]
    areas = vertex_areas(request.target.vertices, request.target.faces)
    assert np.average(image == parts[target], weights=areas) > 0.9
    assert not found.uncertain
