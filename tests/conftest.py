"""Blender for the tests that need it: registered once, a fresh file each; and a tiny model."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

PACKAGING = Path(__file__).with_name("packaging")
# The longest takes some minutes.
SLOW_SECONDS = 1800
STATUS = pytest.StashKey[int]()
MODEL = "tiny"
CLASSES = ("head", "torso", "upper_arm.L", "upper_arm.R")
COLOURS = ((0.9, 0.1, 0.1), (0.1, 0.8, 0.2), (0.2, 0.3, 0.9), (0.9, 0.8, 0.1))


def pytest_collection_modifyitems(config, items):
    """Give more time to what is slow, and to what downloads wheels first."""
    if config.pluginmanager.hasplugin("timeout"):
        for item in items:
            if item.get_closest_marker("slow") or PACKAGING in item.path.parents:
                item.add_marker(pytest.mark.timeout(SLOW_SECONDS))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    session.config.stash[STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """Leave at once: the module bpy 4.2 crashes while the interpreter winds down."""
    if "bpy" in sys.modules and STATUS in config.stash:
        import bpy

        from diffusionnet_blender.leftovers import mark_temporary, remove_temporary

        # Blender's own end would remove it.
        mark_temporary(Path(bpy.app.tempdir))
        remove_temporary(Path(bpy.app.tempdir))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[STATUS])


def _user_data(tmp_path_factory) -> Path:
    """Point the user's folders of this process, and of those it starts, to a temporary one."""
    folder = tmp_path_factory.mktemp("user")
    for variable in ("XDG_DATA_HOME", "LOCALAPPDATA", "BLENDER_USER_RESOURCES"):
        os.environ[variable] = str(folder)
    return folder / "diffusionnet_blender"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """An untrained network with seeded weights, in the user's library; path of its weights."""
    from diffusionnet_blender.network.architecture import Architecture
    from diffusionnet_blender.network.card import ModelCard
    from diffusionnet_blender.network.checkpoint import Model, save_model
    from diffusionnet_blender.surface.settings import DiscretizationSettings

    architecture = Architecture(inputs=3, outputs=len(CLASSES), width=8, blocks=1)
    card = ModelCard(
        name=MODEL,
        title="Tiny",
        class_names=CLASSES,
        class_colours=COLOURS,
        features=("xyz",),
        architecture=architecture,
        discretization=DiscretizationSettings(k=12),
        description="Untrained, for tests",
        licence="CC0-1.0",
        accuracy={"nothing": 0.25},
    )
    # Without biases the outputs follow the position, so that every class appears somewhere.
    scales = {"time": 0.001, "bias": 0.0, "last.weight": 0.1}
    random = np.random.default_rng(7)
    weights = {}
    for name, shape in architecture.weight_shapes().items():
        scale = next((s for end, s in scales.items() if name.endswith(end)), 1.0)
        weights[name] = scale * random.standard_normal(shape)
        if name.endswith("time"):
            weights[name] = np.abs(weights[name])
    return save_model(Model(card, weights), _user_data(tmp_path_factory) / "models")


@pytest.fixture(scope="session")
def addon(tiny_model):
    """The extension, registered; an error that nobody foresaw is raised, not reported."""
    pytest.importorskip("bpy")
    import diffusionnet_blender

    os.environ["DIFFUSIONNET_RERAISE"] = "1"
    diffusionnet_blender.register()
    yield diffusionnet_blender
    # bpy as a Python module crashes at exit while classes are registered.
    diffusionnet_blender.unregister()


@pytest.fixture
def blender(addon):
    """The module bpy, with Blender's default scene less its cube, the tiny model chosen."""
    import bpy

    bpy.ops.wm.read_homefile(app_template="", use_factory_startup=True)
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    bpy.context.scene.diffusionnet.model = MODEL
    return bpy
