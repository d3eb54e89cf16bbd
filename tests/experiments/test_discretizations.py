"""Discretization agnostic learning on lumpy bodies in correspondence, remeshed here."""

import shutil
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("fast_simplification", reason="remeshing needs the training extras")
pytest.importorskip("trimesh", reason="PLY files need the training extras")

from diffusionnet_blender.errors import DiffusionNetError  # noqa: E402
from diffusionnet_blender.network.architecture import Architecture  # noqa: E402
from diffusionnet_blender.network.shape import shape_of  # noqa: E402
from diffusionnet_blender.network.torch_engine import TorchEngine  # noqa: E402
from diffusionnet_blender.surface.discretization import discretize  # noqa: E402
from diffusionnet_blender.surface.edges import unique_edges  # noqa: E402
from diffusionnet_blender.surface.settings import DiscretizationSettings  # noqa: E402
from diffusionnet_blender.surface.surface import Surface, triangle_areas  # noqa: E402
from experiments import basis_size, discretization_figures, discretizations, results  # noqa: E402
from experiments.baselines import GraphNetwork, PointNetwork  # noqa: E402
from experiments.layouts import remeshed  # noqa: E402
from experiments.layouts.files import read_mesh  # noqa: E402
from experiments.stand_ins.remeshings import in_correspondence, make  # noqa: E402
from experiments.stand_ins.remeshings import remeshed as remeshed_as  # noqa: E402
from experiments.template_labels import Data  # noqa: E402
from tests.shapes import icosphere, lumpy_body  # noqa: E402


def lumpy_bodies():
    vertices, faces = lumpy_body(2)
    for index in range(5):
        yield Surface(vertices * [1.0, 1.0 + 0.1 * index, 1.0], faces)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("bodies")
    make(path, lumpy_bodies(), "lumpy bodies")
    return path


@pytest.fixture
def copied(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "bodies")


def test_all_networks_are_trained_measured_and_shown(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(discretization_figures, "IMAGES", tmp_path / "images")
    data = Data(folder, tmp_path / "cache")
    with pytest.raises(DiffusionNetError, match="not trained"):
        discretizations.shown("DiffusionNet, xyz", data, tmp_path / "cache")
    for name, network in discretizations.NETWORKS.items():
        monkeypatch.setitem(discretizations.NETWORKS, name, replace(network, width=8, epochs=1))
        found = discretizations.run(name, data, tmp_path / "cache", None)
        results.keep(discretizations.NAME, name, found)
        assert set(found["mean"]) == set(discretizations.kinds_for(name))
        for shares in found["within"].values():
            assert all(0 <= low <= high <= 1 for low, high in pairwise(shares))
    kept = results.kept(discretizations.NAME)
    weights = [found["weights"] for found in kept.values()]
    assert max(weights) < 1.2 * min(weights)
    discretization_figures.draw_curves(kept)
    name = next(iter(kept))
    discretization_figures.draw_bodies(
        data.template,
        {
            "truth": discretizations.true_labels(data),
            name: discretizations.shown(name, data, tmp_path / "cache"),
        },
    )
    text = discretization_figures.tables(kept)
    assert "(stand-in)" in text
    assert all(f"| {name} |" in text for name in kept)
    for picture in (discretization_figures.CURVES, discretization_figures.BODIES):
        assert (tmp_path / "images" / picture).stat().st_size > 1000
        assert picture in text


def test_distances_are_in_percent_of_the_largest(folder, tmp_path):
    data = Data(folder, tmp_path)
    assert data.distances.max() == pytest.approx(100)
    assert (np.diag(data.distances) == 0).all()


def test_sizes_of_the_basis_are_measured(folder, tmp_path):
    data = Data(folder, tmp_path)
    found = {
        f"k = 8, seed {seed}": basis_size.run(8, seed, data, tmp_path, epochs=1) for seed in (0, 1)
    }
    assert all(0 <= result["error"] <= 100 for result in found.values())
    text = basis_size.tables(found)
    assert " ± " in text
    assert "(stand-in)" in text


@pytest.mark.parametrize("kind", remeshed.REMESHED)
def test_a_remeshed_vertex_belongs_to_the_nearest_one(folder, kind):
    body = next(remeshed.read(folder, "test"))
    made = next(remeshed.read(folder, "test", kind))
    vertices = body.surface.vertices
    away = np.linalg.norm(made.surface.vertices[:, None] - vertices, axis=2)
    np.testing.assert_allclose(away[np.arange(len(away)), made.labels], away.min(axis=1), atol=1e-5)
    # All over the surface, and near it.
    assert len(np.unique(made.labels)) > 0.4 * len(vertices)
    assert away.min(axis=1).max() < 0.5


def test_isotropic_triangles_are_alike():
    vertices, faces = icosphere(2)
    # Larger towards one pole.
    vertices = vertices * np.exp(0.8 * vertices[:, 2:])
    made = remeshed_as(Surface(vertices, faces), "iso", np.random.default_rng(0))
    before, after = triangle_areas(vertices, faces), triangle_areas(made.vertices, made.faces)
    assert after.std() / after.mean() < 0.6 * before.std() / before.mean()
    assert after.sum() == pytest.approx(before.sum(), rel=0.1)
    _, uses = unique_edges(made.faces)
    assert np.mean(uses == 2) > 0.99


def test_dense_is_finer_in_some_places():
    vertices, faces = icosphere(2)
    areas = {}
    for kind in ("iso", "dense"):
        made = remeshed_as(Surface(vertices, faces), kind, np.random.default_rng(0))
        area = triangle_areas(made.vertices, made.faces)
        areas[kind] = area.std() / area.mean()
    assert areas["dense"] > 1.5 * areas["iso"]


def outputs(network, vertices, faces):
    torch.manual_seed(0)
    shape = discretize(Surface(vertices, faces), DiscretizationSettings(k=16))
    engine = TorchEngine("cpu")
    module = network(Architecture(inputs=3, outputs=4, width=16, blocks=2), engine, None)
    with torch.no_grad():
        return module(shape_of(shape, engine), engine.array(shape.vertices)).numpy()


def turned_edges(faces):
    """Other triangles on the same vertices: some diagonals of pairs turned."""
    from training.meshes import Body
    from training.remesh import flip_diagonals

    vertices, _ = icosphere(2)
    zeros = np.zeros(len(vertices), np.int32)
    body = Body(vertices, faces, zeros, zeros)
    return flip_diagonals(body, np.random.default_rng(0), 0.3).faces


def test_only_the_graph_network_sees_the_edges():
    vertices, faces = icosphere(2)
    other = turned_edges(faces)
    assert not np.array_equal(faces, other)
    plain = outputs(PointNetwork, vertices, faces)
    np.testing.assert_allclose(outputs(PointNetwork, vertices, other), plain, atol=1e-5)
    graph = outputs(GraphNetwork, vertices, faces)
    assert np.abs(outputs(GraphNetwork, vertices, other) - graph).max() > 1e-3


def test_a_graph_convolution_sums_over_the_neighbours():
    vertices, faces = icosphere(1)
    shape = discretize(Surface(vertices, faces), DiscretizationSettings(k=8))
    engine = TorchEngine("cpu")
    network = GraphNetwork(Architecture(inputs=3, outputs=2, width=4), engine, None)
    sums = network.gather(shape_of(shape, engine))(torch.ones(len(vertices), 1)).numpy()[:, 0]
    edges, _ = unique_edges(faces)
    np.testing.assert_allclose(6 * sums, np.bincount(edges.ravel()), rtol=1e-6)


def read_all(folder):
    list(remeshed.read(folder, "train"))
    for kind in remeshed.KINDS:
        list(remeshed.read(folder, "test", kind))


def missing(folder):
    (folder / "iso" / "tr_reg_iso_004.txt").unlink()


def too_few(folder):
    (folder / "registrations" / "tr_reg_000.ply").unlink()


def other_connectivity(folder):
    path = folder / "registrations" / "tr_reg_001.ply"
    surface = read_mesh(path)
    remeshed.write_ply(path, Surface(surface.vertices, surface.faces[::-1]))


def one_label_short(folder):
    path = folder / "qes" / "tr_reg_qes_004.txt"
    path.write_text("\n".join(path.read_text().split()[1:]))


def unknown_vertex(folder):
    path = folder / "mc" / "tr_reg_mc_004.txt"
    path.write_text("\n".join(["999", *path.read_text().split()[1:]]))


def no_normals(folder):
    path = folder / "cloud" / "tr_reg_cloud_004.ply"
    remeshed.write_ply(path, Surface(remeshed.read_cloud(path).vertices))


def no_mesh(folder):
    (folder / "dense" / "tr_reg_dense_004.ply").write_bytes(b"ply\nnothing")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (missing, "tr_reg_iso_004.txt is missing"),
        (too_few, "4 files"),
        (other_connectivity, "tr_reg_001.ply has another connectivity"),
        (one_label_short, "places for them"),
        (unknown_vertex, "names vertices"),
        (no_normals, "points with normals"),
        (no_mesh, "tr_reg_dense_004.ply"),
    ],
)
def test_a_folder_that_is_no_such_data_set_is_told(copied, spoil, told):
    spoil(copied)
    with pytest.raises(DiffusionNetError, match=told) as error:
        read_all(copied)
    assert error.value.fix


def test_meshes_that_do_not_correspond_are_not_remeshed(copied, tmp_path):
    assert len(list(in_correspondence(copied / "registrations"))) == 5
    other_connectivity(copied)
    with pytest.raises(DiffusionNetError, match="another connectivity"):
        list(in_correspondence(copied / "registrations"))
    with pytest.raises(DiffusionNetError, match="0 meshes"):
        list(in_correspondence(tmp_path / "nowhere"))


@pytest.mark.parametrize("experiment", [discretizations, basis_size])
def test_the_page_shows_what_is_kept(experiment):
    tables = discretization_figures.tables if experiment is discretizations else basis_size.tables
    kept = results.kept(experiment.NAME)
    assert tables(kept) in results.DOCUMENT.read_text(encoding="utf-8")
