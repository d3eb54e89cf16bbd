"""Two surfaces are matched from end to end, whatever state they come in."""

from dataclasses import replace

import numpy as np
import pytest

from diffusionnet_blender.errors import Cancelled, DiffusionNetError
from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.match import fit_pair, main_part, maps, match
from tests.matching.pairs import lumpy_surface, mapped_directions
from tests.shapes import icosphere, joined, lumpy_body, random_rotation

# Mean edge of the coarse meshes here, in radians: what a right map may be off by a part of.
EDGE = 0.15


@pytest.fixture(scope="module")
def pair():
    """A body, and the same body in other triangles, turned, ten times as large."""
    source, source_directions = lumpy_surface(3)
    target, target_directions = lumpy_surface(3, seed=6)
    target = Surface(10 * target.vertices @ random_rotation(4).T + [5, 0, 0], target.faces)
    return source, source_directions, target, target_directions


def error(found, pair):
    source, directions, _, wanted = pair
    away = mapped_directions(found.target_to_source, source, directions) - wanted
    return np.linalg.norm(away, axis=1)


def test_two_of_a_kind_are_matched_without_a_model(pair):
    stages = []
    found = match(pair[0], pair[2], None, progress=lambda stage, fraction: stages.append(stage))
    assert error(found, pair).mean() < EDGE / 5
    assert found.model_name == ""
    assert not found.judgement.mirrored
    assert found.judgement.rigid_residual < 0.05
    assert np.median(found.confidence) > 0.8
    assert set(found.seconds) <= set(stages)
    assert {"eigenbasis", "map", "lift"} <= set(found.seconds)


def test_pins_are_honoured_exactly(pair):
    on_source = np.array([11, 77, 300, 500])
    nearest = (pair[1][on_source] @ pair[3].T).argmax(axis=1)
    found = match(pair[0], pair[2], None, pins=np.stack([on_source, nearest], axis=1))
    pinned = found.target_to_source[nearest]
    np.testing.assert_array_equal(pinned.nearest_vertex(pair[0].faces), on_source)
    np.testing.assert_allclose(pinned.barycentric.max(axis=1), 1)
    assert error(found, pair).mean() < EDGE / 1.5


def test_dense_meshes_are_matched_by_their_proxies(pair, monkeypatch):
    monkeypatch.setattr(main_part, "PROXY_VERTICES", 600)
    source, directions = lumpy_surface(4)
    dense = (source, directions, *pair[2:])
    on_source = np.array([11, 77, 300, 500])
    nearest = (directions[on_source] @ pair[3].T).argmax(axis=1)
    found = match(source, pair[2], None, pins=np.stack([on_source, nearest], axis=1))
    assert len(found.confidence) == len(pair[2].vertices)
    assert error(found, dense).mean() < EDGE / 1.5


@pytest.mark.slow
def test_the_map_is_in_the_order_and_on_the_faces_of_what_was_handed_in(pair):
    """Doubled vertices, a face without an area, a vertex of no face, winding inside out."""
    source, directions, target, wanted = pair
    order = np.random.default_rng(0).permutation(len(source.vertices))
    place = np.argsort(order)
    messy = Surface(
        np.concatenate([source.vertices[order], source.vertices[:3], [[0, 0, 0]]]),
        np.concatenate([place[source.faces][:, ::-1], [[0, 0, 1]]]),
    )
    messy_directions = np.concatenate([directions[order], directions[:3], [[0, 0, 1.0]]])
    found = match(messy, target, None)
    assert found.repairs[0].degenerate_faces == 1
    assert (found.target_to_source.face < len(messy.faces)).all()
    assert error(found, (messy, messy_directions, target, wanted)).mean() < EDGE / 1.5


def test_shapes_that_cannot_be_matched_are_refused(pair):
    with pytest.raises(DiffusionNetError, match="no faces"):
        match(Surface(pair[0].vertices), pair[2], None)
    with pytest.raises(DiffusionNetError, match="only 12 vertices"):
        match(pair[0], Surface(*icosphere(0)), None)
    with pytest.raises(DiffusionNetError, match="pins"):
        match(pair[0], pair[2], None, pins=np.array([[1, 10**6]]))


def test_loose_parts_are_matched_too(pair):
    ball, ball_faces = icosphere(1)
    eyes = [(0.15 * ball + [x, 0.55, 1.2], ball_faces) for x in (-0.3, 0.3)]
    source = Surface(*joined((pair[0].vertices, pair[0].faces), *eyes))
    found = match(source, source, None)
    position = found.target_to_source.interpolate(source.vertices, source.faces)
    assert np.linalg.norm(position - source.vertices, axis=1).mean() < 0.05


def test_the_features_of_a_model_are_used(pair):
    architecture = Architecture(inputs=32, outputs=24, width=24, blocks=2)
    card = ModelCard("few", "Few", (), (), ("hks", "wks"), architecture,
                     discretization=DiscretizationSettings(k=48))  # fmt: skip
    rng = np.random.default_rng(0)
    weights = {
        name: np.abs(0.2 * rng.standard_normal(shape)).astype(np.float32)
        if name.endswith("time")
        else 0.2 * rng.standard_normal(shape).astype(np.float32)
        for name, shape in architecture.weight_shapes().items()
    }
    found = match(pair[0], pair[2], Model(card, weights), engine="numpy")
    assert found.model_name == "few"
    assert error(found, pair).mean() < EDGE / 3
    assert not found.judgement.mirrored


@pytest.mark.slow
def test_a_fitted_network_is_believed_only_where_its_map_is_better(pair, monkeypatch):
    """A few steps teach nothing new: the map from before is the better one."""
    pytest.importorskip("torch", reason="fitting needs torch")
    from diffusionnet_blender.network import pair_fit

    monkeypatch.setattr(pair_fit, "SETTINGS", replace(pair_fit.SETTINGS, steps=4))
    monkeypatch.setattr(fit_pair, "COARSE_VERTICES", 200)
    stages = []
    told = {"progress": lambda stage, fraction: stages.append(stage)}
    found = match(pair[0], pair[2], None, fit=True, **told)
    assert "fit" in stages
    assert found.fit == "no better"
    assert error(found, pair).mean() < EDGE / 5

    def stop(stage, fraction):
        if stage == "fit" and fraction > 0.4:
            raise Cancelled

    with pytest.raises(Cancelled):
        match(pair[0], pair[2], None, fit=True, progress=stop)


@pytest.mark.slow
def test_a_map_in_doubt_is_refined_anew_and_without_torch_no_network_is_fitted(pair, monkeypatch):
    monkeypatch.setattr(maps, "CONSISTENT_AREA", 1.1)
    stages = []
    told = {"progress": lambda stage, fraction: stages.append(stage)}
    found = match(pair[0], pair[2], None, fit=True, engine="numpy", **told)
    assert "map" in stages[stages.index("registration") :]
    assert "fit" not in stages
    assert found.fit == "no torch"
    assert error(found, pair).mean() < EDGE / 5


def test_a_match_can_be_stopped(pair):
    def stop(stage, fraction):
        if stage == "map":
            raise Cancelled

    with pytest.raises(Cancelled):
        match(pair[0], pair[2], None, progress=stop)


def test_the_smallest_meshes_are_matched_with_finer_ones():
    """Fewer vertices than a first map has eigenpairs: the map between the bases is no square."""
    small, fine = Surface(*lumpy_body(1)), Surface(*lumpy_body(2))
    for source, target in ((small, fine), (fine, small), (small, small)):
        found = match(source, target, None)
        assert len(found.confidence) == len(target.vertices)
        assert (found.target_to_source.face < len(source.faces)).all()
