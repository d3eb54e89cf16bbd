"""Carry texture and skin weights from one character to another, and show what came out.

python -m demo.transfer                     # Ada to Bo, into build/demo

Writes transfer.blend and transfer.png: the two as they came, the one textured by the other, and the
skin weights of both in the colours of the bones.
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import bpy
import numpy as np
from mathutils import Vector

from demo import studio
from demo.extension import demonstrate, leave, parser_of
from demo.run import quietly, still
from diffusionnet_blender.scene.attributes import VERTEX_COLOURS, write_attribute
from diffusionnet_blender.scene.labels import read_labels
from diffusionnet_blender.scene.vertex_groups import read_weights

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = "skin_weights"
TURN = studio.QUARTER_TURN * 0.6
# Each bone from the joint with its parent on; the first goes up the trunk.
PARENTS = {
    "torso": "",
    "head": "torso",
    **{
        f"{bone}.{side}": parent if parent == "torso" else f"{parent}.{side}"
        for side in "LR"
        for bone, parent in (
            ("upper_arm", "torso"),
            ("forearm", "upper_arm"),
            ("hand", "forearm"),
            ("thigh", "torso"),
            ("shin", "thigh"),
            ("foot", "shin"),
        )
    },
}


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--model", default="body_match", help="name, path, or NONE")
    options = parser.parse_args()
    return demonstrate(lambda: show(options.model, options.output.resolve()))


def show(model: str, output: Path) -> None:
    """Match the sample characters, transfer, and write the .blend and the picture."""
    output.mkdir(parents=True, exist_ok=True)
    seconds = {}
    with quietly():
        bpy.ops.wm.open_mainfile(filepath=str(ROOT / "samples" / "bo.blend"))
        bpy.ops.import_scene.gltf(filepath=str(ROOT / "samples" / "ada.glb"))
    ada, bo = bpy.data.objects["Ada"], bpy.data.objects["Bo"]
    clay = still(bo)
    with quietly():
        skin(ada)

    for step, call in (
        ("match", lambda: bpy.ops.diffusionnet.match(source="Ada", target="Bo", model=model)),
        (
            "transfer",
            lambda: bpy.ops.diffusionnet.transfer(
                source="Ada", target="Bo", texture=True, weights=True
            ),
        ),
    ):
        clock = perf_counter()
        call()
        seconds[step] = perf_counter() - clock
    with quietly():
        bpy.ops.wm.save_as_mainfile(filepath=str(output / "transfer.blend"), compress=True)
        picture = output / "transfer.png"
        photograph(ada, clay, bo, picture)
    for step, taken in seconds.items():
        print(f"{step:<12}{taken:>7.1f} s")
    print(f"\nOpen in Blender:  {output / 'transfer.blend'}\nPicture:          {picture}")


def skin(character: bpy.types.Object) -> None:
    """Give a character a bone for each part, and the parts' probabilities as weights."""
    bpy.context.view_layer.objects.active = character
    bpy.ops.diffusionnet.segment("EXEC_DEFAULT", object_name=character.name)
    parts = read_labels(character)
    character.vertex_groups.clear()
    places = np.array([character.matrix_world @ v.co for v in character.data.vertices])
    share = parts.vertex_probabilities
    column = {name: number for number, name in enumerate(parts.class_names)}

    def joint(one: str, other: str) -> np.ndarray:
        both = share[:, column[one]] * share[:, column[other]]
        return both @ places / max(both.sum(), 1e-12)

    def middle(part: str) -> np.ndarray:
        return share[:, column[part]] @ places / share[:, column[part]].sum()

    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    hips = (joint("torso", "thigh.L") + joint("torso", "thigh.R")) / 2
    for name, parent in PARENTS.items():
        bone = rig.data.edit_bones.new(name)
        children = [child for child, above in PARENTS.items() if above == name]
        bone.head = Vector(hips if not parent else joint(parent, name))
        if name == "torso":
            bone.tail = Vector(joint("torso", "head"))
        elif children:
            bone.tail = Vector(joint(name, children[0]))
        else:
            bone.tail = Vector(2 * middle(name)) - bone.head
        bone.parent = rig.data.edit_bones.get(parent)
    bpy.ops.object.mode_set(mode="OBJECT")
    for name in PARENTS:
        group = character.vertex_groups.new(name=name)
        for vertex in np.flatnonzero(share[:, column[name]] > 0.01).tolist():
            group.add([vertex], float(share[vertex, column[name]]), "REPLACE")
    character.modifiers.new("Armature", "ARMATURE").object = rig


def painted_weights(character: bpy.types.Object, colours: dict[str, np.ndarray]):
    """A copy of a character in the colours of its bones, blended by its weights."""
    weights = read_weights(character, list(colours)).astype(float)
    shown = weights @ np.array(list(colours.values()))
    copy = still(character)
    opaque = np.concatenate([np.clip(shown, 0, 1), np.ones((len(shown), 1))], axis=1)
    write_attribute(copy.data, WEIGHTS, VERTEX_COLOURS, opaque)
    copy.data.materials.clear()
    copy.data.materials.append(studio.painted(WEIGHTS))
    return copy


def photograph(ada, clay, bo, picture: Path) -> None:
    """Render source, target as it came, target textured, and the weights of both."""
    labels = {part.name: np.array(part.color) for part in ada.data.diffusionnet.parts}
    colours = {name: labels[name] for name in PARENTS}
    figures = [
        still(ada),
        clay,
        still(bo),
        painted_weights(ada, colours),
        painted_weights(bo, colours),
    ]
    studio.line_up([[figure] for figure in figures], [TURN] * len(figures), picture)


if __name__ == "__main__":
    leave(main())
