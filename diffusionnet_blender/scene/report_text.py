"""Texts of reports: counts with their nouns, and the summary of a segmentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import bpy

from ..tasks.segment.request import Segmentation

PLURALS = {"mesh": "meshes", "vertex": "vertices"}


def counted(number: int, noun: str) -> str:
    """A number and its noun: "1 face", "1,200 faces"."""
    return f"{number:,} {noun if number == 1 else PLURALS.get(noun, f'{noun}s')}"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names with commas between them, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def counted_elements(obj: bpy.types.Object, number: int) -> str:
    """A number of faces, or of vertices for a point cloud."""
    return counted(number, "face" if len(obj.data.polygons) else "vertex")


def segmentation_summary(
    results: Sequence[tuple[bpy.types.Object, Segmentation]], seconds: float, remarks: Iterable[str]
) -> str:
    """One line on a run of *Segment*.

    Parameters
    ----------
    results : sequence of (object, Segmentation)
    seconds : float
        Duration of the run.
    remarks : iterable of str
        Of `write.write_labels`.
    """
    names = results[0][0].name if len(results) == 1 else counted(len(results), "mesh")
    parts = {
        (obj.session_uid, label) for obj, r in results for label in set(r.vertex_labels.tolist())
    }
    faces = sum(len(result.polygon_labels) for _, result in results)
    vertices = sum(len(result.vertex_probabilities) for _, result in results)
    size = counted(faces, "face") if faces else counted(vertices, "vertex")
    text = f"{names}: {counted(len(parts), 'part')} on {size} in {seconds:.1f} s"
    remarks = [*(result.remark for _, result in results if result.remark), *remarks]
    return f"{text} ({'; '.join(remarks)})" if remarks else text
