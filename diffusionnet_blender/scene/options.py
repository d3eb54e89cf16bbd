"""Options of reading and writing objects.

Free of bpy: the command line shows them in a Python without Blender, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..options import option


@dataclass(frozen=True)
class ReadOptions:
    """Which shape of an object is read.

    Attributes
    ----------
    use_modifiers, use_rest_shape : bool
    """

    use_modifiers: bool = option(
        False,
        "Use Modifiers",
        "Read the mesh as modifiers, armature and shape keys show it. They must not add or remove "
        "vertices",
    )
    use_rest_shape: bool = option(
        False,
        "Use Rest Shape",
        "Compute on the mesh as modelled, without pose, shape keys and transform, so that every "
        "pose of a character after the first is fast. A model with positions among its inputs "
        "still has those of the pose; one without, as body_parts, gives every pose the parts of "
        "the rest shape",
    )


@dataclass(frozen=True)
class Outputs:
    """Kinds of data that labels are written as.

    Attributes
    ----------
    attributes : bool
        Class numbers, as an integer attribute of the faces and one of the vertices.
    colors : bool
    vertex_groups : bool
    group_weights : {"HARD", "SOFT"}
    face_sets : bool
        Face set of a face = its class + 1.
    materials, confidence : bool
    """

    attributes: bool = option(
        True,
        "Attributes",
        "Integer attributes with the number of the part, of faces (part) and of vertices "
        "(part_vertex), for geometry nodes and scripts",
    )
    colors: bool = option(
        True,
        "Colors",
        "Color attribute (part_color) in the colors of the legend, made active",
    )
    vertex_groups: bool = option(
        True,
        "Vertex Groups",
        "One group a part. A group of the same name that is not from here stays as it is, and the "
        'new one is called "DN ..."',
    )
    group_weights: str = option(
        "HARD",
        "Group Weights",
        "Weights in the vertex groups",
        choices=(
            ("HARD", "Hard", "1 in the group of the part, nothing in the others"),
            ("SOFT", "Soft", "The probability of each part; soft borders"),
        ),
    )
    face_sets: bool = option(
        False,
        "Face Sets",
        "Face sets for Sculpt Mode; they replace those that the mesh has",
    )
    materials: bool = option(
        False,
        "Materials",
        "A material slot a part, behind those that the object has, and every face assigned to one "
        "of them",
    )
    confidence: bool = option(
        True,
        "Confidence",
        "Float attribute (part_confidence) with the probability of the part at each vertex, 0 to 1",
    )

    @property
    def on_vertices(self) -> bool:
        """Whether anything can be written to a mesh without faces."""
        return self.attributes or self.colors or self.vertex_groups or self.confidence

    @property
    def on_faces_only(self) -> bool:
        """Whether anything is asked for that needs faces."""
        return self.face_sets or self.materials


SOURCES = (
    ("PARTS", "Parts", "Those of this extension, as you have corrected them"),
    ("VERTEX_GROUPS", "Vertex Groups", "The group with the highest weight; none: no label"),
    ("FACE_SETS", "Face Sets", "Those of Sculpt Mode, by their numbers"),
    ("MATERIALS", "Materials", "By their names; an empty slot: no label"),
    ("ATTRIBUTE", "Integer Attribute", "Of vertices or faces; below 0: no label"),
    ("COLOR", "Color Attribute", "One color a part; transparent: no label"),
)


@dataclass(frozen=True)
class LabelSource:
    """Where the labels of a mesh are.

    Attributes
    ----------
    source : str
    attribute : str
    """

    source: str = option(
        "PARTS",
        "Labels",
        "Where the labels are on the meshes. Parts are called alike on all meshes; vertices "
        "without a label are not trained on",
        choices=SOURCES,
    )
    attribute: str = option(
        "", "Attribute", "Name of the integer or color attribute. Empty: the active one"
    )
