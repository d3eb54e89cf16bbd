"""Sheets of characters in each other's textures."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.contact_sheet import BACKDROP, DOUBT, Figure, compose, figure

KIND = "textures"
GREEN = (30, 160, 60, 255)


def _cell(folder: Path, name: str, uncertain: bool) -> Path:
    cell = folder / name
    Image.new("RGBA", (200, 500), GREEN).save(folder / f"{name}.{KIND}.png")
    cell.with_suffix(".json").write_text(json.dumps({"uncertain": uncertain}))
    return cell


@pytest.mark.parametrize("uncertain", [False, True])
def test_uncertain_cells_are_marked_and_failed_ones_are_empty(tmp_path, uncertain):
    cast = [Figure("q_goblin", tmp_path), Figure("ada", tmp_path)]
    one, other = cast
    cells = {
        (one, one): _cell(tmp_path, "own", False),
        (one, other): _cell(tmp_path, "doubted", uncertain),
        (other, one): None,
        (other, other): _cell(tmp_path, "other", False),
    }
    compose(cast, cast, cells, KIND, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    is_marked = (sheet == DOUBT).all(axis=2)
    assert is_marked.any() == uncertain
    # On the upper right cell, and nowhere else.
    middle = np.array(sheet.shape[:2]) // 2
    assert not is_marked[middle[0] :].any()
    assert not is_marked[:, : middle[1]].any()
    pictured = (sheet == GREEN[:3]).all(axis=2)
    assert pictured[: middle[0] - 20, middle[1] + 60 :].any()
    below = sheet[middle[0] + 60 : -60, 60 : middle[1] - 20]
    assert (below == BACKDROP).all()


@pytest.mark.parametrize(
    ("name", "caption"),
    [("q_female_dress", "Female dress"), ("ada", "Ada"), ("dressed:6", "Dressed"), ("bo", "Bo")],
)
def test_captions_leave_out_packs_and_numbers(name, caption):
    assert Figure(name, Path()).caption == caption


def test_a_name_that_is_no_file_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="nobody"):
        figure("nobody", tmp_path, tmp_path)
