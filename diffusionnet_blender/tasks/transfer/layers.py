"""Layers of data on a mesh, as arrays: skin weights, UV layouts, textures, shape keys."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...errors import DiffusionNetError
from ...surface.surface import Surface


@dataclass(frozen=True, eq=False)
class MeshShape:
    """A mesh of polygons, triangulated.

    Attributes
    ----------
    vertices : (V, 3) float64
    triangles : (F, 3) int64
        With outward normals.
    corners : (F, 3) int64
        Corner of the polygons that each corner of a triangle is.
    polygon_of_triangle : (F,) int64
    corner_count, polygon_count : int
    """

    vertices: np.ndarray
    triangles: np.ndarray
    corners: np.ndarray
    polygon_of_triangle: np.ndarray
    corner_count: int
    polygon_count: int

    @classmethod
    def of(cls, surface: Surface) -> MeshShape:
        """The shape of a surface whose triangles are its polygons."""
        count = len(surface.faces)
        return cls(
            vertices=surface.vertices,
            triangles=surface.faces,
            corners=np.arange(3 * count).reshape(-1, 3),
            polygon_of_triangle=np.arange(count),
            corner_count=3 * count,
            polygon_count=count,
        )


@dataclass(frozen=True, eq=False)
class Texture:
    """One channel of the source's materials: an image or a constant for each material.

    Attributes
    ----------
    name : str
        Of the channel: "Base Color", "Roughness", "Normal" ...
    images : dict of int to (H, W, 4) float32
        By material slot; row 0 is at v = 0.
    constants : dict of int to (4,) float
        Of slots without an image. Slots without either are black.
    is_normal_map : bool
        In tangent space.
    layouts : dict of int to (L, 2) float
        UVs that the image of a slot is read through; those of slots that are not named are
        `Layers.uv`.
    frames : dict of int to (L, 2) float
        UVs whose tangents the normal map of a slot is made for; as `layouts` where not named.
    extensions : dict of int to {"REPEAT", "EXTEND", "CLIP", "MIRROR"}
        What is outside the image of a slot; where not named, it repeats.
    closest : tuple of int
        Slots whose images are not interpolated.
    size : (height, width), optional
        Of the new image, if the request names none; by default that of the largest image.

    Raises
    ------
    DiffusionNetError
        If an image has no size, or is of another shape; if there is neither an image nor a size.
    """

    name: str
    images: dict[int, np.ndarray]
    constants: dict[int, np.ndarray] = field(default_factory=dict)
    is_normal_map: bool = False
    layouts: dict[int, np.ndarray] = field(default_factory=dict)
    frames: dict[int, np.ndarray] = field(default_factory=dict)
    extensions: dict[int, str] = field(default_factory=dict)
    closest: tuple[int, ...] = ()
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not self.images and self.size is None:
            raise DiffusionNetError(f"{self.name} has no image", "Give an image, or a size.")
        for slot, image in self.images.items():
            if image.ndim != 3 or image.shape[2] != 4 or not image.size:
                raise DiffusionNetError(
                    f"The image of {self.name} in material slot {slot} has the shape {image.shape}",
                    "Give height, width and four channels, none of them 0.",
                )


@dataclass(frozen=True, eq=False)
class Weights:
    """Vertex groups.

    Attributes
    ----------
    names : tuple of B str
    values : (V, B) float
    deforming : (B,) bool
        Skin weights, which sum to one at each vertex; the others are masks, independent of each
        other.
    skinned : (V,) bool, optional
        Of a source: vertices with a skin weight, of these bones or of others. By default those
        with one of these. The weights of the others are inpainted on a target.
    here : (V, B) bool, optional
        Of groups that a target keeps: where it has them. By default everywhere.
    """

    names: tuple[str, ...]
    values: np.ndarray
    deforming: np.ndarray
    skinned: np.ndarray | None = None
    here: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class ShapeKeys:
    """Shape keys.

    Attributes
    ----------
    names : tuple of K str
    positions : (K, V, 3) float
        Of every vertex at rest with this key alone, in the space of `MeshShape.vertices`.
    """

    names: tuple[str, ...]
    positions: np.ndarray


@dataclass(frozen=True)
class KeyContact:
    """What comes together in a moved shape key, as lips and lids.

    Attributes
    ----------
    name : str
    gap : float or None
        Mean difference of the gaps from what they are to be, as a share of the height of the part
        of the target, as a face; None where nothing comes together.
    sealed : bool
        Whether the key opens what is closed on the source and one surface on the target.
    """

    name: str
    gap: float | None
    sealed: bool


@dataclass(frozen=True, eq=False)
class Attribute:
    """Values on the elements of a mesh.

    Attributes
    ----------
    name : str
    data_type : str
        Blender's name of the type; passed through.
    domain : {"POINT", "CORNER", "FACE"}
    values : (N,) or (N, width)
        Floating point: interpolated. Integers and booleans: the most frequent value.
    """

    name: str
    data_type: str
    domain: str
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Bones:
    """The bones of an armature at rest.

    Attributes
    ----------
    names : tuple of B str
    heads, tails : (B, 3) float64
        In the space of `MeshShape.vertices`.
    upward : (B, 3) float64
        The z axis of each bone, which depends on its roll.
    influence : (V, B) float, optional
        Skin weights, 0 for bones without a vertex group; needed of a source.
    """

    names: tuple[str, ...]
    heads: np.ndarray
    tails: np.ndarray
    upward: np.ndarray
    influence: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Layers:
    """Layers of a source to transfer; others are None or empty.

    Attributes
    ----------
    uv : (L, 2) float, optional
        At the corners; needed for `copy_uv`, and for `textures` without layouts of their own.
    copy_uv : bool
    textures : tuple of Texture
    slots : (P,) int, optional
        Material slot of each polygon; needed for `textures` and `move_slots`.
    move_slots : bool
    weights : Weights, optional
    keys : ShapeKeys, optional
    attributes : tuple of Attribute
    labels : (V, C) float, optional
        Probabilities of parts.
    bones : Bones, optional
        With `influence`.
    """

    slots: np.ndarray | None = None
    uv: np.ndarray | None = None
    copy_uv: bool = False
    textures: tuple[Texture, ...] = ()
    move_slots: bool = False
    weights: Weights | None = None
    keys: ShapeKeys | None = None
    attributes: tuple[Attribute, ...] = ()
    labels: np.ndarray | None = None
    bones: Bones | None = None


@dataclass(frozen=True, eq=False)
class CopiedLayout:
    """A UV layout on the target.

    Attributes
    ----------
    uv : (L, 2) float64
    seams : (S, 2) int64
        Pairs of vertices.
    flipped : int
        Polygons whose orientation in the layout differs from the source's.
    stretched : int
        Polygons whose scales in two directions differ by more than `pipeline.STRETCHED` times.
    """

    uv: np.ndarray
    seams: np.ndarray
    flipped: int
    stretched: int


@dataclass(frozen=True, eq=False)
class Moved:
    """Layers computed for a target; None or empty where the source has none.

    Attributes
    ----------
    layout : CopiedLayout or None
    textures : dict of str to (H, W, 4) float32
        By channel; empty where the target's layout has UDIM tiles.
    slots : (P,) int or None
        Material slot of each polygon, as numbered on the source.
    weights : Weights or None
    trusted : (V,) bool or None
        Vertices whose weights were copied; at the others they were inpainted.
    keys : ShapeKeys or None
    contacts : tuple of KeyContact
        Of the keys in which something comes together, or ought to open.
    attributes : tuple of Attribute
    labels : (V, C) float or None
    bones : Bones or None
    tiles : dict of str to dict of int to (H, W, 4) float32
        By channel and UDIM number, for such a layout.
    remarks : tuple of str
        What the textures cannot show.
    relaid : str
        Why the textures are for `TransferRequest.spare_uv`; empty where they are for the target's
        own layout.
    unmatched : (P,) bool or None
        Polygons that keep the target's own material, as the source has no counterpart.
    """

    layout: CopiedLayout | None = None
    textures: dict[str, np.ndarray] = field(default_factory=dict)
    slots: np.ndarray | None = None
    weights: Weights | None = None
    trusted: np.ndarray | None = None
    keys: ShapeKeys | None = None
    attributes: tuple[Attribute, ...] = ()
    labels: np.ndarray | None = None
    bones: Bones | None = None
    tiles: dict[str, dict[int, np.ndarray]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    relaid: str = ""
    unmatched: np.ndarray | None = None
    contacts: tuple[KeyContact, ...] = ()
