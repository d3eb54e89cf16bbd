"""Bend one sample character onto the other, and show its mesh before and after.

python -m demo.conform                   # Ada's mesh in the shape of Bo, into build/demo

Writes conform.blend and conform.png: Ada, Bo, and Ada's mesh on Bo from front and back, each mesh
with its edges.
"""

from __future__ import annotations

import argparse
import os
import sys
from math import pi
from pathlib import Path

import bpy

from demo import studio
from demo.extension import demonstrate
from demo.run import quietly, still

ROOT = Path(__file__).resolve().parent.parent
TURN = studio.QUARTER_TURN * 0.6
SKIN, OTHER, INK = (0.62, 0.45, 0.36), (0.45, 0.5, 0.55), (0.03, 0.035, 0.05)
# Of the edges, in metres.
THICKNESS = 0.0022


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "demo", metavar="DIR")
    options = parser.parse_args()
    return demonstrate(lambda: show(options.output.resolve()))


def show(output: Path) -> None:
    """Conform the sample, and write the .blend and the picture."""
    output.mkdir(parents=True, exist_ok=True)
    with quietly():
        bpy.ops.wm.open_mainfile(filepath=str(ROOT / "samples" / "bo.blend"))
        bpy.ops.import_scene.gltf(filepath=str(ROOT / "samples" / "ada.glb"))
    bo = bpy.data.objects["Bo"]
    ada = next(o for o in bpy.context.selected_objects if o.type == "MESH")
    bpy.ops.diffusionnet.conform(source=ada.name, target="Bo")
    made = bpy.context.view_layer.objects.active
    with quietly():
        bpy.ops.wm.save_as_mainfile(filepath=str(output / "conform.blend"), compress=True)
    print("Rendering ...", flush=True)
    skins = {ada: studio.matte("Skin of Ada", SKIN), bo: studio.matte("Skin of Bo", OTHER)}
    ink = studio.matte("Edges", INK)
    shapes = ((ada, ada), (bo, bo), (made, ada), (made, ada))
    figures = [figure(shape, skins[skin], ink) for shape, skin in shapes]
    # What was made stands as Bo does in the world, and not as he was modelled.
    turned = TURN - bo.matrix_world.to_euler().z
    with quietly():
        studio.line_up(figures, [TURN, TURN, turned, turned + pi], output / "conform.png")
    print(f"Open in Blender:  {output / 'conform.blend'}")
    print(f"Picture:          {output / 'conform.png'}")


def figure(shape: bpy.types.Object, skin, ink) -> list[bpy.types.Object]:
    """A still of a shape in one colour, and one of its edges."""
    surface, edges = still(shape), still(shape)
    for obj, material in ((surface, skin), (edges, ink)):
        obj.data.materials.clear()
        obj.data.materials.append(material)
    wires = edges.modifiers.new("Wireframe", "WIREFRAME")
    wires.thickness, wires.use_replace = THICKNESS, True
    # Even wires shoot out of slivers.
    wires.use_even_offset = False
    return [surface, edges]


if __name__ == "__main__":
    status = main()
    # The bpy module's own shutdown reports the sidebar that was opened as memory not freed.
    sys.stdout.flush()
    os._exit(status)
