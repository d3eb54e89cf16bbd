"""The bundled models on the bundled characters: parts are where they belong."""

from pathlib import Path

import bpy
import numpy as np
import pytest

from diffusionnet_blender.scene.character import alone
from diffusionnet_blender.scene.files import open_file
from diffusionnet_blender.scene.options import ReadOptions
from diffusionnet_blender.scene.segment_jobs import segment_request
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.tasks.models import is_bundled
from diffusionnet_blender.tasks.segment.job import run
from training.parts import PART_OF_FINE

SAMPLES = Path(__file__).parents[2] / "samples"
SIDED = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")


@pytest.mark.parametrize(("file", "turned"), [("ada.glb", 0.0), ("bo.blend", 25.0)])
def test_parts_of_a_character_are_where_they_belong(file, turned):
    character = open_file(SAMPLES / file)[0]
    geometry, request = segment_request(
        alone(character), ReadOptions(), engine="numpy", clean=False
    )
    result = run(request)
    world = np.array(character.matrix_world)
    points = geometry.seen[0].base.coordinates @ world[:3, :3].T + world[:3, 3]
    names = result.class_names
    share = np.bincount(result.polygon_labels, result.polygon_areas, minlength=len(names))
    share /= share.sum()
    assert (share > 0.005).all(), dict(zip(names, share.round(4), strict=True))
    # A character that faces -y has its own left at +x; it may be turned about z, in degrees.
    left = np.array([np.cos(np.radians(turned)), np.sin(np.radians(turned)), 0.0])
    centre = {n: points[result.vertex_labels == i].mean(0) for i, n in enumerate(names)}
    for part in SIDED:
        assert (centre[f"{part}.L"] - centre[f"{part}.R"]) @ left > 0.0, part
    for side in "LR":
        assert centre["head"][2] > centre["torso"][2] > centre[f"thigh.{side}"][2]
        assert centre[f"thigh.{side}"][2] > centre[f"shin.{side}"][2] > centre[f"foot.{side}"][2]
    # Loose parts, eyeballs and teeth, are head.
    loose = _small_loose_parts(character.data)
    assert loose.any()
    assert (result.vertex_labels[loose] == names.index("head")).mean() > 0.99


@pytest.mark.skipif(not is_bundled("body_parts_fine"), reason="the fine model is not there yet")
@pytest.mark.parametrize(
    ("file", "turned"),
    [("ada.glb", 0.0), pytest.param("bo.blend", 25.0, marks=pytest.mark.slow)],
)
def test_fine_parts_are_within_the_coarse_ones_and_where_they_belong(file, turned, tmp_path):
    character = open_file(SAMPLES / file)[0]
    cache = OperatorCache(tmp_path)
    options = {"engine": "numpy", "clean": False, "cache": cache}
    _, request = segment_request(alone(character), ReadOptions(), model="body_parts", **options)
    coarse = run(request)
    geometry, request = segment_request(
        alone(character), ReadOptions(), model="body_parts_fine", **options
    )
    fine = run(request)
    # Both have the same matrices: the second run finds them.
    assert "eigenbasis" not in fine.seconds
    merged = PART_OF_FINE[fine.polygon_labels]
    assert np.average(merged == coarse.polygon_labels, weights=fine.polygon_areas) > 0.95
    names = fine.class_names
    share = np.bincount(fine.polygon_labels, fine.polygon_areas, minlength=len(names))
    assert (share > 0.0005 * share.sum()).all(), dict(zip(names, share.round(4), strict=True))

    world = np.array(character.matrix_world)
    points = geometry.seen[0].base.coordinates @ world[:3, :3].T + world[:3, 3]
    centre = {n: points[fine.vertex_labels == i].mean(0) for i, n in enumerate(names)}
    height = [centre[n][2] for n in ("head", "neck", "chest", "abdomen", "pelvis")]
    assert height == sorted(height, reverse=True)
    angle = np.radians(turned)
    left, front = [np.cos(angle), np.sin(angle), 0.0], [np.sin(angle), -np.cos(angle), 0.0]
    for name in ("shoulder", "palm", "fingers", "toes"):
        assert (centre[f"{name}.L"] - centre[f"{name}.R"]) @ left > 0.0, name
    for side in ("L", "R"):
        arm = np.stack([centre[f"{n}.{side}"] for n in ("upper_arm", "forearm", "palm", "fingers")])
        from_shoulder = np.linalg.norm(arm - centre[f"shoulder.{side}"], axis=1)
        assert (np.diff(from_shoulder) > 0).all()
        assert (centre[f"toes.{side}"] - centre[f"foot.{side}"]) @ front > 0.0


def _small_loose_parts(mesh: bpy.types.Mesh) -> np.ndarray:
    """Vertices of components under a tenth of the mesh, seams joined by position, (V,) bool."""
    from diffusionnet_blender.surface.loose_parts import label_parts

    points = np.array([v.co for v in mesh.vertices])
    _, place = np.unique(points.round(6), axis=0, return_inverse=True)
    edges = place.ravel()[np.array([e.vertices for e in mesh.edges])]
    part = label_parts(place.max() + 1, edges)[place.ravel()]
    return np.bincount(part)[part] < 0.1 * len(points)
