"""Texts of reports: counts with their nouns, and the summary of a segmentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import bpy
import numpy as np

from ..tasks.labels import Labels
from ..tasks.segment.request import Segmentation
from ..tasks.transfer.layers import KeyContact

# A gap that is off by more than this share of the face is told by the name of its key.
APART = 0.01
PLURALS = {"mesh": "meshes", "vertex": "vertices"}


def counted(number: int, noun: str) -> str:
    """A number and its noun: "1 face", "1,200 faces"."""
    return f"{number:,} {noun if number == 1 else PLURALS.get(noun, f'{noun}s')}"


def listed(names: Sequence[str], most: int = 4, separator: str = ", ") -> str:
    """Names with commas between them, and how many more there are."""
    more = len(names) - most
    return separator.join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def counted_elements(obj: bpy.types.Object, number: int) -> str:
    """A number of faces, or of vertices for a point cloud."""
    return counted(number, "face" if len(obj.data.polygons) else "vertex")


def unsure_text(labels: Labels) -> str:
    """What a model is unsure of: "unsure: sides, head"."""
    return f"unsure: {', '.join(labels.doubts)}"


def contact_lines(contacts: Sequence[KeyContact]) -> list[str]:
    """How well lips and lids meet in shape keys that were moved, for the report."""
    lines = []
    gaps = sorted(((c.gap, c.name) for c in contacts if c.gap is not None), reverse=True)
    if gaps:
        text = f"what comes together in {counted(len(gaps), 'key')}, as lips and lids, is "
        text += f"{gaps[0][0]:.1%} of the height of the face off at most"
        apart = [f"{name} {gap:.1%}" for gap, name in gaps if gap > APART]
        lines.append(f"{text} (look at {listed(apart)})" if apart else text)
    sealed = [c.name for c in contacts if c.sealed]
    if sealed:
        them = "it opens" if len(sealed) == 1 else "they open"
        lines.append(f"{listed(sealed)} cannot open here: what {them} on the source, as a mouth, "
                     "is one surface")  # fmt: skip
    return lines


def segmentation_summary(
    subject: str, wholes: Sequence[Segmentation], seconds: float, remarks: Iterable[str]
) -> str:
    """One line on a run of *Segment*.

    Parameters
    ----------
    subject : str
        What was segmented.
    wholes : sequence of Segmentation
        Of each object or character.
    seconds : float
        Duration of the run.
    remarks : iterable of str
        Of `write.write_labels`; what several members have to report is told once.
    """
    parts = sum(len(np.unique(whole.vertex_labels)) for whole in wholes)
    faces = sum(len(whole.polygon_labels) for whole in wholes)
    vertices = sum(len(whole.vertex_probabilities) for whole in wholes)
    size = counted(faces, "face") if faces else counted(vertices, "vertex")
    text = f"{subject}: {counted(parts, 'part')} on {size} in {seconds:.1f} s"
    remarks = [
        *(whole.remark for whole in wholes if whole.remark),
        *dict.fromkeys(remarks),
        *(unsure_text(whole) for whole in wholes if whole.doubts),
    ]
    return f"{text} ({'; '.join(remarks)})" if remarks else text
