"""What comes beside the meshes must fit them: known parts, models of parts, pins, an offset."""

import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.match import match
from diffusionnet_blender.tasks.models import DEFAULT_MODEL, FINE_PARTS_MODEL, card_of
from diffusionnet_blender.tasks.segment import segment
from tests.shapes import lumpy_body

SURFACE = Surface(*lumpy_body(2))
ROWS = len(SURFACE.vertices)
COLUMNS = len(card_of(DEFAULT_MODEL, (), "segment").class_names)


def right():
    return np.eye(COLUMNS)[np.arange(ROWS) % COLUMNS]


def with_value(value):
    known = right()
    known[3, 5] = value
    return known


WRONG = {
    "a row less": right()[1:],
    "no row": right()[:0],
    "a column more": np.pad(right(), ((0, 0), (0, 1))),
    "those of another model": np.zeros((ROWS, 23)),
    "transposed": right().T,
    "labels": right().argmax(axis=1),
    "one number": np.float64(1.0),
    "not a number": with_value(np.nan),
    "infinite": with_value(np.inf),
    "negative": with_value(-0.1),
    "above one": with_value(1.5),
    "text": right().astype(str),
    "a list": right().tolist(),
    "objects": right().astype(object),
}


def refused(call, *arguments, **options):
    """The error of a call that has not begun to work."""
    stages = []

    def progress(stage, fraction):
        stages.append(stage)

    with pytest.raises(DiffusionNetError) as caught:
        call(*arguments, progress=progress, **options)
    assert caught.value.fix
    assert not stages
    return caught.value.message


@pytest.mark.parametrize("known", WRONG.values(), ids=WRONG)
def test_known_parts_that_do_not_fit_are_refused(known):
    for model in ("rig", DEFAULT_MODEL):
        assert "known" in refused(segment, SURFACE, model, known=known)
    for side in ("source_known", "target_known"):
        for options in ({}, {"model": None}, {"method": "IN_PLACE"}):
            assert side in refused(match, SURFACE, SURFACE, **{side: known}, **options)


def test_from_the_rig_without_a_rig_is_refused():
    assert "bone" in refused(segment, SURFACE, "rig")


@pytest.mark.parametrize(
    "models", ["body_parts_fine", "ab", (), (FINE_PARTS_MODEL,), (None, None), 3 * ("a",), 2]
)
def test_models_of_parts_that_are_no_pair_are_refused(models):
    assert "parts_models" in refused(match, SURFACE, SURFACE, parts_models=models)


@pytest.mark.parametrize(
    "pins", [[1, 2, 3], [1, 2], [[1, 2, 3]], [[0.5, 1.0]], [["a", "b"]], [[0, -1]], [[0, ROWS]]]
)
def test_pins_that_are_no_pairs_of_vertices_are_refused(pins):
    assert "pin" in refused(match, SURFACE, SURFACE, None, pins=np.array(pins))


@pytest.mark.parametrize("offset", [[1.0, 2.0], [0.0, np.nan, 0.0], 1.0])
def test_offsets_that_are_no_places_are_refused(offset):
    assert "offset" in refused(match, SURFACE, SURFACE, None, offset=np.array(offset))
