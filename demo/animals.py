"""Animals of one kind in the texture and on the bones of another, and show what came out.

python -m demo.animals --animals FOLDER          # into build/demo

Writes animals.blend and animals.png: a horse with a coat, a zebra, the zebra in the horse's coat; a
wolf that its own bones have posed, and a dog in the same pose, by the wolf's armature and skin
weights.
"""

from __future__ import annotations

from math import radians
from pathlib import Path

import bpy
from mathutils import Matrix, Quaternion, Vector

from demo import studio
from demo.extension import demonstrate, leave, parser_of
from demo.run import quietly, still
from diffusionnet_blender.scene.files import add_file
from diffusionnet_blender.tasks.models import ANIMAL_MATCH_MODEL

ROOT = Path(__file__).resolve().parent.parent
# About the vertical, so that they are seen from the side and a little from the front.
TURN = radians(62)
# Of those that face +x in their files.
ASIDE = radians(-90)
# Between animals of one scene, in their sizes: nobody wears the other.
APART = 3.0
# Of the new image, in pixels.
TEXTURE = 1024
# Degrees of bones of the wolf, about the axis across it: a step, its tail raised.
POSE = {
    "Bone.017": -28,
    "Bone.014": 24,
    "Bone.008": 24,
    "Bone.011": -24,
    "Bone.003": 12,
    "Bone.004": 35,
}
ACROSS = (0, 1, 0)
# Linear colours; the patches of the horse's coat are so many along its box.
BROWN, WHITE, PATCHES = (0.16, 0.05, 0.02), (0.8, 0.74, 0.66), 4.0
ZEBRA, WOLF, DOG = (0.55, 0.54, 0.52), (0.14, 0.14, 0.15), (0.42, 0.25, 0.12)


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--animals", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--model", default=ANIMAL_MATCH_MODEL, help="name, path, or NONE")
    options = parser.parse_args()
    return demonstrate(
        lambda: show(options.animals.resolve(), options.model, options.output.resolve())
    )


def show(folder: Path, model: str, output: Path) -> None:
    """Match the animals, transfer, and write the .blend and the picture."""
    output.mkdir(parents=True, exist_ok=True)
    with quietly():
        bpy.ops.wm.read_factory_settings(use_empty=True)
        horse, zebra, wolf, dog = (
            animal(folder / f"{name}.glb", number)
            for number, name in enumerate(("horse", "zebra", "wolf", "dog"))
        )
        coat = pinto()
        for obj, material in ((horse, coat), (zebra, ZEBRA), (wolf, WOLF), (dog, DOG)):
            if isinstance(material, tuple):
                material = studio.matte(obj.name, material)
            obj.data.materials.clear()
            obj.data.materials.append(material)
    before = [still(horse), still(zebra)]
    unbind(dog)
    carry(horse, zebra, model, texture=True, texture_size=TEXTURE)
    carry(wolf, dog, model, weights=True, armature=True)
    for obj in (wolf, dog):
        pose(obj)
    bpy.context.view_layer.update()
    with quietly():
        bpy.ops.wm.save_as_mainfile(filepath=str(output / "animals.blend"), compress=True)
        figures = [[each] for each in (*before, still(zebra), still(wolf), still(dog))]
        turns = [TURN] * 3 + [TURN + ASIDE] * 2
        studio.line_up(figures, turns, output / "animals.png")
    print(f"Open in Blender:  {output / 'animals.blend'}")
    print(f"Picture:          {output / 'animals.png'}")


def pinto() -> bpy.types.Material:
    """A coat of brown patches on white, by place."""
    material = bpy.data.materials.new("Pinto")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    place = nodes.new("ShaderNodeTexCoord")
    noise = nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = PATCHES
    ramp = nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.interpolation = "CONSTANT"
    ramp.color_ramp.elements[0].color = (*BROWN, 1)
    ramp.color_ramp.elements[1].position = 0.52
    ramp.color_ramp.elements[1].color = (*WHITE, 1)
    surface = nodes["Principled BSDF"]
    surface.inputs["Roughness"].default_value = 0.8
    links.new(place.outputs["Generated"], noise.inputs["Vector"])
    links.new(noise.outputs["Fac"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], surface.inputs["Base Color"])
    return material


def animal(path: Path, number: int) -> bpy.types.Object:
    """The mesh of a file, added to the scene beside the others."""
    before = set(bpy.data.objects)
    meshes = add_file(path)
    size = max(max(obj.dimensions) for obj in meshes)
    for obj in set(bpy.data.objects) - before:
        if obj.parent is None:
            obj.matrix_world = Matrix.Translation((APART * size * number, 0, 0)) @ obj.matrix_world
    bpy.context.view_layer.update()
    return max(meshes, key=lambda obj: len(obj.data.vertices))


def unbind(obj: bpy.types.Object) -> None:
    """Take an animal's own armature and skin weights away."""
    rig = obj.find_armature()
    place = obj.matrix_world.copy()
    obj.modifiers.clear()
    obj.vertex_groups.clear()
    obj.parent = None
    obj.matrix_world = place
    bpy.data.objects.remove(rig)
    bpy.context.view_layer.update()


def carry(source: bpy.types.Object, target: bpy.types.Object, model: str, **what) -> None:
    """Match two animals, and carry over what is named."""
    names = {"source": source.name, "target": target.name}
    bpy.ops.diffusionnet.match(**names, model=model, method="MATCH")
    bpy.ops.diffusionnet.transfer(**names, **what)


def pose(obj: bpy.types.Object) -> None:
    """Bend the bones of an animal's armature."""
    rig = next(m.object for m in obj.modifiers if m.type == "ARMATURE")
    for bone in rig.pose.bones:
        degrees = POSE.get(bone.name)
        if degrees is None:
            continue
        # About the same axis of the armature, whatever way the bone is rolled.
        axis = bone.bone.matrix_local.to_3x3().inverted() @ Vector(ACROSS)
        bone.rotation_mode = "QUATERNION"
        bone.rotation_quaternion = Quaternion(axis, radians(degrees))


if __name__ == "__main__":
    leave(main())
