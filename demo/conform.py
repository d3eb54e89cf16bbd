"""Bend one sample character onto the other, and show its mesh before and after.

python -m demo.conform                   # Ada's mesh in the shape of Bo, into build/demo

Writes conform.blend and conform.png: Ada, Bo, and Ada's mesh on Bo from front and back; Bo as a
scanner would give him, and Ada's mesh on that; each mesh with its edges.
"""

from __future__ import annotations

from math import pi
from pathlib import Path

import bpy
import numpy as np

from demo import studio
from demo.extension import demonstrate, leave, parser_of
from demo.run import quietly, still

ROOT = Path(__file__).resolve().parent.parent
TURN = studio.QUARTER_TURN * 0.6
SKIN, OTHER, INK = (0.62, 0.45, 0.36), (0.45, 0.5, 0.55), (0.03, 0.035, 0.05)
# Of the edges, in metres.
THICKNESS = 0.0022
# Of the scan, as shares of its height: cells of its skin, roughness, and the radius of its holes.
CELL, ROUGH, HOLE = 1 / 130, 0.0012, 0.028
HOLES = 12


def main() -> int:
    parser = parser_of(__doc__)
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
        scan = scan_of(bo)
    bpy.ops.diffusionnet.conform(source=ada.name, target=scan.name)
    on_scan = bpy.context.view_layer.objects.active
    with quietly():
        bpy.ops.wm.save_as_mainfile(filepath=str(output / "conform.blend"), compress=True)
    print("Rendering ...", flush=True)
    skin, other = studio.matte("Skin of Ada", SKIN), studio.matte("Skin of Bo", OTHER)
    ink = studio.matte("Edges", INK)
    shapes = ((ada, skin), (bo, other), (made, skin), (made, skin), (scan, other), (on_scan, skin))
    figures = [figure(shape, material, ink) for shape, material in shapes]
    # What was made stands as Bo does in the world, and not as he was modelled.
    turned = TURN - bo.matrix_world.to_euler().z
    turns = [TURN, TURN, turned, turned + pi, turned, turned]
    with quietly():
        studio.line_up(figures, turns, output / "conform.png")
    print(f"Open in Blender:  {output / 'conform.blend'}")
    print(f"Picture:          {output / 'conform.png'}")


def scan_of(obj: bpy.types.Object) -> bpy.types.Object:
    """A copy as a scanner would give it: one even skin, rough, with holes, no longer an object of
    the rig."""
    # Known once bpy is.
    import bmesh

    copy = still(obj)
    # In the world, so that cells are of its size there, and nothing else tells where it stands.
    copy.data.transform(copy.matrix_world)
    copy.matrix_world.identity()
    bpy.context.view_layer.update()
    height = copy.dimensions.z
    remesh = copy.modifiers.new("Remesh", "REMESH")
    remesh.mode, remesh.voxel_size = "VOXEL", CELL * height
    scan = still(copy)
    bpy.data.objects.remove(copy)
    scan.name = "Scan"
    rng = np.random.default_rng(0)
    mesh = bmesh.new()
    mesh.from_mesh(scan.data)
    places = np.array([vertex.co for vertex in mesh.verts])
    centres = places[rng.choice(len(places), HOLES, replace=False)]
    away = np.linalg.norm(places[:, None] - centres, axis=2).min(axis=1)
    lost = away < HOLE * height
    roughness = rng.normal(0, ROUGH * height, len(places)).tolist()
    for vertex, outward in zip(mesh.verts, roughness, strict=True):
        vertex.co += outward * vertex.normal
    mesh.verts.ensure_lookup_table()
    doomed = [mesh.verts[number] for number in np.flatnonzero(lost)]
    bmesh.ops.delete(mesh, geom=doomed, context="VERTS")
    mesh.to_mesh(scan.data)
    mesh.free()
    return scan


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
    leave(main())
