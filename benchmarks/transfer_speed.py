"""Seconds and peak memory of matching two bodies and moving a texture and skin weights.

python -m benchmarks.transfer_speed                 # 5k, 20k and 100k vertices, 2048 texels
python -m benchmarks.transfer_speed --sizes 5000
python -m benchmarks.transfer_report                # what was measured, into docs/transfer.md

Each size has a process of its own. Its first match imports libraries, as the first one of a session
does; *second match* is the same one in the same process, of which nothing is kept. The target has
no UV map: making one is part of the texture's seconds, as an artist meets it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

import numpy as np

from benchmarks.meshes import BUILD, ROOT, load
from benchmarks.meter import Meter

SIZES = (5_000, 20_000, 100_000)
RESULT = BUILD / "transfer_speed.json"


def add_object(name: str, mesh: dict[str, np.ndarray]):
    """A body as an object of the scene."""
    import bpy

    data = bpy.data.meshes.new(name)
    data.from_pydata(mesh["vertices"].tolist(), [], mesh["faces"].tolist())
    obj = bpy.data.objects.new(name, data)
    bpy.context.collection.objects.link(obj)
    return obj


def add_paint(obj, size: int) -> None:
    """A UV map, and an image of noise in a material."""
    import bpy

    from diffusionnet_blender.scene.unwrap import UV_MAP, unwrapped_uv
    from training.materials import image_material

    uv = unwrapped_uv(obj)
    obj.data.uv_layers.new(name=UV_MAP).data.foreach_set("uv", uv.astype(np.float32).ravel())
    image = bpy.data.images.new("Paint", size, size)
    noise = np.random.default_rng(0).random((size, size, 4), dtype=np.float32)
    image.pixels.foreach_set(noise.ravel())
    image.pack()
    obj.data.materials.append(image_material("Paint", image, roughness=0.5))


def measure(size: int, texels: int) -> dict[str, dict]:
    """The stages of one pair, see `meter.Meter`."""
    import bpy

    import diffusionnet_blender
    from diffusionnet_blender.scene.vertex_groups import write_vertex_groups

    diffusionnet_blender.register()
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    mesh = load("body", size)
    source, target = add_object("Source", mesh), add_object("Target", load("other body", size))
    add_paint(source, texels)
    parts = np.unique(mesh["labels"])
    weights = (mesh["labels"][:, None] == parts).astype(np.float32)
    write_vertex_groups(source, [f"part {part}" for part in parts], weights)
    bpy.context.view_layer.update()

    meter = Meter()
    pair = {"source": source.name, "target": target.name}
    for stage in ("match", "second match"):
        meter.enter(stage)
        bpy.ops.diffusionnet.match(**pair)
    meter.enter("texture")
    bpy.ops.diffusionnet.transfer(**pair, texture=True, texture_size=texels)
    meter.enter("weights")
    bpy.ops.diffusionnet.transfer(**pair, weights=True)
    meter.leave()
    return meter.stages


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--texels", type=int, default=2048, help="side of the image")
    parser.add_argument("--case", type=int, help="one size, in this process; prints JSON")
    chosen = parser.parse_args()
    if chosen.case:
        print(json.dumps(measure(chosen.case, chosen.texels)), flush=True)
        # bpy as a Python module crashes at exit while classes are registered.
        os._exit(0)
    print(f"images of {chosen.texels} texels; wall seconds (CPU seconds, peak memory in MB)")
    found = {"texels": chosen.texels, "sizes": {}}
    for size in chosen.sizes:
        command = [sys.executable, "-m", "benchmarks.transfer_speed", "--case", str(size)]
        command += ["--texels", str(chosen.texels)]
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        stages = json.loads(done.stdout.splitlines()[-1])
        told = (
            f"{name} {stage['wall']:.1f} s ({stage['cpu']:.1f} s, {stage['memory'] / 1e6:,.0f} MB)"
            for name, stage in stages.items()
        )
        print(f"{size:>8,}  " + "   ".join(told), flush=True)
        found["sizes"][size] = stages
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
