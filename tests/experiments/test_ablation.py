"""The ablation on a few bodies, from their matrices to the tables."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("anny", reason="the bodies need the training extras")

from experiments import ablation, ablation_tables, results, small_bodies  # noqa: E402
from experiments.spread import mean_and_spread, row_of  # noqa: E402
from training.documents import percent  # noqa: E402

FEW = {"train": 2, "test": 1}


@pytest.fixture(scope="module")
def bodies(tmp_path_factory):
    return ablation.Bodies(tmp_path_factory.mktemp("cache"), FEW)


@pytest.mark.parametrize("name", [*ablation_tables.PIECES, *ablation_tables.SIDES])
def test_every_network_learns_and_is_measured(name, bodies, tmp_path, monkeypatch):
    variant = replace(ablation.VARIANTS[name], steps=2)
    monkeypatch.setitem(ablation.VARIANTS, name, variant)
    found = ablation.run(name, 0, bodies, tmp_path)
    assert 0 <= found["accuracy"] <= 1
    assert found["steps"] == 2
    assert "stand-in" in found["data"]
    assert found == pytest.approx(ablation.run(name, 0, bodies, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [ablation_tables.MESHES, ablation_tables.CLOUDS, ablation_tables.IMPLICIT]
)
def test_weights_are_measured_on_the_other_kind_as_well(name, bodies, tmp_path, monkeypatch):
    monkeypatch.setitem(ablation.VARIANTS, name, replace(ablation.VARIANTS[name], steps=2))
    found = ablation.run(name, 0, bodies, tmp_path)
    text = ablation_tables.tables({row_of(name, 0): found})
    for what in {"accuracy", "on the other", "other diffusion"} & set(found):
        assert 0 <= found[what] <= 1
        assert percent(found[what]) in text


def test_a_fixed_time_is_not_learned(bodies, tmp_path, monkeypatch):
    name = "fixed-time diffusion, t = 0.5"
    variant = replace(ablation.VARIANTS[name], steps=3)
    learned = []
    monkeypatch.setitem(ablation.VARIANTS, name, variant)
    monkeypatch.setattr(
        ablation, "accuracy", lambda network, weights, *rest: learned.append(weights) or 0.0
    )
    ablation.run(name, 0, bodies, tmp_path)
    times = [weights[key] for weights in learned for key in weights if key.endswith(".time")]
    assert len(times) >= 4
    np.testing.assert_allclose(times, 0.5)


def test_classes_are_eight_parts_or_two_sides(bodies):
    parts = bodies.of(ablation.VARIANTS["full method"], "train", "mesh")
    assert set(np.unique(np.concatenate([shape.labels for shape in parts]))) == set(range(8))
    body = bodies.of(ablation.VARIANTS["real A"], "test", "mesh")[0]
    # Both sides of a body have about the same area, and hardly any vertex is on neither.
    area = [body.discretization.mass[body.labels == side].sum() for side in (0, 1)]
    assert area[0] == pytest.approx(area[1], rel=0.1)
    assert np.mean(body.labels == -1) < 0.1


def test_tables_show_mean_spread_and_budget_and_leave_empty_what_was_not_run():
    run = {"steps": 800, "hours": 0.05, "data": small_bodies.DATA}
    found = {
        row_of("full method", 0): {**run, "accuracy": 0.9},
        row_of("full method", 1): {**run, "accuracy": 0.92},
        row_of("real A", 0): {**run, "accuracy": 0.5},
    }
    text = ablation_tables.tables(found)
    assert "| full method | 90.6% | 91.0% ± 1.4% | 2 | 800 | 3.0 |" in text
    assert "| real A | 50.0% | 50.0% | 1 | 800 | 3.0 |" in text
    assert "| no diffusion | 31.4% |  |  |  |  |" in text
    assert mean_and_spread([], percent) == ""


def test_the_page_shows_what_is_kept():
    kept = results.kept(ablation.NAME)
    assert {row.rpartition(", seed ")[0] for row in kept} <= set(ablation.VARIANTS)
    assert ablation_tables.tables(kept) in results.DOCUMENT.read_text(encoding="utf-8")
