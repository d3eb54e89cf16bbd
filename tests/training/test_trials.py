"""Small networks that differ in one thing."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("fast_simplification", reason="the figures need the training extras")

from diffusionnet_blender.network.architecture import Architecture  # noqa: E402
from diffusionnet_blender.network.training import LabelledShape  # noqa: E402
from diffusionnet_blender.surface.discretization import discretize  # noqa: E402
from diffusionnet_blender.surface.settings import DiscretizationSettings  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from tests.shapes import lumpy_body  # noqa: E402
from training.documents import put_between  # noqa: E402
from training.parts import PART_NAMES  # noqa: E402
from training.trials import measured, trained_weights, truncated  # noqa: E402


def test_a_small_network_is_trained_and_measured(tmp_path):
    vertices, faces = lumpy_body(2)
    # Two sides of one part: .L above, .R below.
    labels = np.where(vertices[:, 2] > 0, 2, 3)
    found = discretize(Surface(vertices, faces), DiscretizationSettings(k=24))
    shape = truncated(LabelledShape(found, labels), 16)
    assert shape.discretization.eigenvectors.shape == (len(vertices), 16)
    network = Architecture(inputs=16, outputs=len(PART_NAMES), width=8, blocks=1)
    weights = trained_weights(network, [shape], 4, tmp_path / "run.pt")
    network.check(weights)
    shares = measured(network, weights, [shape])
    assert 0 <= shares.right <= shares.either_side <= 1
    again = trained_weights(network, [shape], 4, tmp_path / "run.pt")
    assert all(np.array_equal(again[name], weights[name]) for name in weights)


def test_only_what_is_between_the_markers_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- a: start -->\nold\n<!-- a: end -->\nafter\n")
    put_between(page, "a", "new\n")
    put_between(page, "a", "newer\n")
    assert page.read_text() == "before\n<!-- a: start -->\nnewer\n<!-- a: end -->\nafter\n"
    with pytest.raises(ValueError, match="b: start"):
        put_between(page, "b", "text")
