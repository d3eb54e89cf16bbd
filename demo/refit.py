"""Fit one character's clothes to another's body, and show what came out.

python -m demo.refit                     # Cleo's clothes on Bo, into build/demo

Writes refit.blend and refit.png: both as they came, and the target dressed, from front and back.
"""

from __future__ import annotations

from math import pi
from pathlib import Path

import bpy

from demo import studio
from demo.extension import demonstrate, leave, parser_of
from demo.run import quietly, still

ROOT = Path(__file__).resolve().parent.parent
TURN = studio.QUARTER_TURN * 0.6
SKIN = (0.62, 0.45, 0.36)


def main() -> int:
    parser = parser_of(__doc__)
    options = parser.parse_args()
    return demonstrate(lambda: show(options.output.resolve()))


def show(output: Path) -> None:
    """Refit the sample's clothes, and write the .blend and the picture."""
    output.mkdir(parents=True, exist_ok=True)
    with quietly():
        bpy.ops.wm.open_mainfile(filepath=str(ROOT / "samples" / "bo.blend"))
        bpy.ops.import_scene.gltf(filepath=str(ROOT / "samples" / "cleo.glb"))
    bo = bpy.data.objects["Bo"]
    shown = [obj for obj in bpy.context.view_layer.objects if obj.visible_get()]
    cleo = [
        obj for obj in shown if obj.type == "MESH" and obj not in (bo, bpy.data.objects["Body"])
    ]
    bpy.ops.diffusionnet.refit(source="Body", target="Bo")
    made = list(bpy.context.selected_objects)
    with quietly():
        bpy.ops.wm.save_as_mainfile(filepath=str(output / "refit.blend"), compress=True)
    print("Rendering ...", flush=True)
    figures = [
        [still(bpy.data.objects["Body"]), *map(still, cleo)],
        [still(bo)],
        [still(bo), *map(still, made)],
        [still(bo), *map(still, made)],
    ]
    skin = studio.matte("Skin of Bo", SKIN)
    for figure in figures[1:]:
        figure[0].data.materials.clear()
        figure[0].data.materials.append(skin)
    with quietly():
        studio.line_up(figures, [TURN, TURN, TURN, TURN + pi], output / "refit.png")
    print(f"Open in Blender:  {output / 'refit.blend'}\nPicture:          {output / 'refit.png'}")


if __name__ == "__main__":
    leave(main())
