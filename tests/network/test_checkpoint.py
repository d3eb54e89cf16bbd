"""Models survive a round trip, and nothing but a whole model of its own card is loaded."""

import json
import pickle

import numpy as np
import pytest

from diffusionnet_blender.errors import ModelError
from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model, load_model, save_model
from diffusionnet_blender.network.published import read_published
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.tasks.models import find_model, import_published, list_models
from tests.network import golden
from tests.network.test_forward import random_weights

NETWORK = Architecture(inputs=19, outputs=2, width=8, blocks=2, mlp_widths=(12, 6), dropout=0.2)


def tiny_model(name="tiny"):
    card = ModelCard(
        name=name,
        title="Tiny",
        class_names=("up", "down"),
        class_colours=((1, 0, 0), (0, 0.5, 1)),
        features=("xyz", "hks"),
        architecture=NETWORK,
        discretization=DiscretizationSettings(k=20, centre="vertices"),
        licence="CC0-1.0",
        accuracy={"here": 0.5},
    )
    weights = {n: w.astype(np.float32) for n, w in random_weights(NETWORK).items()}
    return Model(card, weights)


def test_a_model_survives_saving(tmp_path):
    model = tiny_model()
    path = save_model(model, tmp_path)
    loaded = load_model(path)
    assert loaded.card == model.card
    for name, weight in model.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], weight)
    half = load_model(save_model(model, tmp_path / "half", half=True))
    for name, weight in model.weights.items():
        np.testing.assert_allclose(half.weights[name], weight, rtol=1e-3, atol=1e-4)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["half", "tiny.json", "tiny.safetensors"]


def test_models_are_listed_and_found_by_name_or_path(tmp_path):
    path = save_model(tiny_model("mine"), tmp_path)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "broken.safetensors").write_bytes(b"")
    assert "mine" in [card.name for card in list_models([tmp_path])]
    assert find_model("mine", [tmp_path]).card.name == "mine"
    assert find_model(str(path)).card.name == "mine"
    with pytest.raises(ModelError, match="no model 'yours'.*mine") as caught:
        find_model("yours", [tmp_path])
    assert "mine" in caught.value.fix


def test_truncated_weights_are_refused(tmp_path):
    path = save_model(tiny_model(), tmp_path)
    for kept in (0, 5, path.stat().st_size - 100):
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(ModelError, match="damaged"):
            load_model(path)


def test_weights_of_another_network_are_refused(tmp_path):
    model = tiny_model()
    path = save_model(model, tmp_path)
    card = json.loads(path.with_suffix(".json").read_text())
    for change, says in (
        ({"width": 9}, "shape"),
        ({"blocks": 3}, "another network"),
        ({"gradient": "real"}, "another network"),
    ):
        changed = {**card, "architecture": {**card["architecture"], **change}}
        path.with_suffix(".json").write_text(json.dumps(changed))
        with pytest.raises(ModelError, match=says) as caught:
            load_model(path)
        assert caught.value.fix


def test_missing_files_are_named(tmp_path):
    path = save_model(tiny_model(), tmp_path)
    path.unlink()
    with pytest.raises(ModelError, match="tiny.safetensors are missing"):
        load_model(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match="tiny.json cannot be read"):
        load_model(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 99}, "format"),
        ({"features": ["hks", "colour"]}, "unknown input features"),
        ({"features": ["hks"]}, "19"),
        ({"class_names": ["one"]}, "class_names"),
        ({"class_colours": []}, "class_colours"),
        ({"surprise": 1}, "surprise"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": "warm"}, "temperature"),
        ({"architecture": {"inputs": 19, "outputs": 2, "diffusion": "magic"}}, "magic"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(tmp_path, change, says):
    path = save_model(tiny_model(), tmp_path).with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ModelError, match=says):
        ModelCard.load(path)


def test_a_card_from_before_calibration_is_read(tmp_path):
    path = save_model(tiny_model(), tmp_path).with_suffix(".json")
    content = json.loads(path.read_text())
    del content["temperature"]
    path.write_text(json.dumps(content))
    assert ModelCard.load(path).temperature == 1.0


def test_a_card_that_is_not_json_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("weights!")
    with pytest.raises(ModelError, match="not JSON"):
        ModelCard.load(tmp_path / "x.json")


@golden.needs_published_weights
def test_published_weights_are_imported(tmp_path):
    pytest.importorskip("torch", reason="torch reads .pth files")
    card = {
        "name": "human_seg",
        "class_names": [f"part {i}" for i in range(8)],
        "class_colours": [[0.1 * i] * 3 for i in range(8)],
        "features": ["xyz"],
        "architecture": {"output_at": "faces"},
        "licence": "MIT",
    }
    source = golden.PUBLISHED / "human_seg_xyz_4x128.pth"
    path = import_published(source, card, tmp_path)
    model = load_model(path)
    assert model.card.architecture.width == 128
    assert model.card.discretization.gradient_regulariser == "published"
    assert model.card.discretization.centre == "vertices"
    original = read_published(source)
    np.testing.assert_array_equal(
        model.weights["block_3.time"], original["block_3.diffusion.diffusion_time"]
    )
    with pytest.raises(ModelError, match="already has"):
        import_published(source, card, tmp_path)
    with pytest.raises(ModelError, match="channels"):
        import_published(source, {**card, "name": "other", "features": ["hks"]}, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


class Surprise:
    def __reduce__(self):
        return print, ("this must never be printed",)


def test_a_pth_that_holds_more_than_tensors_is_never_run(tmp_path, capsys):
    torch = pytest.importorskip("torch", reason="torch reads .pth files")
    path = tmp_path / "evil.pth"
    for write in (
        lambda: torch.save({"first_lin.weight": Surprise()}, path),
        lambda: path.write_bytes(pickle.dumps(Surprise())),
        lambda: path.write_bytes(b"no torch file"),
        lambda: torch.save({"epoch": 3}, path),
        lambda: torch.save([torch.ones(3)], path),
    ):
        write()
        with pytest.raises(ModelError, match="plain tensors") as caught:
            read_published(path)
        assert "state_dict" in caught.value.fix
    assert "never be printed" not in capsys.readouterr().out


def test_a_pth_of_another_network_is_refused(tmp_path):
    torch = pytest.importorskip("torch", reason="torch reads .pth files")
    path = tmp_path / "resnet.pth"
    torch.save({"conv1.weight": torch.ones(3, 3)}, path)
    with pytest.raises(ModelError, match="not the weights of a DiffusionNet"):
        import_published(path, {"name": "x", "class_names": [], "features": ["hks"]}, tmp_path)
    with pytest.raises(ModelError, match="no file"):
        read_published(tmp_path / "nothing.pth")
