"""Scene to task and back, for one object: what the button and the command line share."""

from __future__ import annotations

from collections.abc import Callable

import bpy

from ..scene.read import ObjectGeometry, read_object, read_rest_shape, require_same_topology
from ..scene.results import LabelResult
from ..scene.write import require_writable


def segment_object(
    obj: bpy.types.Object,
    model,
    *,
    depsgraph: bpy.types.Depsgraph | None = None,
    use_rest_shape: bool = False,
    exact: bool = False,
    engine: str = "auto",
    device: str = "auto",
    cache=None,
    progress: Callable[[str, float], None] = lambda stage, fraction: None,
):
    """Segment the mesh of an object; nothing is written.

    What would stop the result from being written is found out before anything is computed.

    Parameters
    ----------
    obj : bpy.types.Object
    model : Model
        From `tasks.models.find_model`.
    depsgraph : bpy.types.Depsgraph, optional
        Look at the evaluated mesh.
    use_rest_shape : bool
        Take the matrices of the mesh as modelled (`scene.read.read_rest_shape`), which all its
        poses share.
    exact, engine, device, cache, progress
        As `tasks.segment.segment` takes them.

    Returns
    -------
    geometry : ObjectGeometry
    segmentation : Segmentation
    result : LabelResult
        For `scene.write.write_labels`.
    """
    # SciPy and torch are slow to import: not before they are needed.
    from ..tasks.labels import polygon_labels
    from ..tasks.segment import segment

    geometry: ObjectGeometry = read_object(obj, depsgraph)
    require_writable(obj)
    require_same_topology(obj, geometry.topology)
    segmentation = segment(
        geometry.surface,
        model,
        engine=engine,
        device=device,
        template=read_rest_shape(obj) if use_rest_shape else None,
        exact=exact,
        cache=cache,
        progress=progress,
    )
    result = LabelResult(
        class_names=segmentation.class_names,
        class_colours=segmentation.class_colours,
        vertex_probabilities=segmentation.vertex_probabilities,
        polygon_labels=polygon_labels(
            segmentation.vertex_probabilities,
            geometry.surface.faces,
            geometry.areas,
            geometry.polygon_of_triangle,
            geometry.polygon_count,
        ),
        polygon_areas=geometry.polygon_areas,
        topology=geometry.topology,
        model_name=segmentation.model_name,
        seconds=segmentation.seconds,
    )
    return geometry, segmentation, result
