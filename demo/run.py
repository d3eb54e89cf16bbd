"""Segment a character in a Blender without a window, and show what came out.

python -m demo.run                          # samples/cleo.glb, into build/demo
python -m demo.run --character my_own.fbx

Writes NAME.blend, which opens with the parts showing, and NAME.png, the character before and after.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from math import radians
from pathlib import Path
from time import perf_counter

import bpy
from mathutils import Euler

from demo import studio
from demo.extension import demonstrate, leave, parser_of
from diffusionnet_blender.scene.files import open_file

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--character", type=Path, default=ROOT / "samples" / "cleo.glb")
    parser.add_argument("--model", default="body_parts", help="name, or path of a .safetensors")
    options = parser.parse_args()
    return demonstrate(
        lambda: show(options.character, options.model, options.output), f"{options.character}: "
    )


def show(path: Path, model: str, output: Path) -> None:
    """Segment the character in a file; write the .blend and the picture, print the tables."""
    output.mkdir(parents=True, exist_ok=True)
    blend = output.resolve() / f"{path.stem}.blend"
    picture = blend.with_suffix(".png")
    seconds = {}

    clock = perf_counter()
    with quietly():
        characters = [item for item in open_file(path) if item.visible_get()]
    for character in characters:
        character.select_set(True)
    bpy.context.view_layer.objects.active = characters[0]
    seconds["open the file"] = perf_counter() - clock

    clock = perf_counter()
    bpy.ops.diffusionnet.segment(model=model)
    seconds["segment"] = perf_counter() - clock
    print_parts(characters)

    clock = perf_counter()
    frame_in_viewports(characters)
    with quietly():
        bpy.ops.file.pack_all()
        bpy.ops.wm.save_as_mainfile(filepath=str(blend), compress=True)
    seconds["save the .blend"] = perf_counter() - clock

    clock = perf_counter()
    print("\nRendering ...", flush=True)
    with quietly():
        photograph(characters, picture)
    seconds["render the picture"] = perf_counter() - clock

    print_seconds(seconds)
    print(f"\nOpen in Blender:  {blend}\nPicture:          {picture}")


@contextmanager
def quietly():
    """Keep what Blender's own code prints off the terminal; errors are raised all the same."""
    sys.stdout.flush()
    terminal = os.dup(1)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(terminal, 1)
        os.close(terminal)


def print_parts(objects: list[bpy.types.Object]) -> None:
    """Print a table of the parts of a character, over all of its objects."""
    parts: dict[str, tuple[int, float]] = {}
    for mesh in (item.data for item in objects):
        print(f"{mesh.name}: {len(mesh.vertices):,} vertices, {len(mesh.polygons):,} faces")
        for part in mesh.diffusionnet.parts:
            faces, area = parts.get(part.name, (0, 0.0))
            parts[part.name] = faces + part.face_count, area + part.area
    whole_faces, whole = map(sum, zip(*parts.values(), strict=True))
    print(f"\n{'part':<14}{'faces':>8}{'area':>12}{'share':>9}")
    for name, (faces, area) in parts.items():
        print(f"{name:<14}{faces:>8,}{area:>9.3f} m²{area / whole:>9.1%}")
    print(f"{'all':<14}{whole_faces:>8,}{whole:>9.3f} m²{1:>9.1%}")


def print_seconds(seconds: dict[str, float]) -> None:
    """Print how long each step took."""
    print(f"\n{'step':<24}{'seconds':>9}")
    for step, taken in seconds.items():
        print(f"{step:<24}{taken:>9.2f}")


def frame_in_viewports(characters: list[bpy.types.Object]) -> None:
    """Let every viewport of the file show the parts, the characters in its middle."""
    low, high = studio.bounds(characters)
    for screen in bpy.data.screens:
        for area in screen.areas:
            if area.type != "VIEW_3D":
                continue
            space = area.spaces.active
            space.show_region_ui = True
            space.shading.type = "SOLID"
            space.shading.color_type = "VERTEX"
            view = space.region_3d
            view.view_perspective = "PERSP"
            view.view_rotation = Euler((radians(80), 0, radians(-25))).to_quaternion()
            view.view_location = (low + high) / 2
            view.view_distance = 1.5 * (high - low).length


def photograph(characters: list[bpy.types.Object], picture: Path) -> None:
    """Render the characters as they came, and beside that in the colours of their parts."""
    before = [still(character) for character in characters]
    after = [still(character) for character in characters]
    for item in after:
        colours = item.data.color_attributes.active_color.name
        item.data.materials.clear()
        item.data.materials.append(studio.painted(colours))
    for item in list(bpy.context.scene.objects):
        item.hide_render = item not in (*before, *after)
    legend = {
        part.name: tuple(part.color)
        for part in characters[0].data.diffusionnet.parts
        if any(item.data.diffusionnet.parts[part.name].vertex_count for item in characters)
    }
    studio.photograph(before, after, list(legend.items()), picture)


def still(character: bpy.types.Object) -> bpy.types.Object:
    """Copy an object as it is shown, without its rig, its modifiers and its parents."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    evaluated = character.evaluated_get(depsgraph)
    mesh = bpy.data.meshes.new_from_object(evaluated, depsgraph=depsgraph)
    copy = bpy.data.objects.new(character.name, mesh)
    copy.matrix_world = character.matrix_world
    bpy.context.scene.collection.objects.link(copy)
    return copy


if __name__ == "__main__":
    leave(main())
