"""Small pictures of objects, drawn by Workbench in a scene of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
from mathutils import Euler, Matrix, Vector

from .own_scene import OwnScene

WIDTH, HEIGHT = 96, 128
QUALITY = 80
# Of the camera: from the front, a little from the left and above; figures face -y.
TURN = Euler((np.radians(80), 0.0, np.radians(25)))
MARGIN = 1.08
# Of Workbench's colour: the shape alone, its textures and materials, its active colours.
LOOKS = ("SINGLE", "TEXTURE", "VERTEX")


def take_pictures(
    objects: Sequence[bpy.types.Object], looks: Sequence[str], folder: Path
) -> list[Path]:
    """Render objects of the open file, which stays as it is.

    Parameters
    ----------
    objects : sequence of bpy.types.Object
        Meshes.
    looks : sequence of str
        Of `LOOKS`, a picture each.
    folder : Path

    Returns
    -------
    list of Path
        Of a WebP for each look.

    Raises
    ------
    RuntimeError
        If Blender has no graphics to draw with.
    """
    corners = [obj.matrix_world @ Vector(corner) for obj in objects for corner in obj.bound_box]
    paths = []
    with OwnScene("Picture") as own:
        for obj in objects:
            own.scene.collection.objects.link(obj)
        camera = own.keep(bpy.data.cameras, bpy.data.cameras.new("Picture"))
        eye = own.keep(bpy.data.objects, bpy.data.objects.new("Picture", camera))
        own.scene.collection.objects.link(eye)
        own.scene.camera = eye
        _look_at(eye, np.array(corners))
        _set_up(own.scene)
        for number, look in enumerate(looks):
            path = folder / f"{number}.webp"
            own.scene.display.shading.color_type = look
            own.scene.render.filepath = str(path)
            bpy.ops.render.render(write_still=True, scene=own.scene.name)
            paths.append(path)
    if (result := bpy.data.images.get("Render Result")) is not None:
        bpy.data.images.remove(result)
    return paths


def _look_at(eye: bpy.types.Object, corners: np.ndarray) -> None:
    """Place an orthographic camera so that it sees all corners, (n, 3)."""
    axes = np.array(TURN.to_matrix())
    seen = corners @ axes
    low, high = seen.min(axis=0), seen.max(axis=0)
    size, middle = high - low, (low + high) / 2
    reach = max(float(size.max()), 1e-6)
    eye.data.type = "ORTHO"
    # Of the longer side of the picture, which is its height.
    eye.data.ortho_scale = MARGIN * max(size[1], size[0] * HEIGHT / WIDTH, 1e-6)
    eye.data.clip_start, eye.data.clip_end = 1e-3 * reach, 4.0 * reach
    place = axes @ [middle[0], middle[1], high[2] + reach]
    eye.matrix_world = Matrix.Translation(Vector(place)) @ TURN.to_matrix().to_4x4()


def _set_up(scene: bpy.types.Scene) -> None:
    render = scene.render
    render.engine = "BLENDER_WORKBENCH"
    render.resolution_x, render.resolution_y = WIDTH, HEIGHT
    render.resolution_percentage = 100
    render.film_transparent = True
    render.image_settings.file_format = "WEBP"
    render.image_settings.color_mode = "RGBA"
    render.image_settings.quality = QUALITY
    scene.view_settings.view_transform = "Standard"
    scene.display.shading.light = "STUDIO"
    scene.display.shading.single_color = (0.6, 0.6, 0.6)
    scene.display.render_aa = "5"
