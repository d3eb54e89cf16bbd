"""Small networks that differ in one thing, and the tables that tell of them."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("fast_simplification", reason="the figures need the training extras")

from diffusionnet_blender.network.training import LabelledShape  # noqa: E402
from diffusionnet_blender.surface.discretization import discretize  # noqa: E402
from diffusionnet_blender.surface.settings import DiscretizationSettings  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from tests.shapes import lumpy_body  # noqa: E402
from training import paper_checks  # noqa: E402
from training.documents import put_between  # noqa: E402
from training.trials import measured, trained_weights, truncated  # noqa: E402

SMALL = replace(paper_checks.BASE, width=8, blocks=1)


@pytest.fixture(scope="module")
def shape():
    vertices, faces = lumpy_body(2)
    found = discretize(Surface(vertices, faces), DiscretizationSettings(k=24))
    # Two parts of one name and two sides: .L above, .R below.
    return LabelledShape(found, np.where(vertices[:, 2] > 0, 2, 3))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(paper_checks.VARIANTS))
def test_every_variant_learns(name, shape, tmp_path):
    variant = paper_checks.VARIANTS[name]
    network = replace(SMALL, **variant.changes)
    shape = truncated(shape, min(variant.k, 24))
    weights = trained_weights(network, [shape], 4, tmp_path / "run.pt", variant.fixed_time)
    network.check(weights)
    if variant.fixed_time is not None:
        np.testing.assert_allclose(weights["block_0.time"], variant.fixed_time)
    found = measured(network, weights, [shape])
    assert 0 <= found.right <= found.either_side <= 1


def test_tables_leave_empty_what_was_not_run():
    share = {"right": 0.75, "either_side": 0.8}
    text = paper_checks.tables({paper_checks.FULL: {"mesh": share, "seconds": 60}})
    assert "| full method | 90.6% | 75.0% | 80.0% |" in text
    assert "| no diffusion | 31.4% |  |  |" in text
    assert "1 of" in text


def test_the_page_shows_what_is_kept():
    kept = json.loads(paper_checks.KEPT.read_text())
    assert set(kept) <= set(paper_checks.VARIANTS)
    assert paper_checks.tables(kept) in paper_checks.DOCUMENT.read_text()


def test_only_what_is_between_the_markers_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- a: start -->\nold\n<!-- a: end -->\nafter\n")
    put_between(page, "a", "new\n")
    put_between(page, "a", "newer\n")
    assert page.read_text() == "before\n<!-- a: start -->\nnewer\n<!-- a: end -->\nafter\n"
    with pytest.raises(ValueError, match="b: start"):
        put_between(page, "b", "text")
