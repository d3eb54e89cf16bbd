"""Options of reading and writing objects.

Free of bpy: the command line shows them in a Python without Blender, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..options import option
from ..tasks.transfer.kinds import overwrite_option


@dataclass(frozen=True)
class Grouping:
    """Which objects are one shape.

    Attributes
    ----------
    each : bool
    """

    each: bool = option(
        False,
        "Each Object Alone",
        "Process every object by itself. Off: the objects of a character (of one armature, parent, "
        "or place) together, as one shape",
    )


@dataclass(frozen=True)
class ReadOptions:
    """Which shape of an object is read.

    Attributes
    ----------
    use_modifiers, use_rest_shape : bool
    """

    use_modifiers: bool = option(
        False,
        "As Posed",
        "Read the mesh as it is posed, deformed and simulated now. Off: in the rest pose, without "
        "shape keys. Modifiers that make geometry, such as Mirror, count either way",
    )
    use_rest_shape: bool = option(
        False,
        "Use Rest Shape",
        "Compute on the undeformed mesh, without pose, shape keys and object transform, so that "
        "further poses of a character are fast. Only models with positions as input, unlike "
        "body_parts, still read the pose",
    )


@dataclass(frozen=True)
class Conforming:
    """What of a mesh takes another's shape, and what is made of it.

    Attributes
    ----------
    region : str
    as_key : bool
    """

    region: str = option(
        "",
        "Region",
        "Vertex group of the source that takes the target's shape, by its weights; the rest "
        "follows. Empty: all of it",
    )
    as_key: bool = option(
        False,
        "As Shape Key",
        "Write the shape as a shape key of the source, in its own place. Off: new objects on the "
        "target",
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
    materials, confidence, overwrite : bool
    """

    attributes: bool = option(
        True,
        "Attributes",
        "Integer attributes with part numbers, on faces (part) and on vertices (part_vertex), "
        "for geometry nodes and scripts",
    )
    colors: bool = option(
        True,
        "Colors",
        "Active color attribute (part_color) in the colors of the parts",
    )
    vertex_groups: bool = option(
        True,
        "Vertex Groups",
        "One vertex group for each part. Your own groups of the same name are kept; the new one "
        'is then called "DN ..."',
    )
    group_weights: str = option(
        "HARD",
        "Group Weights",
        "Weights in the vertex groups",
        choices=(
            ("HARD", "Hard", "Weight 1 in the group of the part, 0 in all others"),
            ("SOFT", "Soft", "Weights are the probabilities of the parts, with soft borders"),
        ),
    )
    face_sets: bool = option(
        False,
        "Face Sets",
        "Face sets for Sculpt Mode. Your own are kept, unless Overwrite is on",
    )
    materials: bool = option(
        False,
        "Materials",
        "One material slot for each part, after the existing slots, assigned to all faces of "
        "the part",
    )
    confidence: bool = option(
        True,
        "Confidence",
        "Float attribute (part_confidence) with the probability of the part at each vertex, 0 to 1",
    )

    overwrite: bool = overwrite_option()

    @property
    def on_vertices(self) -> bool:
        """Whether anything can be written to a mesh without faces."""
        return self.attributes or self.colors or self.vertex_groups or self.confidence

    @property
    def on_faces_only(self) -> bool:
        """Whether an output needs faces."""
        return self.face_sets or self.materials


@dataclass(frozen=True, kw_only=True)
class Binding:
    """How meshes are bound.

    Attributes
    ----------
    generate, smooth, overwrite : bool
        See the help texts.
    """

    generate: bool = option(
        True,
        "Generate Rigify",
        "Generate the rig with controls from a Rigify metarig, and bind the meshes to it",
    )
    smooth: bool = option(
        False,
        "Corrective Smooth",
        "Add a Corrective Smooth modifier after the armature, which evens out creases of poses",
    )
    overwrite: bool = overwrite_option()


SOURCES = (
    ("PARTS", "Parts", "Parts from Segment, with your corrections"),
    (
        "VERTEX_GROUPS",
        "Vertex Groups",
        "Vertex group with the highest weight. Vertices without a group have no label",
    ),
    ("FACE_SETS", "Face Sets", "Face sets of Sculpt Mode, by number"),
    ("MATERIALS", "Materials", "Materials, by name. Empty slots have no label"),
    (
        "ATTRIBUTE",
        "Integer Attribute",
        "Integer attribute of vertices or faces. Negative values have no label",
    ),
    ("COLOR", "Color Attribute", "One color for each part. Transparent areas have no label"),
    (
        "RIG",
        "From the Rig",
        "Parts of the bones that move the mesh, by their names or their place. Where no bone is "
        "known there is no label",
    ),
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
        "Data that labels the meshes. Use the same names on all meshes; vertices without a "
        "label are skipped",
        choices=SOURCES,
    )
    attribute: str = option(
        "", "Attribute", "Name of the integer or color attribute. Empty: the active one"
    )
