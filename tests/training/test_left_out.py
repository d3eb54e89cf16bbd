"""Characters that are left out are not learnt from, and commands without their files."""

import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("fast_simplification", reason="the figures need the training extras")

from training import body_parts, calibrate, left_out, levers, prepared
from training.rigged import PACKS

KINDS = [
    *(f"rigged {pack}, none, original" for pack in PACKS),
    *("bare, cut, even", "bare, none, voxel", "chibi, scan, original", "dressed, none, even"),
]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A folder of examples of which only what is chosen by is there: kinds and sizes."""
    monkeypatch.setattr(prepared, "RUN", tmp_path)
    folder = tmp_path / "shapes" / "rigged"
    folder.mkdir(parents=True)
    for seed, kind in enumerate(KINDS):
        np.savez(folder / f"{seed}.npz", kind=kind, label=np.zeros(100, np.int8))
    large = np.zeros(prepared.LARGEST + 1, np.int8)
    np.savez(folder / f"{len(KINDS)}.npz", kind="bare, none, even", label=large)
    return {"rigged": range(len(KINDS) + 1)}


def test_every_pack_is_left_out_once():
    assert sorted(pack for fold in left_out.FOLDS for pack in fold) == sorted(PACKS)


@pytest.mark.parametrize("fold", left_out.FOLDS)
def test_nothing_is_learnt_from_a_pack_that_is_left_out(run, fold):
    seen = [KINDS[seed] for seed, _ in prepared.Prepared(run, left_out=fold).examples]
    packs = {kind.split(", ")[0].removeprefix("rigged ") for kind in seen}
    assert packs == {*PACKS, "bare", "chibi", "dressed"} - {*fold}


def test_kinds_sizes_and_emphasis(run):
    chosen = prepared.Prepared(run, kinds=["bare", "chibi"]).examples
    seen = [KINDS[seed] for seed, _ in chosen]
    assert sorted(set(seen)) == ["bare, cut, even", "bare, none, voxel", "chibi, scan, original"]
    assert [seen.count(kind) for kind in sorted(set(seen))] == [2, 1, 2]


@pytest.mark.parametrize(
    ("main", "arguments", "expected"),
    [
        (body_parts.main, "data", "--generated"),
        (body_parts.main, "train", "--generated"),
        (body_parts.main, "data --dressed 2", "--makehuman"),
        (body_parts.main, "train --generated 1 --kinds robot", "robot"),
        (body_parts.main, "train --dressed 1", "body_parts data"),
        (body_parts.main, "snapshot --run none", "none.pt"),
        (body_parts.main, "evaluate --model-folder nowhere", "body_parts"),
        (left_out.main, "train --rigged 1", "--start"),
        (left_out.main, "train --start a.pt", "--rigged"),
        (left_out.main, "train --rigged 1 --start a.pt --folds 9", "9"),
        (left_out.main, "train --rigged 1 --start a.pt", "body_parts data"),
        (left_out.main, "measure --before a.safetensors", "a.json"),
        (calibrate.main, "--model-folder nowhere", "body_parts"),
        (levers.main, "wider --start a.safetensors", "wider"),
        (levers.main, "--start a.safetensors", "a.json"),
    ],
)
def test_what_is_missing_is_one_clear_line(
    main, arguments, expected, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for module in (prepared, body_parts, left_out):
        monkeypatch.setattr(module, "RUN", tmp_path)
    monkeypatch.setattr(levers, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["command", *arguments.split()])
    with pytest.raises(SystemExit) as stopped:
        main()
    text = stopped.value.code if isinstance(stopped.value.code, str) else capsys.readouterr().err
    line = text.strip().splitlines()[-1]
    assert "error: " in line
    assert expected in line
