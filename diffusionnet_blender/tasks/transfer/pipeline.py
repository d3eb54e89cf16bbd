"""Transfer, layer by layer, along the map that `match` found."""

from __future__ import annotations

import numpy as np

from ...errors import DiffusionNetError
from ...matching.points import SurfacePoints
from ...matching.transfer.attributes import (
    face_labels_by_majority,
    transfer_corner_values,
    transfer_labels,
    transfer_values,
)
from ...matching.transfer.corners import MapInside
from ...matching.transfer.joints import carry_joints
from ...matching.transfer.shape_keys import deformation_transfer, rotated_offsets
from ...matching.transfer.texture import (
    TransferMap,
    dilate,
    frame_turns,
    paint,
    sample_bilinear,
    transfer_map,
    turned_normals,
)
from ...matching.transfer.uv import copy_uv
from ...matching.transfer.weights import (
    inpaint,
    normals_agree,
    transfer_weights,
)
from ...surface.repair import weld
from ...surface.surface import triangle_areas
from ..progress import Progress
from .layers import (
    Attribute,
    Bones,
    CopiedLayout,
    MeshShape,
    Moved,
    ShapeKeys,
    Texture,
    Weights,
)
from .request import TransferRequest

# Triangles of a copied layout are stretched where one direction is scaled so much more than the
# other.
STRETCHED = 4.0
# How far inside its triangle a corner is looked up, so that it falls on its own side of a seam.
INSET = 0.02
# A bone that comes out shorter than this share of what it should be has lost its direction.
SHORTEST = 0.05
FLAT_NORMAL = (0.5, 0.5, 1.0, 1.0)


def moved(request: TransferRequest, progress: Progress) -> Moved:
    """Compute the layers of the target, see `job.run`."""
    source, target, layers = request.source, request.target, request.layers
    points, confidence = request.target_to_source, request.confidence
    route = _Route(source, target, points)
    layout, textures, weights, trusted, keys = None, {}, None, None, None
    if layers.copy_uv:
        progress("uv", 0.0)
        layout = _layout(route, layers.uv)
    if layers.textures:
        textures = _textures(route, request, progress)
    if layers.weights is not None:
        progress("weights", 0.0)
        weights, trusted = _weights(route, request)
    if layers.keys is not None:
        progress("shape keys", 0.0)
        keys = _keys(route, layers.keys, request.small_keys)
    progress("attributes", 0.0)
    attributes = tuple(_attribute(route, attribute) for attribute in layers.attributes)
    slots = route.majority(layers.slots[source.polygon_of_triangle]) if layers.move_slots else None
    labels = None
    if layers.labels is not None:
        labels = transfer_values(points, source.triangles, layers.labels)
    bones = None
    if layers.bones is not None:
        progress("armature", 0.0)
        bones = _bones(route, layers.bones, confidence)
    return Moved(layout, textures, slots, weights, trusted, keys, attributes, labels, bones)


class _Route:
    """The map, and what all kinds of layers need of it.

    Vertices at one place (a glTF is split along its seams) are one here: the map must not end,
    and the target must not come apart, at a seam.
    """

    def __init__(self, source: MeshShape, target: MeshShape, points: SurfacePoints):
        self.source, self.target, self.points = source, target, points
        self.source_faces = weld(source.vertices)[source.triangles]
        self.whole = weld(target.vertices)
        self.kept = np.unique(self.whole)
        self.faces = np.searchsorted(self.kept, self.whole)[target.triangles]
        self.inside = MapInside(
            points[self.whole],
            source.vertices,
            self.source_faces,
            target.vertices,
            self.whole[target.triangles],
        )

    @property
    def source_mesh(self) -> tuple[np.ndarray, np.ndarray]:
        return self.source.vertices, self.source_faces

    @property
    def target_mesh(self) -> tuple[np.ndarray, np.ndarray]:
        """Without doubled vertices."""
        return self.target.vertices[self.kept], self.faces

    def expanded(self, values: np.ndarray) -> np.ndarray:
        """Values at the vertices of `target_mesh` at those of the target, (V, ...)."""
        return values[np.searchsorted(self.kept, self.whole)]

    def corner_points(self) -> SurfacePoints:
        """Where the target's corners are on the source, (L,)."""
        _, first = np.unique(self.target.corners, return_index=True)
        triangle, corner = np.divmod(first, 3)
        shares = np.full((len(first), 3), INSET)
        shares[np.arange(len(first)), corner] = 1 - 2 * INSET
        return self.inside(SurfacePoints(triangle, shares))

    def face_points(self) -> tuple[SurfacePoints, np.ndarray]:
        """Four points of each triangle on the source, and the polygon of each."""
        shares = np.concatenate([np.full((1, 3), 1 / 3), (np.eye(3) * 3 + 1) / 6])
        count = len(self.target.triangles)
        triangle = np.repeat(np.arange(count), len(shares))
        points = self.inside(SurfacePoints(triangle, np.tile(shares, (count, 1))))
        return points, self.target.polygon_of_triangle[triangle]

    def majority(self, labels: np.ndarray) -> np.ndarray:
        """Integers at the source's triangles at the target's polygons."""
        points, polygon = self.face_points()
        return face_labels_by_majority(points, polygon, labels, self.target.polygon_count)


def _layout(route: _Route, uv: np.ndarray) -> CopiedLayout:
    target = route.target
    faces = route.whole[target.triangles]
    # All of a polygon lies in the island that its largest triangle is mapped to.
    area = triangle_areas(target.vertices, target.triangles)
    order = np.lexsort((area, target.polygon_of_triangle))
    main = np.zeros(target.polygon_count, dtype=np.int64)
    main[target.polygon_of_triangle[order]] = order
    copied = copy_uv(
        route.inside,
        route.source_mesh,
        uv[route.source.corners],
        (target.vertices, faces),
        main[target.polygon_of_triangle],
    )
    made = np.zeros((target.corner_count, 2))
    made[target.corners[::-1]] = copied.uv[::-1]
    face, opposite = np.nonzero(copied.seam)
    seams = np.stack([target.triangles[face, (opposite + i) % 3] for i in (1, 2)], axis=1)
    return CopiedLayout(
        uv=made,
        seams=np.unique(np.sort(seams, axis=1), axis=0),
        flipped=len(np.unique(target.polygon_of_triangle[copied.flipped])),
        stretched=len(np.unique(target.polygon_of_triangle[copied.stretch > STRETCHED])),
    )


def _textures(route: _Route, request: TransferRequest, progress: Progress) -> dict:
    """Images of the target, (H, W, 4) float32 each, by channel."""
    layers = request.layers
    if request.target_uv is None:
        raise DiffusionNetError("The target has no UV map to bake into", "Unwrap it.")
    source_uv = layers.uv[route.source.corners]
    uv = request.target_uv[route.target.corners]
    slot = layers.slots[route.source.polygon_of_triangle]
    lookups: dict[tuple[int, int], tuple[TransferMap, np.ndarray | None]] = {}
    made = {}
    for number, texture in enumerate(layers.textures):
        size = _size(texture, request.texture_size)

        def tell(fraction, number=number):
            progress("texture", (number + fraction) / len(layers.textures))

        if size not in lookups:
            lookups[size] = transfer_map(route.inside, source_uv, uv, *size, tell)
        lookup = lookups[size]
        tell(0.9)
        colours = _colours(lookup, texture, slot)
        if texture.is_normal_map:
            turn = frame_turns(
                lookup,
                route.inside,
                (*route.source_mesh, source_uv),
                (route.target.vertices, route.target.triangles, uv),
            )
            colours = turned_normals(colours, turn)
        made[texture.name] = dilate(paint(lookup.texels, colours), lookup.texels, request.dilation)
    return made


def _size(texture: Texture, wanted: int) -> tuple[int, int]:
    if wanted:
        return wanted, wanted
    return max((image.shape[:2] for image in texture.images.values()), key=lambda s: s[0] * s[1])


def _colours(lookup: TransferMap, texture: Texture, slot_of_face: np.ndarray) -> np.ndarray:
    """Colours of all texels, each from the image of the material where it lands, (N, 4)."""
    slot = slot_of_face[lookup.source_points.face]
    colours = np.zeros((len(slot), 4), dtype=np.float32)
    colours[:] = FLAT_NORMAL if texture.is_normal_map else (0.0, 0.0, 0.0, 1.0)
    for number in np.unique(slot):
        here = slot == number
        if number in texture.images:
            image = texture.images[number]
            colours[here] = sample_bilinear(image, lookup.source_uv[here])
        elif number in texture.constants:
            colours[here] = texture.constants[number]
    return colours


def _weights(route: _Route, request: TransferRequest) -> tuple[Weights, np.ndarray]:
    """Vertex groups of the target, and where they were copied and not filled in, (V,) bool."""
    weights, locked = request.layers.weights, request.locked
    target, points = route.target_mesh, route.points[route.kept]
    faces = route.source_faces
    trusted = request.confidence[route.kept] >= request.least_confidence
    trusted &= normals_agree(points, route.source_mesh, target)
    made = np.zeros((len(route.kept), len(weights.names)))
    is_locked = np.zeros(len(weights.names), dtype=bool)
    stay = np.zeros_like(made)
    if locked is not None:
        column = [weights.names.index(name) for name in locked.names]
        is_locked[column] = True
        stay[:, column] = locked.values[route.kept]
    skin, masks = (np.flatnonzero(chosen) for chosen in (weights.deforming, ~weights.deforming))
    if len(skin):
        made[:, skin] = transfer_weights(
            points,
            faces,
            weights.values[:, skin],
            target,
            trusted,
            request.limit,
            is_locked[skin],
            stay[:, skin],
        )
    if len(masks):
        copied = points.interpolate(np.asarray(weights.values[:, masks], float), faces)
        # Where nothing is sure, what the map says is still better than nothing.
        known = trusted if trusted.any() else np.ones_like(trusted)
        made[:, masks] = np.clip(inpaint(*target, copied, known), 0.0, 1.0)
    made[:, is_locked] = stay[:, is_locked]
    moved = Weights(weights.names, route.expanded(made), weights.deforming)
    return moved, route.expanded(trusted)


def _keys(route: _Route, keys: ShapeKeys, small: bool) -> ShapeKeys:
    method = rotated_offsets if small else deformation_transfer
    made = method(route.points[route.kept], route.source_mesh, route.target_mesh, keys.positions)
    return ShapeKeys(keys.names, route.expanded(np.moveaxis(made, 0, 1)).swapaxes(0, 1))


def _bones(route: _Route, bones: Bones, confidence) -> Bones:
    """Every joint once, however many bones meet in it, so that a chain stays a chain."""
    ends = np.concatenate([bones.heads, bones.tails])
    joint = weld(ends)
    used, joint = np.unique(joint, return_inverse=True)
    influence = np.zeros((len(route.source.vertices), len(used)))
    np.add.at(influence.T, joint, np.concatenate([bones.influence.T, bones.influence.T]))
    carried = carry_joints(
        route.points[route.kept],
        route.source_mesh,
        route.target_mesh,
        ends[used],
        influence,
        confidence[route.kept],
    )
    head, tail = joint.reshape(2, -1)
    heads, tails = carried.positions[head], carried.positions[tail]
    way = bones.tails - bones.heads
    turned = carried.scales[head, None] * np.einsum("bij,bj->bi", carried.turns[head], way)
    # Blender takes a bone away whose ends meet.
    lost = np.linalg.norm(tails - heads, axis=1) < SHORTEST * np.linalg.norm(turned, axis=1)
    tails[lost] = heads[lost] + turned[lost]
    upward = np.einsum("bij,bj->bi", carried.turns[head], bones.upward)
    return Bones(bones.names, heads, tails, upward)


def _attribute(route: _Route, attribute: Attribute) -> Attribute:
    source, values = route.source, attribute.values
    counts = np.issubdtype(values.dtype, np.floating)
    if attribute.domain == "POINT":
        move = transfer_values if counts else transfer_labels
        moved = move(route.points, source.triangles, values)
    elif attribute.domain == "CORNER":
        points, at_corners = route.corner_points(), values[source.corners]
        if counts:
            moved = transfer_corner_values(points, at_corners)
        else:
            moved = at_corners[points.face, points.barycentric.argmax(axis=1)]
    elif counts:
        points, polygon = route.face_points()
        read = values[source.polygon_of_triangle[points.face]].astype(float)
        total = np.zeros((route.target.polygon_count, *values.shape[1:]))
        np.add.at(total, polygon, read)
        number = np.maximum(np.bincount(polygon, minlength=len(total)), 1)
        moved = (total.T / number).T.astype(values.dtype)
    else:
        moved = route.majority(values[source.polygon_of_triangle])
    return Attribute(attribute.name, attribute.data_type, attribute.domain, moved)
