"""Request of a transfer; its result is `layers.Moved`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...matching.joint_rings import JointPair
from ...matching.points import SurfacePoints
from ...options import option
from .layers import Layers, MeshShape, Weights


@dataclass(frozen=True, eq=False)
class TransferRequest:
    """Layers of a source, a target, the map between them, and the options of the transfer.

    Attributes
    ----------
    source, target : MeshShape
    target_to_source : SurfacePoints
        On the source's triangles, one for each vertex of the target.
    confidence : (V_t,) float
    layers : Layers
        Of the source.
    target_uv : (L_t, 2) float, optional
        Layout of the target; needed for textures.
    spare_uv : (L_t, 2) float, optional
        Another one, in which each face has room of its own: for textures that the first cannot
        hold.
    kept : Weights, optional
        Vertex groups of the target that keep their weights: locked ones that are also in `layers`,
        and skin weights of other bones. The moved skin weights add up to what the `deforming` ones
        leave.
    unmatched : (V_t,) bool, optional
        Vertices of the target without a counterpart on the source; by default none.
    joints : dict of str to JointPair
        Joints of both that are known beyond the map, see `Correspondence`.
    offset : (3,) float, optional
        Of a map found in place, see `Correspondence`: turns and joints are those of the source.
    texture_size, dilation, limit : int
    least_confidence : float
    small_keys : bool
        See the help texts.
    """

    source: MeshShape
    target: MeshShape
    target_to_source: SurfacePoints
    confidence: np.ndarray
    layers: Layers
    target_uv: np.ndarray | None = None
    spare_uv: np.ndarray | None = None
    kept: Weights | None = None
    unmatched: np.ndarray | None = None
    joints: dict[str, JointPair] = field(default_factory=dict)
    offset: np.ndarray | None = None
    texture_size: int = option(
        0,
        "Texture Size",
        "Width and height of the new images. 0: size of the source's images",
        minimum=0,
        maximum=16384,
        subtype="PIXEL",
    )
    dilation: int = option(
        16,
        "Margin",
        "Margin around UV islands in pixels, as in baking",
        minimum=0,
        soft_maximum=64,
        subtype="PIXEL",
        flag="margin",
    )
    limit: int = option(
        4,
        "Bone Limit",
        "Maximum number of bones with weight on a vertex. 0: no limit",
        minimum=0,
        soft_maximum=16,
    )
    least_confidence: float = option(
        0.3,
        "Confidence",
        "Below this confidence of the match, weights are not copied but interpolated smoothly "
        "from the vertices around",
        minimum=0.0,
        maximum=1.0,
        subtype="FACTOR",
    )
    small_keys: bool = option(
        False,
        "Small Keys",
        "Rotate and scale the offset of each vertex: fast, for small facial shape keys. Off: "
        "deformation transfer, for shape keys that move whole limbs",
    )
    accept_uncertain: bool = option(
        False,
        "Accept Uncertain",
        "Also move data that an uncertain match would ruin, such as textures and shape keys. Off: "
        "where few vertices of the match are confident, nothing is moved",
    )
