"""Measure one case in this process, and write what was found.

python -m benchmarks.measure CASE.json RESULT.json [ARRAYS.npz]

CASE.json holds the fields of `case.Case`. ARRAYS.npz takes eigenpairs and labels, to compare.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks import meshes
from benchmarks.case import Case
from benchmarks.meter import Meter, peak_memory
from benchmarks.variants import VARIANTS
from diffusionnet_blender.network.checkpoint import Model
from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.network.frameless import frameless
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.surface.discretization import Discretization, normalise
from diffusionnet_blender.surface.edges import directed_edges
from diffusionnet_blender.surface.frames import tangent_frames
from diffusionnet_blender.surface.gradient import gradient_matrices
from diffusionnet_blender.surface.loose_parts import label_parts
from diffusionnet_blender.surface.prepare import PreparedSurface
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.winding import vertex_normals
from diffusionnet_blender.tasks.models import find_model
from diffusionnet_blender.tasks.segment import segment
from diffusionnet_blender.tasks.sides import mirrored_classes

MODEL = "body_parts"
MATRICES = meshes.BUILD / "matrices"
MATRICES_BYTES = 32 * 1024**3
WARM_UP = 642


def main() -> None:
    """Measure a case."""
    case = Case(**json.loads(Path(sys.argv[1]).read_text()))
    arrays = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    meter = Meter()
    found = {
        "baseline": baseline,
        "ours": ours,
        "network": network_alone,
        "scene": scene,
        "click": click,
    }[case.program](case, meter)
    meter.leave()
    peaks = [stage["memory"] for stage in meter.stages.values() if stage["memory"]]
    result = {
        "case": asdict(case),
        "vertices": len(meshes.load(case.mesh, case.size)["vertices"]),
        "stages": meter.stages,
        "memory": max([*peaks, peak_memory() or 0]) or None,
    }
    if arrays and found:
        np.savez(arrays, **found)
    Path(sys.argv[2]).write_text(json.dumps(result))


def baseline(case: Case, meter: Meter) -> dict:
    """The plain way, on the mesh that this project's repair leaves."""
    from benchmarks import baseline as plain

    model = _plain_model()
    k = model.card.discretization.k

    def run(surface, meter):
        clean = repair(surface)
        vertices, faces = normalise(clean.surface, "area"), clean.surface.faces
        meter.enter("laplacian")
        edges = directed_edges(faces)
        laplacian, mass = plain.laplacian_and_mass(vertices, faces, edges)
        meter.enter("eigenbasis")
        eigenvalues, eigenvectors = plain.eigenbasis(laplacian, mass, k)
        meter.enter("gradient")
        frames = tangent_frames(vertex_normals(vertices, faces))
        plain.gradient_matrices(vertices, edges, frames)
        meter.leave()
        # Labels are compared with this project's gradient on both sides, so that they tell of
        # the eigenbasis alone; the products cost the same.
        gradients = [g.astype(np.float32) for g in gradient_matrices(vertices, edges, frames)]
        shape = Discretization(
            vertices.astype(np.float32),
            faces,
            mass.astype(np.float32),
            laplacian,
            eigenvalues.astype(np.float32),
            eigenvectors.astype(np.float32),
            *gradients,
            label_parts(len(vertices), edges),
        )
        meter.enter("features")
        features = input_features(shape, model.card.features)
        meter.enter("network")
        probabilities = plain.class_probabilities(
            model.weights,
            model.card.architecture.blocks,
            shape.mass,
            shape.eigenvalues,
            shape.eigenvectors,
            gradients,
            features,
            mirrored_classes(model.card.class_names),
            model.card.temperature,
        )
        meter.leave()
        return {
            "mass": mass,
            "eigenvalues": eigenvalues,
            "eigenvectors": eigenvectors,
            "labels": clean.to_user_vertices(probabilities).argmax(axis=1),
        }

    run(Surface(*meshes.bumpy_sphere(WARM_UP)), Meter())
    return run(_surface(case), meter)


class _Held:
    """A cache that finds nothing and stores nothing until the measurement is over."""

    def __init__(self, meter: Meter):
        self.cache = OperatorCache(MATRICES, MATRICES_BYTES)
        self.meter, self.held = meter, None

    def load(self, key: str) -> None:
        self.meter.enter("repair")

    def store(self, key: str, prepared: PreparedSurface) -> None:
        self.held = (key, prepared)
        self.meter.enter("features")

    def release(self) -> PreparedSurface:
        self.cache.store(*self.held)
        return self.held[1]


def ours(case: Case, meter: Meter) -> dict:
    """This project, from the mesh to labels."""
    model = _warm_model(case)
    cache = _Held(meter)
    found = _segment(_surface(case), model, case, meter, cache)
    prepared = cache.release()
    labels = {"labels": found.vertex_labels}
    if prepared.proxy_size:
        return labels
    shape = prepared.discretization
    return {"eigenvalues": shape.eigenvalues, "eigenvectors": shape.eigenvectors, **labels}


def network_alone(case: Case, meter: Meter) -> dict:
    """The network of this project on the matrices that the last run of `ours` left."""
    model = _warm_model(case)
    cache = OperatorCache(MATRICES, MATRICES_BYTES)
    _segment(_surface(case), model, case, meter, cache)
    return {}


def _plain_model() -> Model:
    """The model without a frame, which the baseline has no place for: as many passes."""
    return frameless(find_model(MODEL))


def _warm_model(case: Case):
    """The model, after a run on a small mesh that brings every import."""
    model = _plain_model()
    small = Surface(*meshes.bumpy_sphere(WARM_UP))
    segment(small, model, engine=case.engine, device="cpu", **VARIANTS[case.variant].keywords)
    return model


def _segment(surface: Surface, model, case: Case, meter: Meter, cache: OperatorCache):
    found = segment(
        surface,
        model,
        engine=case.engine,
        device="cpu",
        # The baseline leaves borders as the network gives them.
        clean=False,
        cache=cache,
        progress=lambda stage, fraction: meter.enter(stage),
        **VARIANTS[case.variant].keywords,
    )
    meter.leave()
    # The task times its own stages more finely than its progress tells.
    for stage, wall in found.seconds.items():
        meter.stages.setdefault(stage, {"cpu": None, "memory": None})["wall"] = wall
    return found


def scene(case: Case, meter: Meter) -> dict:
    """A Blender object read, and labels written to it as the default outputs."""
    from diffusionnet_blender.scene.options import Outputs
    from diffusionnet_blender.scene.read import read_object
    from diffusionnet_blender.scene.write import write_labels
    from diffusionnet_blender.tasks.labels import Labels

    card = find_model(MODEL).card
    obj = _character(case)
    meter.enter("read")
    geometry = read_object(obj)
    meter.leave()
    # Bands from foot to head stand for parts.
    bands = len(card.class_names)
    height = geometry.surface.vertices[:, 2]
    band = np.minimum(bands * (height - height.min()) / np.ptp(height), bands - 1).astype(np.int32)
    result = Labels(
        class_names=card.class_names,
        class_colours=np.array(card.class_colours),
        vertex_probabilities=np.eye(bands, dtype=np.float32)[band],
        polygon_labels=band[geometry.surface.faces[:, 0]],
        polygon_areas=geometry.polygon_areas,
        topology=geometry.polygons.topology,
        model_name=card.name,
    )
    meter.enter("write")
    write_labels(obj, result, Outputs())
    meter.leave()
    return {}


def click(case: Case, meter: Meter) -> dict:
    """From the press of the button to written labels, in a fresh Blender; then once more."""
    if case.engine == "torch":
        import torch  # noqa: F401  Blender's first import of it is not what is measured.
    else:
        sys.modules["torch"] = None  # A Blender without torch.
    assert (find_spec("torch") is not None) == (case.engine == "torch")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder
        import bpy

        obj = _character(case)
        for stage in ("first click", "second click"):
            meter.enter(stage)
            bpy.ops.diffusionnet.segment(model=MODEL)
        meter.leave()
        assert obj.data.attributes["part_vertex"].domain == "POINT"
    return {}


def _surface(case: Case) -> Surface:
    mesh = meshes.load(case.mesh, case.size)
    return Surface(mesh["vertices"], mesh["faces"])


def _character(case: Case):
    """The mesh as the only object of a scene, selected, with the extension registered."""
    import bpy

    import diffusionnet_blender

    diffusionnet_blender.register()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    arrays = meshes.load(case.mesh, case.size)
    vertices, faces = arrays["vertices"], arrays["faces"]
    mesh = bpy.data.meshes.new("Character")
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", vertices.astype(np.float32).ravel())
    mesh.loops.add(faces.size)
    mesh.loops.foreach_set("vertex_index", faces.astype(np.int32).ravel())
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, 3, dtype=np.int32))
    mesh.update(calc_edges=True)
    obj = bpy.data.objects.new("Character", mesh)
    bpy.context.scene.collection.objects.link(obj)
    obj.select_set(True)
    return obj


if __name__ == "__main__":
    main()
    # bpy as a Python module crashes at exit while classes are registered.
    sys.stdout.flush()
    os._exit(0)
