"""An uncertain match moves only what it would not ruin, unless that is accepted."""

import numpy as np
import pytest

from diffusionnet_blender import Surface, transfer
from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.judgement import LEAST_CONFIDENT_SHARE
from diffusionnet_blender.matching.points import points_at_vertices
from diffusionnet_blender.tasks.transfer import KINDS, MeshShape
from diffusionnet_blender.tasks.transfer.layers import (
    Attribute,
    Bones,
    Layers,
    ShapeKeys,
    Texture,
    Weights,
)
from tests.shapes import lumpy_body

BODY = Surface(*lumpy_body(2))
COUNT, FACES = len(BODY.vertices), len(BODY.faces)
UV = np.random.default_rng(0).random((3 * FACES, 2))
IMAGE = np.ones((8, 8, 4), np.float32)
SLOTS = np.zeros(FACES, dtype=np.int64)
WEIGHTS = Weights(("hip",), np.ones((COUNT, 1)), np.array([True]))


def values(domain, kind):
    return (Attribute("mass", kind, domain, np.ones(COUNT, np.float32)),)


# By the kinds of the panel: what reaches the task, and what the message calls it.
LAYERS = {
    "texture": (
        Layers(uv=UV, slots=SLOTS, textures=(Texture("Base", {0: IMAGE}),)),
        "textures",
    ),
    "uv": (Layers(uv=UV, copy_uv=True), "the UV map"),
    "weights": (Layers(weights=WEIGHTS), ""),
    "shape_keys": (Layers(keys=ShapeKeys(("big",), 1.1 * BODY.vertices[None])), "shape keys"),
    "colors": (Layers(attributes=values("POINT", "FLOAT")), "attributes"),
    "attributes": (Layers(attributes=values("POINT", "FLOAT")), "attributes"),
    "materials": (Layers(slots=SLOTS, move_slots=True), ""),
    "labels": (Layers(labels=np.ones((COUNT, 2), np.float32)), ""),
    "armature": (
        Layers(
            weights=WEIGHTS,
            bones=Bones(("hip",), np.zeros((1, 3)), np.ones((1, 3)), np.ones((1, 3)),
                        influence=np.ones((COUNT, 1))),
        ),
        "the armature",
    ),
}  # fmt: skip


def moved(layers, confident, **options):
    """What arrives along a map of which a share of the vertices is confident."""
    confidence = (np.arange(COUNT) < confident * COUNT).astype(float)
    shape = MeshShape.of(BODY)
    points = points_at_vertices(np.arange(COUNT), BODY.faces)
    return transfer(shape, shape, points, confidence, layers, target_uv=UV, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_refused_or_mended(kind):
    layers, name = LAYERS[kind]
    assert moved(layers, LEAST_CONFIDENT_SHARE + 0.05) is not None
    few = LEAST_CONFIDENT_SHARE - 0.1
    assert moved(layers, few, accept_uncertain=True) is not None
    if not name:
        assert moved(layers, few) is not None
        return
    with pytest.raises(DiffusionNetError, match=name) as refused:
        moved(layers, few)
    assert f"{few:.0%} of vertices only" in str(refused.value)
    assert "--accept-uncertain" in refused.value.fix


def test_all_that_would_be_ruined_is_named():
    layers = Layers(uv=UV, copy_uv=True, keys=LAYERS["shape_keys"][0].keys, weights=WEIGHTS)
    with pytest.raises(DiffusionNetError, match="ruin the UV map, shape keys; nothing was moved"):
        moved(layers, 0.1)
