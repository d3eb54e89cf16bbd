"""One cell of the contact sheets: a character in the texture of another, seen from the front.

python -m demo.textured_pair SOURCE TARGET CELL      # of one file: as it is

Writes CELL.textures.png, CELL.pattern.png, in the pattern of `demo.tracking_pattern` painted on the
source, and CELL.json, how sure the match was.

Characters come as their files have them, and are matched and textured by the operators of the
extension. What is carried in hands or on the head takes part in the match and is not shown.
`demo.contact_sheet` calls this for each cell: a process of its own for each, since Blender as a
module keeps what it has read.
"""

from __future__ import annotations

import argparse
import json
import sys
from math import radians
from pathlib import Path
from time import perf_counter

import bpy
import numpy as np
from mathutils import Matrix

from demo import studio, tracking_pattern
from demo.extension import demonstrate, leave
from demo.run import quietly, still
from diffusionnet_blender.scene.character import Character, characters_of
from diffusionnet_blender.scene.files import add_file, open_file
from diffusionnet_blender.scene.match_jobs import read_to_match
from diffusionnet_blender.scene.matches import find_match
from diffusionnet_blender.tasks.models import DEFAULT_MATCH_MODEL

# Height of the figures, in metres and pixels, and the air around them.
SIZE, HEIGHT, AIR = 1.0, 500, 0.05
# The source as it came, and painted to be followed; one match is for both.
TEXTURES, PATTERN = "textures", "pattern"
KINDS = (TEXTURES, PATTERN)
# Of each new image, in pixels: as much as is seen.
TEXTURE = 512
# Between a source and a target in one scene, in their sizes: nobody wears the other.
APART = 5.0
# By the first word of what an object of a dressed character is called, linear; the rest is cloth.
COLOURS = {
    "Body": (0.46, 0.25, 0.16),
    "Hair": (0.045, 0.018, 0.010),
    "Eyebrows": (0.05, 0.02, 0.014),
    "Eyelashes": (0.01, 0.01, 0.01),
    "Eyes": (0.85, 0.85, 0.83),
    "Eye": (0.85, 0.85, 0.83),
    "Teeth": (0.80, 0.78, 0.70),
    "Shirt": (0.45, 0.08, 0.05),
    "Trousers": (0.035, 0.065, 0.22),
    "Shoes": (0.02, 0.015, 0.012),
    "Shoe": (0.02, 0.015, 0.012),
}
CLOTH = (0.10, 0.22, 0.08)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("cell", type=Path)
    parser.add_argument("--turn", type=float, default=0.0, help="of the target to -y, degrees")
    parser.add_argument("--source-turn", type=float, default=0.0, help="of the source, for a face")
    parser.add_argument("--model", default=DEFAULT_MATCH_MODEL, help="name, or path")
    options = parser.parse_args()
    return demonstrate(lambda: make(options))


def make(options: argparse.Namespace) -> None:
    """Open, match, transfer, and write the pictures and what is known of them."""
    clock = perf_counter()
    is_pair = options.source.resolve() != options.target.resolve()
    with quietly():
        target = _character(open_file(options.target))
        # Those of the file, as the target's bones hold them; another armature may come beside it.
        shown = _without_carried(target)
        source = _added(options.source, target) if is_pair else target
        for character in (source, target):
            _coloured(character)
    known = {"call": sys.argv[1:], "confident": 1.0, "uncertain": False, "way": ""}
    names = {"source": source.members[0].name, "target": target.members[0].name}
    if is_pair:
        bpy.ops.diffusionnet.match(**names, method="MATCH", model=options.model)
        found = find_match(source, target).correspondence
        known |= {
            "confident": round(float(found.confident_share), 3),
            "uncertain": bool(found.uncertain),
            "way": found.way,
            "seconds": round(sum(found.seconds.values()), 1),
        }
    turn = options.source_turn if is_pair else options.turn
    for kind in KINDS:
        if kind == PATTERN:
            with quietly():
                tracking_pattern.paint(source, _without_carried(source), turn)
        if is_pair:
            bpy.ops.diffusionnet.transfer(
                **names, texture=True, texture_size=TEXTURE, accept_uncertain=True
            )
        with quietly():
            _photograph(shown, options.turn, picture_of(options.cell, kind))
    known["seconds_of_all"] = round(perf_counter() - clock, 1)
    options.cell.with_suffix(".json").write_text(json.dumps(known))


def picture_of(cell: Path, kind: str) -> Path:
    """File of a picture of a cell, of one of `KINDS`."""
    return cell.with_name(f"{cell.name}.{kind}.png").resolve()


def _character(meshes: list[bpy.types.Object]) -> Character:
    """The character with the most vertices of those that some objects belong to."""
    return max(
        characters_of([obj for obj in meshes if obj.visible_get()], bpy.context.view_layer),
        key=lambda found: sum(len(obj.data.vertices) for obj in found.members),
    )


def _added(path: Path, target: Character) -> Character:
    """The character of another file, brought into the scene beside a target."""
    before = set(bpy.data.objects)
    meshes = add_file(path)
    reach = max(
        np.abs(np.array(obj.matrix_world @ corner)).max()
        for obj in [*meshes, *target.members]
        for corner in _corners(obj)
    )
    for obj in set(bpy.data.objects) - before:
        if obj.parent is None:
            obj.matrix_world = Matrix.Translation((APART * reach, 0, 0)) @ obj.matrix_world
    bpy.context.view_layer.update()
    return _character(meshes)


def _corners(obj: bpy.types.Object) -> list[Matrix]:
    return [studio.Vector(corner) for corner in obj.bound_box]


def _without_carried(character: Character) -> list[bpy.types.Object]:
    """Members that are no swords, shields, hats on the bone of a head."""
    read = read_to_match(character)
    if read.members is None:
        return list(character.members)
    things = {
        int(n) for each in read.members.carried for n in read.members.of_vertex[each.vertices]
    }
    objects = [member.find() for member in read.geometry.members]
    return [obj for number, obj in enumerate(objects) if number not in things]


def _coloured(character: Character) -> None:
    """Give members without a material one of a plain colour, by their names.

    Some exporters write no alpha, which is read as 0: those are seen.
    """
    for material in {m for obj in character.members for m in obj.data.materials if m}:
        for node in material.node_tree.nodes if material.use_nodes else ():
            alpha = node.inputs.get("Alpha")
            if node.type == "BSDF_PRINCIPLED" and not alpha.is_linked and alpha.default_value == 0:
                alpha.default_value = 1.0
    for obj in character.members:
        if not any(obj.data.materials):
            kind = obj.name.split(".")[0]
            obj.data.materials.clear()
            obj.data.materials.append(studio.matte(kind, COLOURS.get(kind, CLOTH)))


def _photograph(objects: list[bpy.types.Object], turn: float, picture: Path) -> None:
    """Render objects as one figure, from the front, on nothing."""
    before = set(bpy.data.objects)
    figure = [still(obj) for obj in objects]
    for item in list(bpy.context.scene.objects):
        item.hide_render = item not in figure
    low, high = studio.bounds(figure)
    scale = Matrix.Scale(SIZE / (high.z - low.z), 4)
    for item in figure:
        item.matrix_world = scale @ item.matrix_world
    low, high = studio.place(figure, radians(turn), 0.0)
    wide = high.x - low.x
    scene = bpy.context.scene
    data = bpy.data.cameras.new("Front")
    data.type = "ORTHO"
    data.ortho_scale = max(wide, SIZE) + 2 * AIR
    data.clip_end = 100.0
    camera = bpy.data.objects.new("Front", data)
    camera.location = (wide / 2, -20.0, SIZE / 2)
    camera.rotation_euler = (radians(90), 0, 0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    studio.add_lights(SIZE, wide)
    pixels = HEIGHT / SIZE
    size = (round((wide + 2 * AIR) * pixels), round((SIZE + 2 * AIR) * pixels))
    studio.render(scene, picture, size, transparent=True)
    for item in set(bpy.data.objects) - before:
        bpy.data.objects.remove(item)


if __name__ == "__main__":
    leave(main())
