"""Rig the sample characters, and show their joints and how they bend.

python -m demo.rig                     # into build/demo/rig.png and .webp, a .blend for each
python -m demo.rig --model animal_parts samples/dana.glb horse.glb      # rig_animals.png and .webp

Drawn without a graphics card, in the colours of the bones that hold the surface.
"""

from __future__ import annotations

import sys
from pathlib import Path

import bpy
import numpy as np
from PIL import Image, ImageDraw

from benchmarks.raster import MARGIN, picture
from demo.extension import demonstrate, leave, parser_of
from diffusionnet_blender.scene.files import open_file
from diffusionnet_blender.scene.rig_check import (
    ANIMAL_POSES,
    POSES,
    kind_of,
    set_pose,
    use_forward_kinematics,
)
from diffusionnet_blender.scene.skeletons import read_skeleton_of
from diffusionnet_blender.surface.winding import vertex_normals
from diffusionnet_blender.tasks.models import ANIMAL_PARTS_MODEL, DEFAULT_MODEL
from diffusionnet_blender.tasks.rig.kinds import KINDS
from training.parts import ANIMAL_COLOURS, COLOURS

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ("ada.glb", "bo.blend", "cleo.glb")
HEIGHT = 460
# Pixels of the widest picture: animals are long.
WIDEST = 2400
# About the vertical, in radians.
TURN, FROM_THE_SIDE = 0.55, 1.5
SHOWN = ("Arms Up", "Elbows Bent", "Squat", "Head Turned")
SHOWN_OF_ANIMALS = ("Front Legs Bent", "Hind Legs Bent", "Head Turned", "Head Bowed")
CLAY = (0.82, 0.8, 0.77)
BONE, JOINT = (35, 35, 40), (205, 45, 35)


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="by default the samples")
    parser.add_argument("--kind", default="rigify")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="chosen in the panel Segment")
    chosen = parser.parse_args()
    files = chosen.files or [ROOT / "samples" / name for name in SAMPLES]
    return demonstrate(lambda: show(files, chosen.kind, chosen.model, chosen.output.resolve()))


def show(files: list[Path], kind: str, model: str, output: Path) -> None:
    """Rig each character, and write the picture."""
    output.mkdir(parents=True, exist_ok=True)
    rows = []
    for path in files:
        rig, _ = rigged(path, kind, model=model)
        bpy.ops.wm.save_as_mainfile(filepath=str(output / f"rig_{path.stem}.blend"), copy=True)
        rows.append(views(rig))
        print(f"{path.name}: {rig.name}", file=sys.stderr)
    width = max(sum(view.width for view in row) for row in rows)
    sheet = Image.new("RGB", (width, HEIGHT * len(rows)), "white")
    for number, row in enumerate(rows):
        gap = (width - sum(view.width for view in row)) // max(len(row) - 1, 1)
        x = 0
        for view in row:
            sheet.paste(view, (x, HEIGHT * number))
            x += view.width + gap
    sheet.thumbnail((WIDEST, sheet.height))
    name = "rig_animals" if model == ANIMAL_PARTS_MODEL else "rig"
    sheet.save(output / f"{name}.png")
    sheet.save(output / f"{name}.webp", quality=82)
    print(output / f"{name}.webp")


def rigged(
    path: Path, kind: str, held: bool = True, model: str = DEFAULT_MODEL
) -> tuple[bpy.types.Object, bpy.types.Object]:
    """Open a file, take its own rig away, and press *Rig*; the new one, and a mesh.

    Parameters
    ----------
    path : Path
    kind : str
    held : bool
        Keep what hangs on the bones of hands.
    model : str
        Chosen in the panel Segment: one of animals for these.
    """
    objects = [obj for obj in open_file(path) if obj.visible_get()]
    if not held:
        for obj in [o for o in objects if "hand" in o.parent_bone]:
            objects.remove(obj)
            bpy.data.objects.remove(obj)
    for obj in objects:
        place = obj.matrix_world.copy()
        for modifier in [m for m in obj.modifiers if m.type == "ARMATURE"]:
            obj.modifiers.remove(modifier)
        obj.vertex_groups.clear()
        obj.parent = None
        obj.matrix_world = place
    for obj in [obj for obj in bpy.data.objects if obj.type in {"ARMATURE", "EMPTY"}]:
        bpy.data.objects.remove(obj)
    bpy.context.view_layer.update()
    for obj in bpy.context.view_layer.objects:
        obj.select_set(obj in objects)
    bpy.context.view_layer.objects.active = objects[0]
    bpy.context.scene.diffusionnet.model = model
    bpy.ops.diffusionnet.rig(kind=kind)
    modifier = next(m for m in objects[0].modifiers if m.type == "ARMATURE")
    return modifier.object, objects[0]


def views(rig: bpy.types.Object) -> list[Image.Image]:
    """The joints of a figure from two sides, and its poses."""
    colours = colours_of(rig)
    found = [view(colours, TURN, rig), view(colours, FROM_THE_SIDE, rig)]
    use_forward_kinematics(rig)
    is_animal = KINDS[kind_of(rig)].four_legs
    poses = dict(ANIMAL_POSES if is_animal else POSES)
    for name in SHOWN_OF_ANIMALS if is_animal else SHOWN:
        set_pose(rig, poses[name])
        bpy.context.view_layer.update()
        found.append(view(colours, TURN))
    set_pose(rig, {})
    return found


def colours_of(rig: bpy.types.Object) -> dict[str, tuple[float, float, float]]:
    """Colour of each bone: that of the part that it moves."""
    kind = kind_of(rig)
    parts = {spec.name: spec.parts for spec in KINDS[kind].bones}
    colours = ANIMAL_COLOURS if KINDS[kind].four_legs else COLOURS
    bones = read_skeleton_of(rig, kind, np.zeros(3))
    return {
        name: colours[parts[role][0]]
        for name, role in zip(bones.names, bones.roles, strict=True)
        if parts[role]
    }


def view(
    colours: dict[str, tuple[float, float, float]], turn: float, rig: bpy.types.Object | None = None
) -> Image.Image:
    """The visible meshes as they are posed, turned about the vertical, with the joints of a rig."""
    vertices, faces, shades = [], [], []
    depsgraph = bpy.context.evaluated_depsgraph_get()
    count = 0
    for obj in bpy.context.view_layer.objects:
        if obj.type != "MESH" or not obj.visible_get() or not obj.find_armature():
            continue
        evaluated = obj.evaluated_get(depsgraph)
        mesh = evaluated.to_mesh()
        mesh.calc_loop_triangles()
        matrix = np.array(evaluated.matrix_world)
        own = np.array([vertex.co for vertex in mesh.vertices]) @ matrix[:3, :3].T + matrix[:3, 3]
        triangles = np.array([t.vertices for t in mesh.loop_triangles])
        if np.linalg.det(matrix[:3, :3]) < 0:
            triangles = triangles[:, ::-1]
        of_group = [np.array(colours.get(group.name, CLAY)) for group in obj.vertex_groups]
        shades.append(
            [
                sum((of_group[g.group] * g.weight for g in vertex.groups), np.zeros(3))
                for vertex in mesh.vertices
            ]
        )
        vertices.append(own)
        faces.append(triangles + count)
        count += len(own)
        evaluated.to_mesh_clear()
    cosine, sine = np.cos(turn), np.sin(turn)
    about = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    seen = np.concatenate(vertices) @ about.T
    triangles = np.concatenate(faces)
    image = Image.fromarray(
        picture(seen, triangles, vertex_normals(seen, triangles), np.concatenate(shades), HEIGHT)
    )
    if rig is not None:
        _draw_bones(image, rig, about, seen)
    return image


def _draw_bones(
    image: Image.Image, rig: bpy.types.Object, about: np.ndarray, seen: np.ndarray
) -> None:
    low, high = seen.min(axis=0), seen.max(axis=0)
    scale = HEIGHT * (1 - 2 * MARGIN) / (high - low)[2]
    matrix = np.array(rig.matrix_world)
    draw = ImageDraw.Draw(image)
    for bone in rig.pose.bones:
        if not bone.bone.use_deform:
            continue
        ends = [
            about @ (matrix[:3, :3] @ np.array(end) + matrix[:3, 3])
            for end in (bone.head, bone.tail)
        ]
        places = [
            (
                (end[0] - low[0]) * scale + HEIGHT * MARGIN,
                (high[2] - end[2]) * scale + HEIGHT * MARGIN,
            )
            for end in ends
        ]
        draw.line(places, fill=BONE, width=2)
        size = (
            1.5
            if (places[0][0] - places[1][0]) ** 2 + (places[0][1] - places[1][1]) ** 2 < 200
            else 3
        )
        x, y = places[0]
        draw.ellipse((x - size, y - size, x + size, y + size), fill=JOINT)


if __name__ == "__main__":
    leave(main())
