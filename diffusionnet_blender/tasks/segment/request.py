"""Request and result of a segmentation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...network.checkpoint import Model
from ...options import option
from ...surface.cache import OperatorCache
from ...surface.repair_report import RepairReport
from ...surface.surface import Surface
from ..compute import Compute
from ..labels import Labels, Polygons
from ..models import DEFAULT_MODEL


@dataclass(frozen=True, eq=False)
class Carried:
    """A thing that is carried.

    Attributes
    ----------
    vertices : (n,) int
        Its vertices.
    carrier : (m,) int
        Vertices whose part it takes, none of them carried.
    """

    vertices: np.ndarray
    carrier: np.ndarray


@dataclass(frozen=True, eq=False)
class SegmentRequest(Compute):
    """A surface to segment, and the model and options for it.

    Attributes
    ----------
    surface : Surface
        A mesh or a point cloud.
    model : str or Model
        "rig" for the default model, with `known`.
    template : Surface, optional
        The same vertices and faces in their rest shape. The matrices are then those of the rest
        shape, which all poses share, with the positions of the surface. A model without positions
        among its input features (as the bundled ones) gives every pose the labels of the rest
        shape.
    polygons : Polygons, optional
        By default every triangle is a polygon.
    member : (V,) int32, optional
        Number of the object of each vertex of a character of several. Small ones far from all
        others take the part of the nearest vertex.
    carried : tuple of Carried
        What the figure carries, such as swords and helmets: no part of its shape.
    known : (V, C) float32, optional
        Probabilities that are known beforehand, as from the bones of an armature, and are kept as
        they are. Rows of zeros: by the network, which is not run without any.
    sides : (V,) int8, optional
        Side of a vertex where it is known, as by the bones of a rig: 1 left, -1 right, 0 unknown.
        By default those of the parts in `known`.
    cache : OperatorCache, optional
        Of the matrices, so that another run on the same geometry evaluates the network alone.
    exact, clean, props : bool
        See the help texts.
    """

    surface: Surface
    model: str | Model = option(
        DEFAULT_MODEL,
        "Model",
        "Name of a model, or path of a .safetensors file. rig: parts of the bones that move the "
        "mesh, and body_parts where no bone is known",
    )
    template: Surface | None = None
    polygons: Polygons | None = None
    member: np.ndarray | None = None
    carried: tuple[Carried, ...] = ()
    known: np.ndarray | None = None
    sides: np.ndarray | None = None
    cache: OperatorCache | None = None
    exact: bool = option(
        False,
        "Full Resolution",
        "Compute on every vertex of a mesh of more than 60,000 vertices, several times slower. "
        "Off: compute on a simplified proxy, with the same parts for nearly all vertices",
    )
    clean: bool = option(
        True,
        "Clean Labels",
        "Straighten borders where confidence is low, and merge islands into the surrounding parts",
    )
    props: bool = option(
        False,
        "Props Apart",
        "Label what a character carries (swords, shields, helmets) as a part of its own, props. "
        "Off: as the part that it hangs on",
    )


@dataclass(frozen=True, eq=False)
class Segmentation(Labels):
    """Parts of a surface: probabilities at vertices, classes of polygons.

    Attributes
    ----------
    repairs : RepairReport
        Repairs of a copy; the input is unchanged.
    seconds : dict of str to float
        Duration of each stage; without the stages whose result was in the cache.
    engine, device : str
        Of the network; empty where all was known without it.
    proxy_size : int or None
        Vertices of the proxy of a dense surface; None where all vertices were used.
    skin_size : int or None
        Vertices of the outer skin that was evaluated as well; None without.
    side_confidence : float or None
        Probability that left and right of the whole figure are not exchanged, 0.5 to 1. None where
        no class has a side, bones tell the sides, or the model does not judge a figure's frame.
    frame : (3, 3) float or None
        The upright frame of the figure: rows are the directions to its left, to its back, and up.
        None where the model does not judge it, or found none.
    """

    repairs: RepairReport
    seconds: dict[str, float]
    engine: str
    device: str
    proxy_size: int | None = None
    skin_size: int | None = None
    side_confidence: float | None = None
    frame: np.ndarray | None = None

    @property
    def remark(self) -> str:
        """Repairs, proxy and skin in one line for the user; empty for none."""
        parts = []
        if self.proxy_size:
            parts.append(f"by a proxy of {self.proxy_size:,} vertices")
        if self.skin_size:
            parts.append("with the outer skin of all parts")
        if self.repairs.summary():
            parts.append(f"mended on the way: {self.repairs.summary()}")
        return ", ".join(parts)
