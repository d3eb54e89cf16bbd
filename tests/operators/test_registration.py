"""Enabling and disabling the extension."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytest.importorskip("bpy")


def run(code):
    """Run code in a Python of its own; what it printed."""
    # The module bpy 4.2 crashes at exit once a property had a Python callback.
    leave = "\nimport os, sys\nsys.stdout.flush()\nos._exit(0)\n"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code) + leave],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_registers_twice_and_leaves_nothing_behind():
    out = run("""
        import bpy
        import diffusionnet_blender

        def traces():
            types = [bpy.types.Scene, bpy.types.Mesh]
            return (
                sorted(name for name in dir(bpy.types) if "DIFFUSIONNET" in name.upper()),
                [name for name in dir(bpy.ops.diffusionnet)],
                [hasattr(kind, "diffusionnet") for kind in types],
                [h.__name__ for h in bpy.app.handlers.load_pre],
                len(bpy.types.VIEW3D_MT_object.draw._draw_funcs)
                if hasattr(bpy.types.VIEW3D_MT_object.draw, "_draw_funcs") else 1,
            )

        clean = traces()
        for _ in range(2):
            diffusionnet_blender.register()
            assert traces() != clean
            assert {"segment", "write_labels", "select_part"} <= set(dir(bpy.ops.diffusionnet))
            diffusionnet_blender.unregister()
            assert traces() == clean, (traces(), clean)
        print("clean")
    """)
    assert "clean" in out


def test_registering_loads_nothing_heavy():
    out = run("""
        import sys
        import bpy
        import diffusionnet_blender
        diffusionnet_blender.register()
        print([name for name in ("scipy", "torch", "robust_laplacian") if name in sys.modules])
        diffusionnet_blender.unregister()
    """)
    assert out.splitlines()[-1] == "[]"


def test_works_as_an_extension(tmp_path):
    """Under the name that Blender gives it, with preferences and folders of its own."""
    out = run(f"""
        import os
        os.environ["BLENDER_USER_RESOURCES"] = {str(tmp_path)!r}
        import bpy
        from pathlib import Path
        folder = Path(bpy.utils.user_resource("EXTENSIONS", path="user_default", create=True))
        (folder / "diffusionnet_blender").symlink_to({str(ROOT / "diffusionnet_blender")!r})
        bpy.ops.wm.read_homefile(app_template="", use_factory_startup=True)
        name = "bl_ext.user_default.diffusionnet_blender"
        assert bpy.ops.preferences.addon_enable(module=name) == {{"FINISHED"}}
        preferences = bpy.context.preferences.addons[name].preferences
        preferences.engine = "numpy"
        preferences.model_folder = "/somewhere"
        import importlib, sys
        settings = sys.modules[name + ".settings"].settings()
        assert settings.engine == "numpy"
        assert settings.model_folder == Path("/somewhere")
        assert {str(tmp_path)!r} in str(settings.cache_folder)
        assert "diffusionnet_blender" not in sys.modules
        print(bpy.context.scene.diffusionnet.model, bpy.ops.diffusionnet.segment.poll())
        assert bpy.ops.preferences.addon_disable(module=name) == {{"FINISHED"}}
        assert not hasattr(bpy.types.Mesh, "diffusionnet")
        print("done")
    """)
    assert out.splitlines()[-1] == "done"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["models", "list"], 0), (["--help"], 0), (["fly"], 2), (["models", "info", "nobody"], 1)],
)
def test_the_command_of_blender_returns_its_status(arguments, status, addon):
    assert addon._run_command(arguments) == status


@pytest.mark.usefixtures("blender")
def test_panels_name_operators_and_properties_that_exist():
    """The recording layout refuses names that Blender has not."""
    import bpy
    from bl_ui.utils import PresetPanel

    from diffusionnet_blender import panels
    from tests.operators.recording import Interface
    from tests.scenes import add_body, add_rig, chain, select

    body, hat = add_body(), add_body("Hat", scale=(0.3, 0.3, 0.2))
    hat.parent = add_rig(body, chain("spine"))
    select(body)
    bpy.ops.diffusionnet.segment()
    drawn = Interface()
    # How presets are drawn is Blender's own code.
    others = (PresetPanel, bpy.types.AddonPreferences, bpy.types.UIList)
    for cls in panels.CLASSES:
        if not issubclass(cls, others):
            assert not hasattr(cls, "poll") or cls.poll(bpy.context)
            drawn.draw(cls, bpy.context)
    legend = bpy.context.object.data.diffusionnet
    rows = [(panels.parts.DIFFUSIONNET_UL_parts, legend, legend.parts[0])]
    chosen = bpy.context.scene.diffusionnet.transfer
    rows.append((panels.transfer.DIFFUSIONNET_UL_pins, chosen, chosen.pins.add()))
    for cls, data, item in rows:
        cls.draw_item(None, bpy.context, drawn.layout, data, item, 0, data, "", 0)
    assert drawn.names >= {"diffusionnet.segment", "diffusionnet.select_part", "model"}
