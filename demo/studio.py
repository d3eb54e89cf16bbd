"""A photo studio: two figures on a seamless backdrop under soft light, and a legend beside them."""

from __future__ import annotations

from math import atan, radians, tan
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

WIDTH, HEIGHT = 1600, 900
SAMPLES = 12
LENS = radians(22)  # horizontal field of view: a portrait lens, little perspective
QUARTER_TURN = radians(28)
GAP = 0.16  # between the figures and the legend, as a share of the figures' height
BETWEEN = 0.06  # between figures that stand in a line
BACKDROP = (0.86, 0.85, 0.83)
INK = (0.02, 0.022, 0.026)


def photograph(
    before: list[bpy.types.Object],
    after: list[bpy.types.Object],
    legend: list[tuple[str, tuple[float, float, float]]],
    path: Path,
) -> None:
    """Render two figures side by side with a legend, and save the picture.

    Parameters
    ----------
    before, after : lists of objects
        Each stands along +z and faces -y. They are moved to their places.
    legend : list of (class name, sRGB colour)
    path : Path
        Of a PNG.
    """
    scene = bpy.context.scene
    left = place(before, QUARTER_TURN, 0.0)
    size = left[1].z
    right = place(after, QUARTER_TURN, left[1].x + GAP * size)
    legend_width = 0.38 * size
    total = right[1].x + GAP * size + legend_width
    camera = add_camera(scene, total, size)
    add_legend(camera, legend, right[1].x + GAP * size, size, total)
    add_backdrop(size, total)
    add_lights(size, total)
    render(scene, path)


def line_up(
    figures: list[list[bpy.types.Object]], turns: list[float], path: Path, gap: float = BETWEEN
) -> None:
    """Render figures side by side, all of one height, and save the picture.

    Parameters
    ----------
    figures : lists of objects
        Each stands along +z; the first object of each was modelled with its front to -y.
    turns : list of float
        About the vertical, of each figure.
    path : Path
        Of a PNG.
    gap : float
        Between two, as a share of their height.
    """
    scene = bpy.context.scene
    shown = [item for figure in figures for item in figure]
    for item in list(scene.objects):
        item.hide_render = item not in shown
    heights = [(bounds(figure)[1] - bounds(figure)[0]).z for figure in figures]
    size, x = max(heights), 0.0
    for figure, turn, height in zip(figures, turns, heights, strict=True):
        yaw = figure[0].matrix_world.to_euler("XYZ").z
        straight = Matrix.Scale(size / height, 4) @ Matrix.Rotation(-yaw, 4, "Z")
        for item in figure:
            item.matrix_world = straight @ item.matrix_world
        x = place(figure, turn, x)[1].x + gap * size
    total = x - gap * size
    add_camera(scene, total, size)
    add_backdrop(size, total)
    add_lights(size, total)
    render(scene, path)


def place(objects: list[bpy.types.Object], turn: float, x: float) -> tuple[Vector, Vector]:
    """Turn a figure, stand it on the floor with its left edge at x; return its bounds."""
    for item in objects:
        item.matrix_world = Matrix.Rotation(turn, 4, "Z") @ item.matrix_world
    low, high = bounds(objects)
    shift = Matrix.Translation((x - low.x, -(low.y + high.y) / 2, -low.z))
    for item in objects:
        item.matrix_world = shift @ item.matrix_world
    return shift @ low, shift @ high


def bounds(objects: list[bpy.types.Object]) -> tuple[Vector, Vector]:
    """Return the lowest and the highest corner of the objects, in the world."""
    corners = []
    for item in objects:
        local = np.empty(3 * len(item.data.vertices), dtype=np.float32)
        item.data.vertices.foreach_get("co", local)
        matrix = np.array(item.matrix_world)
        corners.append(local.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3])
    corners = np.concatenate(corners)
    return Vector(corners.min(axis=0)), Vector(corners.max(axis=0))


def add_camera(scene: bpy.types.Scene, total: float, size: float) -> bpy.types.Object:
    """Add a camera that frames everything between x = 0 and x = total, with air around it."""
    data = bpy.data.cameras.new("Camera")
    data.angle = LENS
    camera = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(camera)
    scene.camera = camera
    wide = max(total * 1.12, size * 1.16 * WIDTH / HEIGHT)
    distance = wide / 2 / tan(LENS / 2)
    target = Vector((total / 2, 0, size * 0.49))
    camera.location = target + Vector((0, -distance, size * 0.18))
    tilt = atan(size * 0.18 / distance)
    camera.rotation_euler = (radians(90) - tilt, 0, 0)
    bpy.context.view_layer.update()
    return camera


def add_legend(camera, legend, left: float, size: float, total: float) -> None:
    """Write the parts beside the figures: a row for each, with a swatch for each side.

    The legend stands upright in the plane of the figures, glows with its own colour and neither
    casts nor receives light, so that its colours are the palette's exactly.
    """
    rows = legend_rows(legend)
    unsided = {name.replace("_", " ") for name, _ in legend if name[-2:] not in (".L", ".R")}
    paired = any(column == 1 for _, swatches in rows for column, _ in swatches)
    step = size * 0.072
    radius = step * 0.30
    top = size * 0.49 + step * (len(rows) - 1) / 2
    text_at = left + (4.6 if paired else 2.2) * radius * 1.25
    ink = glowing("Ink", INK)
    if paired:
        for side, x in (("R", left), ("L", left + radius * 2.7)):
            write(camera, side, ink, step * 0.36, (x, top + step), "CENTER")
    for row, (name, swatches) in enumerate(rows):
        height = top - row * step
        for column, colour in swatches:
            centre = left + radius * 2.7 * column
            if paired and name in unsided:
                centre = left + radius * 1.35  # between the two columns
            material = glowing(f"{name} {column}", [srgb_to_linear(c) for c in colour])
            disc(camera, material, radius, (centre, height))
        write(camera, name, ink, step * 0.50, (text_at, height), "LEFT")


def legend_rows(legend) -> list[tuple[str, list[tuple[int, tuple[float, float, float]]]]]:
    """Join the sides of a part: [(name, [(column, colour), ...]), ...], right in column 0.

    The figures face the camera, so their right is on the picture's left.
    """
    rows: dict[str, list] = {}
    for name, colour in legend:
        stem, _, side = name.rpartition(".")
        if side not in ("L", "R"):
            stem, side = name, "R"
        rows.setdefault(stem.replace("_", " "), []).append((int(side == "L"), colour))
    return [(name, sorted(swatches)) for name, swatches in rows.items()]


def write(camera, text, material, height, at, align) -> None:
    """Write a line of text that faces the camera."""
    curve = bpy.data.curves.new(text, "FONT")
    curve.body = text
    curve.size = height * 1.35
    curve.align_x, curve.align_y = align, "CENTER"
    signpost(camera, bpy.data.objects.new(text, curve), material, at)


def disc(camera, material, radius, at) -> None:
    """Draw a round swatch that faces the camera."""
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    corners = [(radius * np.cos(a), radius * np.sin(a), 0) for a in angles]
    mesh = bpy.data.meshes.new("swatch")
    mesh.from_pydata(corners, [], [list(range(64))])
    signpost(camera, bpy.data.objects.new("swatch", mesh), material, at)


def signpost(camera, item, material, at) -> None:
    """Set a flat object up in the figures' plane, upright as the camera sees it."""
    item.data.materials.append(material)
    item.location = (at[0], 0, at[1])
    item.rotation_euler = camera.rotation_euler
    item.visible_shadow = item.visible_diffuse = item.visible_glossy = False
    bpy.context.scene.collection.objects.link(item)


def add_backdrop(size: float, total: float) -> None:
    """Hang a roll of paper: a floor that curves up into a wall, without an edge."""
    depth, radius, wide = 2.2 * size, 1.6 * size, 12 * max(size, total)
    bend = np.linspace(0, np.pi / 2, 24)
    profile = [(-14 * size, 0.0)]
    profile += [(depth + radius * np.sin(a), radius * (1 - np.cos(a))) for a in bend]
    profile += [(depth + radius, 14 * size)]
    corners = [(total / 2 + x, y, z) for x in (-wide, wide) for y, z in profile]
    count = len(profile)
    faces = [(i, i + count, i + count + 1, i + 1) for i in range(count - 1)]
    mesh = bpy.data.meshes.new("Backdrop")
    mesh.from_pydata(corners, [], faces)
    mesh.shade_smooth()
    mesh.materials.append(matte("Backdrop", BACKDROP))
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Backdrop", mesh))


def add_lights(size: float, total: float) -> None:
    """Hang a large key light, a weak fill and two rims that part the figures from the paper."""
    world = bpy.data.worlds.new("Studio")
    world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (0.93, 0.96, 1.0, 1.0)
    background.inputs["Strength"].default_value = 0.5
    bpy.context.scene.world = world
    middle = Vector((total / 2, 0, size * 0.55))
    for name, at, power, spread, colour in (
        ("Key", (-1.5, -2.0, 2.6), 84, 0.9, (1.0, 0.97, 0.93)),
        ("Fill", (2.6, -2.2, 1.0), 10, 2.6, (0.93, 0.96, 1.0)),
        ("Rim left", (-2.0, 1.5, 1.9), 26, 0.9, (1.0, 1.0, 1.0)),
        ("Rim right", (2.2, 1.5, 1.7), 22, 0.9, (1.0, 1.0, 1.0)),
    ):
        data = bpy.data.lights.new(name, "AREA")
        data.energy = power * size**2
        data.size = spread * size
        data.color = colour
        light = bpy.data.objects.new(name, data)
        light.location = middle + Vector(at) * size
        light.rotation_euler = (middle - light.location).to_track_quat("-Z", "Y").to_euler()
        bpy.context.scene.collection.objects.link(light)


def render(
    scene: bpy.types.Scene,
    path: Path,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    transparent: bool = False,
) -> None:
    """Render on the CPU with Cycles, and save a PNG, of so many pixels; on nothing, on a wish."""
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = SAMPLES
    scene.cycles.use_adaptive_sampling = True
    scene.cycles.adaptive_threshold = 0.05
    scene.cycles.use_denoising = True
    scene.cycles.denoiser = "OPENIMAGEDENOISE"
    scene.cycles.max_bounces = 2
    scene.cycles.seed = 0
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    # Standard shows the palette as it is; AgX would wash it out.
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
    scene.render.image_settings.file_format = "PNG"
    scene.render.film_transparent = transparent
    scene.render.image_settings.color_mode = "RGBA" if transparent else "RGB"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


def matte(name: str, colour) -> bpy.types.Material:
    """Make a material of one linear colour without gloss."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    shader.inputs["Roughness"].default_value = 0.9
    shader.inputs["Specular IOR Level"].default_value = 0.1
    return material


def painted(attribute: str) -> bpy.types.Material:
    """Make a material that shows a colour attribute."""
    material = matte(attribute, (1.0, 1.0, 1.0))
    nodes = material.node_tree.nodes
    shader = nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = 0.55
    shader.inputs["Specular IOR Level"].default_value = 0.35
    colours = nodes.new("ShaderNodeVertexColor")
    colours.layer_name = attribute
    material.node_tree.links.new(colours.outputs["Color"], shader.inputs["Base Color"])
    return material


def glowing(name: str, colour) -> bpy.types.Material:
    """Make a material that shows one linear colour, whatever the light."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes = material.node_tree.nodes
    nodes.remove(nodes["Principled BSDF"])
    emission = nodes.new("ShaderNodeEmission")
    emission.inputs["Color"].default_value = (*colour, 1.0)
    material.node_tree.links.new(
        emission.outputs["Emission"], nodes["Material Output"].inputs["Surface"]
    )
    return material


def srgb_to_linear(value: float) -> float:
    """Convert one channel of an sRGB colour to scene linear."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
