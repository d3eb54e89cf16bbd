"""Scene to task and back, for one object: what the button and the command line share."""

from __future__ import annotations

from collections.abc import Callable

import bpy

from ..scene.read import ObjectGeometry, read_object, read_rest_shape, require_same_topology
from ..scene.results import label_result
from ..scene.write import require_writable


def segment_object(
    obj: bpy.types.Object,
    model,
    *,
    depsgraph: bpy.types.Depsgraph | None = None,
    use_rest_shape: bool = False,
    exact: bool = False,
    clean: bool = False,
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
    exact, clean, engine, device, cache, progress
        As `tasks.segment.segment` takes them.

    Returns
    -------
    geometry : ObjectGeometry
    segmentation : Segmentation
    result : LabelResult
        For `scene.write.write_labels`.
    """
    # SciPy and torch are slow to import: not before they are needed.
    from ..tasks.segment.pipeline import segment

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
        clean=clean,
        cache=cache,
        progress=progress,
    )
    result = label_result(
        geometry,
        segmentation.vertex_probabilities,
        segmentation.class_names,
        segmentation.class_colours,
        segmentation.model_name,
        segmentation.seconds,
    )
    return geometry, segmentation, result
