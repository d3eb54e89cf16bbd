"""The way by which sample characters are matched, and that it keeps their parts and sides."""

from pathlib import Path

import bpy
import numpy as np
import pytest

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
