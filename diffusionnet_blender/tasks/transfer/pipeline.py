"""Transfer of each layer along the map from target to source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...errors import DiffusionNetError, LayoutError
from ...matching.transfer.attributes import (
    transfer_corner_values,
    transfer_labels,
    transfer_values,
)
from ...matching.transfer.joints import carry_joints
from ...matching.transfer.uv import copy_uv
from ...matching.transfer.weights import (
    inpaint,
    normals_agree,
    skinned_points,
    transfer_weights,
)
from ...surface.repair import weld
from ...surface.surface import triangle_areas
from ..progress import Progress
from .keys import moved_keys
from .layers import (
    Attribute,
    Bones,
    CopiedLayout,
    KeyContact,
    MeshShape,
    Moved,
    Weights,
)
from .request import TransferRequest
from .textures import TextureTransfer
from .trust import require_trusted
from .welded import WeldedPair, required

# Ratio of the scales in two directions above which a triangle of a copied layout is stretched.
STRETCHED = 4.0
# A mapped bone below this share of its expected length has lost its direction.
SHORTEST = 0.05


def moved(request: TransferRequest, progress: Progress) -> Moved:
    """Layers of the target, see `job.run`."""
    require_trusted(request)
    source, target, layers = request.source, request.target, request.layers
    points = request.target_to_source
    welded = WeldedPair(source, target, points)
    layout = weights = trusted = keys = slots = labels = bones = None
    contacts: tuple[KeyContact, ...] = ()
    textures: dict[str, np.ndarray] = {}
    tiles: dict[str, dict[int, np.ndarray]] = {}
    remarks: tuple[str, ...] = ()
    relaid = ""
    if layers.copy_uv:
        progress("uv", 0.0)
        layout = _layout(welded, required(layers.uv, "UV layout"))
    if layers.textures:
        transferred, relaid = _textures(welded, request, progress)
        textures, tiles, remarks = transferred.textures, transferred.tiles, transferred.remarks
    if layers.weights is not None:
        progress("weights", 0.0)
        weights, trusted = _weights(
            welded, layers.weights, request, lambda fraction: progress("weights", fraction)
        )
    if layers.keys is not None:
        progress("shape keys", 0.0)
        keys, contacts = moved_keys(
            welded, layers.keys, request, lambda fraction: progress("shape keys", fraction)
        )
    progress("attributes", 0.0)
    attributes = tuple(_attribute(welded, attribute) for attribute in layers.attributes)
    if layers.move_slots:
        polygon_slots = required(layers.slots, "material slots")
        slots = welded.majority(polygon_slots[source.polygon_of_triangle])
    if layers.labels is not None:
        labels = transfer_values(points, source.triangles, layers.labels)
    if layers.bones is not None:
        progress("armature", 0.0)
        bones = _bones(welded, layers.bones, request)
    return Moved(
        layout,
        textures,
        slots,
        weights,
        trusted,
        keys,
        attributes,
        labels,
        bones,
        tiles,
        remarks,
        relaid,
        _unmatched_polygons(target, request.unmatched),
        contacts,
    )


def _unmatched_polygons(target: MeshShape, unmatched: np.ndarray | None) -> np.ndarray | None:
    """Polygons (P,) of which most corners are at vertices (V,) without a counterpart."""
    if unmatched is None:
        return None
    polygon = np.repeat(target.polygon_of_triangle, 3)
    count = np.bincount(polygon, minlength=target.polygon_count)
    return np.bincount(polygon, unmatched[target.triangles].ravel(), len(count)) > 0.5 * count


def _textures(
    welded: WeldedPair, request: TransferRequest, progress: Progress
) -> tuple[TextureTransfer, str]:
    """Textures in the target's layout, or in the spare one and why that cannot hold them."""
    try:
        return TextureTransfer(welded, request, progress), ""
    except LayoutError as error:
        if request.spare_uv is None:
            raise
        reason = error.message
    spare = replace(request, target_uv=request.spare_uv)
    return TextureTransfer(welded, spare, progress), reason


def _layout(welded: WeldedPair, uv: np.ndarray) -> CopiedLayout:
    """Layout of the source (L_s, 2) at the corners of the target."""
    target = welded.target
    faces = welded.whole[target.triangles]
    # A polygon lies in one island, the one of its largest triangle.
    area = triangle_areas(target.vertices, target.triangles)
    order = np.lexsort((area, target.polygon_of_triangle))
    main = np.zeros(target.polygon_count, dtype=np.int64)
    main[target.polygon_of_triangle[order]] = order
    copied = copy_uv(
        welded.inside,
        welded.source_mesh,
        uv[welded.source.corners],
        (target.vertices, faces),
        main[target.polygon_of_triangle],
    )
    at_corners = np.zeros((target.corner_count, 2))
    at_corners[target.corners[::-1]] = copied.uv[::-1]
    face, opposite = np.nonzero(copied.seam)
    seams = np.stack([target.triangles[face, (opposite + i) % 3] for i in (1, 2)], axis=1)
    return CopiedLayout(
        uv=at_corners,
        seams=np.unique(np.sort(seams, axis=1), axis=0),
        flipped=len(np.unique(target.polygon_of_triangle[copied.flipped])),
        stretched=len(np.unique(target.polygon_of_triangle[copied.stretch > STRETCHED])),
    )


def _weights(
    welded: WeldedPair,
    weights: Weights,
    request: TransferRequest,
    progress: Callable[[float], None],
) -> tuple[Weights, np.ndarray]:
    """Vertex groups of the target, and the vertices where they were copied, (V,) bool.

    At the others they were inpainted.
    """
    target, points = welded.target_mesh, welded.points[welded.kept]
    faces = welded.source_faces
    sure = request.confidence[welded.kept] >= request.least_confidence
    if request.offset is None:
        sure &= normals_agree(points, welded.source_mesh, target)
    trusted = sure
    values = np.zeros((len(welded.kept), len(weights.names)))
    skin, masks = (np.flatnonzero(chosen) for chosen in (weights.deforming, ~weights.deforming))
    kept = request.kept
    # Where groups of the target stay as they are, one row for all vertices or one for each.
    locked = _locked(weights, kept)
    if locked is not None and len(locked) > 1:
        locked = locked[welded.kept]
    if len(skin) and not (locked is not None and locked[:, skin].all()):
        skinned = weights.skinned
        if skinned is None:
            skinned = weights.values[:, skin].any(axis=1)
        if not skinned.any():
            raise DiffusionNetError(
                "No vertex of the source has a skin weight", "Choose groups with weights."
            )
        on_skin, usable = skinned_points(points, faces, skinned)
        trusted = sure & usable
        values[:, skin] = transfer_weights(
            on_skin,
            faces,
            weights.values[:, skin],
            target,
            trusted,
            request.limit,
            None if locked is None else locked[:, skin],
            None if kept is None else kept.values[welded.kept][:, kept.deforming],
            progress,
        )
    if len(masks):
        copied = points.interpolate(np.asarray(weights.values[:, masks], float), faces)
        # Without any trusted vertex there is nothing to inpaint from, and all values are copied.
        fixed = sure if sure.any() else np.ones_like(sure)
        values[:, masks] = np.clip(inpaint(*target, copied, fixed, progress), 0.0, 1.0)
    if kept is not None and locked is not None:
        for number in np.flatnonzero(locked.any(axis=0)):
            own = kept.values[welded.kept][:, kept.names.index(weights.names[number])]
            values[:, number] = np.where(locked[:, number], own, values[:, number])
    transferred = Weights(weights.names, welded.expanded(values), weights.deforming)
    return transferred, welded.expanded(trusted)


def _locked(weights: Weights, kept: Weights | None) -> np.ndarray | None:
    """Which of the groups are kept, (1, B) or (V_t, B) bool; None for none."""
    if kept is None:
        return None
    columns = [kept.names.index(n) if n in kept.names else -1 for n in weights.names]
    here = np.ones((1, len(kept.names)), bool) if kept.here is None else kept.here
    return here[:, columns] & (np.array(columns) >= 0)


def _bones(welded: WeldedPair, bones: Bones, request: TransferRequest) -> Bones:
    """Bones between mapped joints; bones that meet in a joint still do so.

    In place, joints stay where they are.
    """
    offset = request.offset
    if offset is not None:
        return Bones(bones.names, bones.heads - offset, bones.tails - offset, bones.upward)
    skin = required(bones.influence, "skin weights of its bones").T
    ends = np.concatenate([bones.heads, bones.tails])
    joint = weld(ends)
    used, joint = np.unique(joint, return_inverse=True)
    influence = np.zeros((len(welded.source.vertices), len(used)))
    np.add.at(influence.T, joint, np.concatenate([skin, skin]))
    carried = carry_joints(
        welded.points[welded.kept],
        welded.source_mesh,
        welded.target_mesh,
        ends[used],
        influence,
        request.confidence[welded.kept],
        [
            (
                own.centre(welded.source.vertices, welded.source.triangles),
                other.centre(welded.target.vertices, welded.target.triangles),
            )
            for own, other in request.joints.values()
        ],
    )
    head, tail = joint.reshape(2, -1)
    heads, tails = carried.positions[head], carried.positions[tail]
    axes = bones.tails - bones.heads
    turned = carried.scales[head, None] * np.einsum("bij,bj->bi", carried.turns[head], axes)
    # Blender removes bones of zero length.
    lost = np.linalg.norm(tails - heads, axis=1) < SHORTEST * np.linalg.norm(turned, axis=1)
    tails[lost] = heads[lost] + turned[lost]
    upward = np.einsum("bij,bj->bi", carried.turns[head], bones.upward)
    return Bones(bones.names, heads, tails, upward)


def _attribute(welded: WeldedPair, attribute: Attribute) -> Attribute:
    """An attribute at the elements of the target: interpolated, or by majority for integers."""
    source, values = welded.source, attribute.values
    is_continuous = np.issubdtype(values.dtype, np.floating)
    if attribute.domain == "POINT":
        method = transfer_values if is_continuous else transfer_labels
        transferred = method(welded.points, source.triangles, values)
    elif attribute.domain == "CORNER":
        points, at_corners = welded.corner_points(), values[source.corners]
        if is_continuous:
            transferred = transfer_corner_values(points, at_corners)
        else:
            transferred = at_corners[points.face, points.barycentric.argmax(axis=1)]
    elif is_continuous:
        points, polygon = welded.face_points()
        samples = values[source.polygon_of_triangle[points.face]].astype(float)
        total = np.zeros((welded.target.polygon_count, *values.shape[1:]))
        np.add.at(total, polygon, samples)
        count = np.maximum(np.bincount(polygon, minlength=len(total)), 1)
        transferred = (total.T / count).T.astype(values.dtype)
    else:
        transferred = welded.majority(values[source.polygon_of_triangle])
    return Attribute(attribute.name, attribute.data_type, attribute.domain, transferred)
