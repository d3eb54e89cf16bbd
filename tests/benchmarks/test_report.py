"""What was measured becomes tables and a plot."""

import json
from dataclasses import asdict

import pytest

pytest.importorskip("matplotlib", reason="plots need the set develop")

from PIL import Image

from benchmarks import report
from benchmarks.case import Case

SIZES = (5_000, 20_000)


def stages(factor, **others):
    return {
        name: {"wall": factor * share, "cpu": factor * share, "memory": 100_000_000}
        for name, share in {"laplacian": 1, "eigenbasis": 6, "gradient": 1, **others}.items()
    }


@pytest.fixture
def results(tmp_path):
    """Three runs of a baseline that takes twice as long as ours, growing linearly."""
    runs = []
    for size in SIZES:
        for threads in (1, None):
            for slow in (0.5, 1.0, 9.0):
                plain = Case("baseline", "body", size, threads, "torch")
                ours = Case("ours", "body", size, threads)
                for case, factor in ((plain, 2.0), (ours, 1.0)):
                    measured = stages(factor * slow * size / 1000, network=3)
                    runs.append((case, {"stages": measured, "memory": 5e8}))
    path = tmp_path / "small.json"
    found = {
        "machine": {"processor": "a processor", "cores": "2"},
        "runs": [{"case": asdict(c), "vertices": c.size + 8, "load": 0.5, **r} for c, r in runs]
        + [{"case": asdict(Case("click", "body", 5_000)), "error": "MemoryError: all gone"}],
        "accuracy": [
            {"case": asdict(runs[-1][0]), "reference": "baseline", "labels_different": 0.0125}
        ],
    }
    path.write_text(json.dumps(found))
    return report.Results.load([path, tmp_path / "missing.json"])


def test_medians_and_their_ratio(results):
    rows = report.precompute_table(results).splitlines()[2:]
    assert len(rows) == len(SIZES)
    cells = [cell.strip() for cell in rows[0].split("|")[1:-1]]
    assert cells[:6] == ["body", "5,008", "exact", "80", "40", "**2.0x**"]
    assert cells[-1] == "3 / 3"


def test_what_failed_is_said_and_what_is_missing_is_empty(results):
    text = report.measured(results)
    assert "MemoryError: all gone" in text
    assert "1.250%" in text
    assert "a processor" in text
    assert "None" not in text


def test_growth_of_a_linear_curve_is_one(results):
    assert report.growth_exponent([10, 100, 1000], [2.0, 20.0, 200.0]) == pytest.approx(1.0)
    assert report.growth_exponent([10], [2.0]) is None
    assert "ours, exact: vertices to the power of 1.00 (5,008 to 20,008)" in report.growth_lines(
        results
    )


def test_the_page_keeps_all_outside_the_marks():
    page = f"before\n{report.START}\nold\n{report.END}\nafter\n"
    once = report.insert(page, "new")
    assert once == report.insert(once, "new")
    assert once.startswith("before\n")
    assert once.endswith("after\n")
    assert "old" not in once
    assert "new" in once
    with pytest.raises(ValueError, match="marks"):
        report.insert("a page without marks", "new")


def test_a_plot_is_drawn(results, tmp_path):
    report.draw(results, tmp_path / "images" / "speed.webp")
    with Image.open(tmp_path / "images" / "speed.webp") as picture:
        assert picture.width > picture.height
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20
