"""Textures and skin weights moved between unseen synthetic bodies, beside Blender's Data Transfer.

python -m benchmarks.transfer --pairs 20
python -m benchmarks.transfer_report    # what was measured, into docs/transfer.md

Both sides get the same scene: a source with a painted image and skin weights, and a target. The
truth is known, since every vertex of both is known on one template: the image that the target
should have is painted straight into its layout. Colour errors are means over all covered texels
of the absolute difference of the three channels (0 to 1); weight errors are means over vertices of
the absolute differences added up over the 14 groups. Data Transfer goes by the nearest face,
interpolated, after the centres were laid together and the areas made equal.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence

import bpy
import numpy as np

import diffusionnet_blender
from benchmarks.meshes import BUILD
from diffusionnet_blender.matching.transfer.texture import dilate, paint, rasterise, sample
from diffusionnet_blender.scene.layers import read_shape, read_uv
from diffusionnet_blender.scene.unwrap import UV_MAP, unwrapped_uv
from diffusionnet_blender.scene.vertex_groups import read_weights, write_vertex_groups
from diffusionnet_blender.surface.surface import triangle_areas
from training.bodies import FIRST_HELD_OUT_SEED, load_template
from training.commands import leave
from training.matched_bodies import MatchedBody, sample_matched_body
from training.materials import image_material

GROUPS = tuple(f"part {number}" for number in range(14))
# What a stripe takes, in metres of the template: from one to the next. Where stripes are narrower
# than a plain way errs, its error is that of any colour for any other, and ratios tell little.
STRIPES = (0.3, 0.6, 1.2)
RESULT = BUILD / "transfer.json"


def painted(places: np.ndarray, stripe: float) -> np.ndarray:
    """Colours of places of the template at rest, (N, 4): soft stripes each way."""
    colours = np.ones((len(places), 4))
    colours[:, :3] = 0.5 + 0.45 * np.sin(2 * np.pi * places / stripe)
    return colours


class Scene:
    """Source and target in Blender, and what the target should get."""

    def __init__(self, source: MatchedBody, target: MatchedBody, size: int):
        bpy.ops.wm.read_homefile(app_template="", use_empty=True)
        self.size = size
        self.source, self.target = (
            self._add(name, body) for name, body in (("Source", source), ("Target", target))
        )
        bpy.context.view_layer.update()
        template = load_template()
        self.places, self.weights, self.uv = [], [], []
        for obj, body in ((self.source, source), (self.target, target)):
            points = body.template_points
            self.places.append(points.interpolate(template.vertices, template.faces).astype(float))
            self.weights.append(points.interpolate(template.part_weights, template.faces))
            uv = unwrapped_uv(obj)
            obj.data.uv_layers.new(name=UV_MAP)
            obj.data.uv_layers[UV_MAP].data.foreach_set("uv", uv.astype(np.float32).ravel())
            self.uv.append(uv)
        write_vertex_groups(self.source, GROUPS, self.weights[0].astype(np.float32))
        self.image = self._add_image()

    def _add(self, name: str, body: MatchedBody) -> bpy.types.Object:
        """Laid into the middle at unit area, as Data Transfer needs it and a match does not."""
        area = triangle_areas(body.vertices, body.faces)
        corners = body.vertices[body.faces]
        middle = np.average(corners.mean(axis=1), axis=0, weights=area)
        mesh = bpy.data.meshes.new(name)
        places = (body.vertices - middle) / np.sqrt(area.sum())
        mesh.from_pydata(places.tolist(), [], body.faces.tolist())
        obj = bpy.data.objects.new(name, mesh)
        bpy.context.collection.objects.link(obj)
        return obj

    def texels(self, side: int):
        """Covered texels of a layout, and the places of the template there."""
        shape = read_shape((self.source, self.target)[side])
        texels = rasterise(self.uv[side][shape.corners], self.size, self.size)
        return texels, texels.points.interpolate(self.places[side], shape.triangles)

    def _add_image(self) -> bpy.types.Image:
        image = bpy.data.images.new("Paint", self.size, self.size, float_buffer=True)
        image.colorspace_settings.name = "Non-Color"
        self.source.data.materials.append(image_material("Paint", image, roughness=0.5))
        return image

    def paint(self, stripe: float) -> np.ndarray:
        """Give the source stripes; its pixels (size, size, 4)."""
        texels, places = self.texels(0)
        pixels = dilate(paint(texels, painted(places, stripe)), texels, 16)
        self.image.pixels.foreach_set(pixels.ravel())
        self.image.pack()
        return pixels

    def weight_error(self) -> float:
        """Of the target's groups as they are now."""
        found = read_weights(self.target, GROUPS)
        return float(np.abs(found - self.weights[1]).sum(axis=1).mean())

    def by_data_transfer(self, stripes: Sequence[float]) -> list[float]:
        """Errors of colours with each stripe, then that of weights, of Blender's own operator."""
        layer = bpy.context.view_layer
        self.source.select_set(True)
        self.target.select_set(True)
        layer.objects.active = self.source
        self.target.data.uv_layers.new(name="Given")
        self.source.data.uv_layers[0].name = "Given"
        bpy.ops.object.data_transfer(
            data_type="UV",
            loop_mapping="POLYINTERP_NEAREST",
            layers_select_src="ALL",
            layers_select_dst="NAME",
        )
        bpy.ops.object.data_transfer(
            data_type="VGROUP_WEIGHTS",
            vert_mapping="POLYINTERP_NEAREST",
            layers_select_src="ALL",
            layers_select_dst="NAME",
        )
        texels, places = self.texels(1)
        shape = read_shape(self.target)
        given = read_uv(self.target.data, "Given")[shape.corners][texels.points.face]
        uv = np.einsum("nc,nci->ni", texels.points.barycentric, given)
        errors = [
            _difference(sample(self.paint(stripe), uv), painted(places, stripe))
            for stripe in stripes
        ]
        errors.append(self.weight_error())
        self.source.data.uv_layers[0].name = UV_MAP
        self.target.data.uv_layers.remove(self.target.data.uv_layers["Given"])
        self.target.vertex_groups.clear()
        return errors

    def by_match(self, model: str, stripes: Sequence[float]) -> list[float]:
        """The same of this extension."""
        bpy.ops.diffusionnet.match(source="Source", target="Target", model=model)
        texels, places = self.texels(1)
        errors = []
        for stripe in stripes:
            self.paint(stripe)
            bpy.ops.diffusionnet.transfer(source="Source", target="Target", texture=True)
            image = bpy.data.images["Target Base Color"]
            pixels = np.empty(len(image.pixels), dtype=np.float32)
            image.pixels.foreach_get(pixels)
            pixels = pixels.reshape(self.size, self.size, 4)[texels.row, texels.column]
            errors.append(_difference(pixels, painted(places, stripe)))
            bpy.data.images.remove(image)
            self.target.data.materials.clear()
        bpy.ops.diffusionnet.transfer(source="Source", target="Target", weights=True)
        return [*errors, self.weight_error()]


def _difference(found: np.ndarray, wanted: np.ndarray) -> float:
    """Mean absolute difference of the three channels."""
    return float(np.abs(found - wanted)[:, :3].mean())


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--vertices", type=int, default=4000)
    parser.add_argument("--stylised", type=float, default=0.0)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--model", default="body_match", help="name, path, or NONE")
    chosen = parser.parse_args()
    diffusionnet_blender.register()
    first = FIRST_HELD_OUT_SEED
    seeds = range(first, first + chosen.pairs + 1)
    bodies = [sample_matched_body(seed, chosen.stylised, chosen.vertices) for seed in seeds]
    rows = []
    for source, target in zip(bodies[:-1], bodies[1:], strict=True):
        scene = Scene(source, target, chosen.size)
        clock = [time.process_time()]
        errors = scene.by_data_transfer(STRIPES)
        clock.append(time.process_time())
        errors += scene.by_match(chosen.model, STRIPES)
        clock.append(time.process_time())
        rows.append([*errors, *np.diff(clock)])
        print(*(f"{value:8.4f}" for value in rows[-1]), flush=True)
    columns = [*(f"stripes of {stripe} m" for stripe in STRIPES), "weights"]
    *errors, plain_seconds, seconds = np.mean(rows, axis=0).tolist()
    plain, ours = errors[: len(columns)], errors[len(columns) :]
    print(f"{chosen.pairs} pairs of {chosen.vertices} vertices, images of {chosen.size} texels")
    print(f"{'':20}{'Data Transfer':>15}{'match, transfer':>17}{'ratio':>8}")
    for name, theirs, own in zip(columns, plain, ours, strict=True):
        print(f"{name:20}{theirs:15.4f}{own:17.4f}{theirs / own:8.1f}")
    print(f"{'CPU s':20}{plain_seconds:15.1f}{seconds:17.1f}")
    found = {
        "pairs": chosen.pairs,
        "vertices": chosen.vertices,
        "size": chosen.size,
        "columns": columns,
        "data transfer": {"errors": plain, "cpu": plain_seconds},
        "match and transfer": {"errors": ours, "cpu": seconds},
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
    leave()
