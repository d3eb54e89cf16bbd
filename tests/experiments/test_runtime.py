"""Rows of the paper's table of runtimes."""

import json

import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("anny", reason="the bodies need the training extras")

from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from experiments import results, runtime  # noqa: E402
from tests.shapes import lumpy_body  # noqa: E402


@pytest.mark.parametrize("name", [runtime.PUBLISHED, *runtime.ROWS])
def test_every_row_is_measured(name):
    found = runtime.timed(name, Surface(*lumpy_body(2)), "cpu", repeats=1)
    assert all(found[what] > 0 for what in runtime.MEASURED)


def test_the_table_has_what_was_measured_and_no_more():
    times = {"pre": 0.2504, "train": 61.0, "infer": 0.0101, "memory": 4e8, "vertices": 760}
    plainly = {name: 2 * value for name, value in times.items()}
    text = runtime.tables(
        {
            "machine of cpu": {"processor": "some"},
            f"cpu, {runtime.PUBLISHED}, 752": plainly,
            "cpu, spectral, 752": times,
            "cpu, direct, 752": {"error": "over 900 s"},
        }
    )
    assert "| ours, spectral | 250 ms (2.0x) | 61.0 s (2.0x) | 10 ms (2.0x) | 400 MB |" in text
    assert "| ours, direct | failed |" in text
    assert "half precision" not in text
    assert runtime.DEVICES["cuda"] not in text


def test_the_page_shows_what_is_kept():
    kept = results.kept("runtime")
    json.dumps(kept)
    assert runtime.tables(kept) in results.DOCUMENT.read_text()
