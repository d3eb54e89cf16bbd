"""Request and result of a segmentation."""

from __future__ import annotations

from dataclasses import dataclass

from ...network.checkpoint import Model
from ...options import option
from ...surface.cache import OperatorCache
from ...surface.repair_report import RepairReport
from ...surface.surface import Surface
from ..compute import Compute
from ..labels import Labels, Polygons
from ..models import DEFAULT_MODEL


@dataclass(frozen=True, eq=False)
class SegmentRequest(Compute):
    """A surface to label.

    Attributes
    ----------
    surface : Surface
        A mesh or a point cloud.
    model : str or Model
    template : Surface, optional
        The same vertices and faces in their rest shape: the matrices are then those of the rest
        shape, which every pose of it shares, and the surface itself gives the positions. A model
        without positions among its input features (as the bundled ones) then gives every pose the
        labels of the rest shape.
    polygons : Polygons, optional
        Which triangles make up which polygon; by default each is a polygon of its own.
    cache : OperatorCache, optional
        Makes the next run on the same geometry skip all but the network.
    exact, clean : bool
    """

    surface: Surface
    model: str | Model = option(
        DEFAULT_MODEL, "Model", "Name of a model, or path of a .safetensors file"
    )
    template: Surface | None = None
    polygons: Polygons | None = None
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


@dataclass(frozen=True, eq=False)
class Segmentation(Labels):
    """Parts of a surface.

    Attributes
    ----------
    repairs : RepairReport
        What had to be mended on the way; the input is untouched.
    seconds : dict of str to float
        Of each stage; stages that the cache saved are missing.
    engine, device : str
        What the network ran on.
    proxy_size : int or None
        Vertices of the proxy that stood for a dense surface; None where every vertex counted.
    skin_size : int or None
        Vertices of the outer skin that was looked at beside the surface; None where it was not.
    """

    repairs: RepairReport
    seconds: dict[str, float]
    engine: str
    device: str
    proxy_size: int | None = None
    skin_size: int | None = None

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
