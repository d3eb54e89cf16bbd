"""Functional correspondence on a tiny data set in the layouts of FAUST and SCAPE."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from diffusionnet_blender.errors import DiffusionNetError  # noqa: E402
from diffusionnet_blender.network.features import input_features  # noqa: E402
from diffusionnet_blender.network.shape import shape_of  # noqa: E402
from diffusionnet_blender.network.torch_engine import TorchEngine  # noqa: E402
from diffusionnet_blender.network.training import scaled  # noqa: E402
from diffusionnet_blender.surface.discretization import discretize  # noqa: E402
from experiments import correspondence, correspondence_table, results  # noqa: E402
from experiments.layouts.faust_scape import files, read  # noqa: E402
from experiments.layouts.stand_in import mark  # noqa: E402
from experiments.map_errors import Distances, pairs_of  # noqa: E402
from experiments.maps import RegisteredShape, map_of_features, true_map  # noqa: E402
from experiments.stand_ins.faust_scape import body_of, places_of, write_shape  # noqa: E402
from tests.matching.pairs import lumpy_surface  # noqa: E402

PUBLISHED = Path(__file__).parents[3] / "shared" / "published_weights"
NUMBERS = {"faust": (78, 79, 80, 81), "scape": (49, 50, 52, 53)}
PLACES = lumpy_surface(2)[1]


def registered_surface(seed):
    """A lumpy body meshed by itself, and its vertex at each of some directions."""
    surface, directions = lumpy_surface(3, seed)
    return surface, (PLACES @ directions.T).argmax(axis=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Both data sets, two shapes a split."""
    folder = tmp_path_factory.mktemp("people")
    for data_set, numbers in NUMBERS.items():
        for seed, number in enumerate(numbers):
            write_shape(folder, data_set, number, *registered_surface(seed))
    mark(folder, "lumps")
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def pair():
    """Two meshings of one body."""
    found = []
    for seed in (0, 1):
        surface, places = registered_surface(seed)
        shape = discretize(surface, correspondence.SETTINGS)
        unit = scaled(shape, float(1 / np.sqrt(shape.mass.sum(dtype=float))))
        found.append(RegisteredShape(str(seed), unit, places))
    return found


def run(*words):
    """The command, as it is typed."""
    before, sys.argv = sys.argv, ["correspondence", *map(str, words)]
    try:
        correspondence.main()
    finally:
        sys.argv = before


def test_a_split_is_read_by_number_in_each_layout(data, tmp_path):
    shutil.copytree(data / "FAUST_r", tmp_path / "one" / "FAUST_r")
    other = tmp_path / "two" / "FAUST" / "vtx_5k"
    shutil.copytree(data / "FAUST_r" / "off_2", other)
    shutil.copytree(data / "FAUST_r" / "corres", other / "corres")
    # Those of the mirrored correspondence are beside them.
    (other / "corres" / "tr_reg_080.sym.vts").write_text("1\n")
    third = tmp_path / "three" / "faust"
    shutil.copytree(data / "FAUST_r" / "off_2", third / "shapes")
    shutil.copytree(data / "FAUST_r" / "corres", third / "correspondences")
    for layout in ("one", "two", "three"):
        for split, names in (("train", (78, 79)), ("test", (80, 81))):
            found = list(read(tmp_path / layout, "faust", split))
            assert [member.name for member in found] == [f"tr_reg_{n:03d}" for n in names]
        surface, places = registered_surface(3)
        np.testing.assert_allclose(found[1].surface.vertices, surface.vertices, atol=1e-6)
        np.testing.assert_array_equal(found[1].labels, places)


def spoil(folder, file, text):
    path = folder / "SCAPE_r" / file
    path.unlink() if text is None else path.write_text(text)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("corres/mesh052.vts", None, "corres/mesh052.vts is missing"),
        ("corres/mesh052.vts", "0\n" * len(PLACES), "from 1 on"),
        ("corres/mesh052.vts", "1.5\n" * len(PLACES), "from 1 on"),
        ("corres/mesh052.vts", "one\n", "more in it than numbers"),
        ("corres/mesh052.vts", "643\n" * len(PLACES), "names vertex 643"),
        ("corres/mesh053.vts", "1\n2\n", "has 2 places"),
        ("off_2/mesh053.off", "ply\n", "no triangle mesh"),
        ("off_2/mesh053.off", None, "has 1 shapes of the test split"),
        ("off_2/mesh.off", "OFF\n", "has no number"),
    ],
)
def test_files_that_do_not_fit_are_told(data, tmp_path, file, text, told):
    folder = tmp_path / "people"
    shutil.copytree(data, folder)
    spoil(folder, file, text)
    with pytest.raises(DiffusionNetError, match=told):
        list(read(folder, "scape", "test"))


def test_another_folder_is_told_with_the_layout(tmp_path):
    for folder in (tmp_path / "missing", tmp_path):
        with pytest.raises(DiffusionNetError, match="corres/NAME.vts"):
            files(folder, "faust", "train")


def test_the_map_of_features_minimises_what_the_paper_says(pair):
    engine = TorchEngine("cpu", torch.float64)
    shapes = [shape_of(one.discretization, engine) for one in pair]
    rng = np.random.default_rng(0)
    features = [
        engine.array(rng.standard_normal((len(s.discretization.vertices), 40))) for s in pair
    ]
    k = 8
    a, b = (
        s.eigenvectors[:, :k].T @ (s.mass[:, None] * f)
        for s, f in zip(shapes, features, strict=True)
    )
    there, here = (s.eigenvalues[:k] for s in shapes)

    def energy(c):
        commutator = c * there[None] - here[:, None] * c
        return ((c @ a - b) ** 2).sum() + 1e-3 * (commutator**2).sum()

    found = map_of_features(*shapes, *features, k).requires_grad_()
    energy(found).backward()
    steepest = torch.autograd.functional.jacobian(energy, torch.zeros_like(found)).abs().max()
    assert found.grad.abs().max() < 1e-6 * steepest


def test_the_true_map_carries_functions_of_places(pair):
    source, target = pair
    c = true_map(source, target)
    heights = []
    for shape in pair:
        # Along the body, the same on both.
        d, axis = shape.discretization, PLACES[:, 2]
        basis = d.eigenvectors[shape.places, : len(c)]
        heights.append(np.linalg.lstsq(basis, axis, rcond=None)[0])
    np.testing.assert_allclose(c @ heights[0], heights[1], atol=0.1 * np.abs(heights[1]).max())
    # No map at all does not: signs of eigenfunctions differ.
    assert np.abs(heights[0] - heights[1]).max() > np.abs(heights[1]).max()


def test_errors_are_distances_along_the_shape(data, cache):
    shapes = correspondence.shapes_of(data, cache, "faust", "test")
    distances = Distances(shapes)
    source, target = shapes[0], shapes[1]
    right = np.zeros(len(target.discretization.vertices), int)
    right[target.places] = source.places
    assert distances.errors(source, target, right).max() == 0.0
    # Everything in one vertex: its distance to the places, once around the body at most.
    at_first = distances.errors(source, target, np.full(len(right), source.places[0]))
    assert at_first[0] == 0.0
    straight = (
        source.discretization.vertices[source.places]
        - (source.discretization.vertices[source.places[0]])
    )
    away = 100 * np.linalg.norm(straight, axis=1)
    assert (at_first >= away - 1e-3).all()
    assert at_first.max() < 3 * away.max()


def test_all_pairs_or_some_of_them():
    assert len(pairs_of(20)) == 190
    some = pairs_of(20, 10)
    assert len(set(some)) == 10
    assert all(one < other for one, other in some)
    assert some[0] == (0, 1)
    assert some[-1] == (18, 19)


def test_turned_shapes_stand_upright(pair):
    one = pair[0]
    other = one.turned(np.random.default_rng(0))
    before, after = (input_features(s.discretization, ("xyz",)) for s in (one, other))
    np.testing.assert_allclose(before[:, 1], after[:, 1], atol=1e-6)
    assert np.abs(before - after).max() > 0.1
    np.testing.assert_array_equal(one.places, other.places)


def test_the_whole_experiment(data, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("<!-- correspondence: start -->\n<!-- correspondence: end -->\n")
    monkeypatch.setattr(results, "DOCUMENT", page)
    where = ("--data", data, "--cache", cache, "--processes", 1)
    for row in ("faust-hks", "scape-weak"):
        run("train", row, "--steps", 4, *where)
        run("measure", row, *where)
    found = results.kept("correspondence")
    assert set(found) == {"faust-hks", "scape-weak"}
    assert found["faust-hks"]["stand_in"]
    assert found["faust-hks"]["steps"] == 4
    assert found["faust-hks"]["faust"]["pairs"] == 1
    assert 0 <= found["faust-hks"]["scape"]["refined"] < 100
    run("write")
    text = page.read_text()
    assert "| supervised, hks, ZoomOut | stand-in |" in text
    assert "| aligned, xyz (paper) | FAUST, SCAPE | 3.8 | 4.4 | 4.8 | 3.6 |" in text


def test_what_is_not_there_is_told(data, cache):
    where = ("--data", data, "--cache", cache, "--processes", 1)
    for words, told in (
        (("measure", "scape-hks", *where), "not trained yet"),
        (("measure", "published-faust-hks", *where), "--weights"),
        (("measure", "published-faust-hks", *where, "--weights", cache), "faust_hks.pth"),
        (("train", "published-faust-hks", *where), "trained already"),
    ):
        with pytest.raises(SystemExit, match=told):
            run(*words)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="needs ../shared/published_weights")
def test_published_weights_are_read():
    for name in ("published-faust-hks", "published-scape-xyz"):
        architecture, weights = correspondence.published_network(PUBLISHED, name)
        assert architecture.inputs == {"hks": 16, "xyz": 3}[name[-3:]]
        assert architecture.outputs == correspondence.FEATURES_OUT
        architecture.check(weights)


def test_a_table_of_what_there_is_names_the_data_of_each_row():
    errors = {"pairs": 3, "raw": 5.0, "raw median": 4.0, "refined": 2.0, "refined median": 1.0}
    budget = {"steps": 10, "hours": 0.5, "loss": 0.01}
    one = {"stand_in": True, "faust": errors, "scape": replace_raw(errors, 7.0)}
    text = correspondence_table.text({"scape-hks": one | budget, "body_match": one})
    assert "| supervised, hks | stand-in |  | 7.0 (4.0) |  | 5.0 (4.0) |" in text
    assert "| body_match | stand-in | 2.0 (1.0) |" in text
    assert "| scape-hks | stand-in | 10 | 0.500 | 0.0100 |" in text
    text = correspondence_table.text({"scape-hks": one | budget | {"stand_in": False}})
    assert "stand-in" not in text


def replace_raw(errors, raw):
    return errors | {"raw": raw}


@pytest.mark.slow
def test_places_of_a_synthetic_body_are_where_its_template_has_them():
    from training.bodies import load_template

    one, other = (body_of("scape", number, 1200) for number in (3, 60))
    places = np.flatnonzero(load_template().component == 0)[::97]
    for body in (one, other):
        away = np.linalg.norm(body.vertices[places_of(body, places)] - body.posed[places], axis=1)
        # Half an edge, in metres.
        assert np.median(away) < 0.02
        assert np.quantile(away, 0.95) < 0.06
    # Another pose, another mesh of the same person.
    assert np.abs(one.posed - other.posed).max() > 0.1
    assert len(one.vertices) != len(other.vertices) or not np.array_equal(one.faces, other.faces)
