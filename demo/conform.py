"""Bend one character's mesh onto another, and show what came out.

python -m demo.conform                   # Ada onto Bo, into build/demo

Writes conform.blend and conform.png: both as they came, and the first in the shape and pose of the
second, with its texture and with its edges.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import bpy

from demo import studio
from demo.extension import demonstrate
from demo.run import quietly, still

ROOT = Path(__file__).resolve().parent.parent
TURN = studio.QUARTER_TURN * 0.6
CLAY, INK = (0.55, 0.52, 0.5), (0.03, 0.04, 0.06)
# Of an edge, as a share of the figure's height.
THICKNESS = 0.0009


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "demo", metavar="DIR")
    options = parser.parse_args()
    return demonstrate(lambda: show(options.output.resolve()))


def show(output: Path) -> None:
    """Conform the one sample to the other, and write the .blend and the picture."""
    output.mkdir(parents=True, exist_ok=True)
    with quietly():
        bpy.ops.wm.open_mainfile(filepath=str(ROOT / "samples" / "bo.blend"))
        bpy.ops.import_scene.gltf(filepath=str(ROOT / "samples" / "ada.glb"))
    ada, bo = bpy.data.objects["Ada"], bpy.data.objects["Bo"]
    bpy.ops.diffusionnet.conform(source="Ada", target="Bo")
    made = bpy.context.view_layer.objects.active
    with quietly():
        bpy.ops.wm.save_as_mainfile(filepath=str(output / "conform.blend"), compress=True)
    print("Rendering ...", flush=True)
    figures = [[still(ada)], [still(bo)], [still(made)], [still(made), with_edges(made)]]
    for figure in (figures[1], figures[3]):
        figure[0].data.materials.clear()
        figure[0].data.materials.append(studio.matte("Clay", CLAY))
    # What was bent faces as the target does, and its object has not turned.
    aside = TURN - bo.matrix_world.to_euler("XYZ").z
    with quietly():
        studio.line_up(figures, [TURN, TURN, aside, aside], output / "conform.png")
    print(f"Open in Blender:  {output / 'conform.blend'}")
    print(f"Picture:          {output / 'conform.png'}")


def with_edges(made: bpy.types.Object) -> bpy.types.Object:
    """The edges of a mesh as thin bars."""
    copy = made.copy()
    copy.data = made.data.copy()
    bpy.context.scene.collection.objects.link(copy)
    bars = copy.modifiers.new("Edges", "WIREFRAME")
    bars.thickness = THICKNESS * made.dimensions.z / made.matrix_world.median_scale
    # Even bars reach far out at sharp corners.
    bars.use_even_offset = False
    copy.data.materials.clear()
    copy.data.materials.append(studio.matte("Ink", INK))
    bpy.context.view_layer.update()
    found = still(copy)
    bpy.data.objects.remove(copy)
    return found


if __name__ == "__main__":
    status = main()
    # The bpy module's own shutdown reports the sidebar that was opened as memory not freed.
    sys.stdout.flush()
    os._exit(status)
