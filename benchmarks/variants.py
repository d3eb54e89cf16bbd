"""The ways in which this project makes the matrices: the one place that lists them."""

from __future__ import annotations

from dataclasses import dataclass

from diffusionnet_blender.surface.proxy import DENSE_SIZE


@dataclass(frozen=True)
class Variant:
    """One way.

    Attributes
    ----------
    title : str
        For tables and plots.
    keywords : dict
        What `tasks.segment.segment` is told.
    above : int
        Not measured on meshes of fewer vertices, where it is the same as another way.
    """

    title: str
    keywords: dict
    above: int = 0


VARIANTS = {
    "exact": Variant("exact", {"exact": True}),
    "dense": Variant("dense mode", {"exact": False}, above=DENSE_SIZE),
}
