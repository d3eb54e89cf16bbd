"""Legend of a mesh: the list of its parts."""

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    StringProperty,
)


def _number_of(part) -> int:
    return next(i for i, p in enumerate(part.id_data.diffusionnet.parts) if p == part)


def _object_of(part) -> bpy.types.Object | None:
    """An object that has the mesh of a part: vertex groups are reached only through one."""
    return next((obj for obj in bpy.data.objects if obj.data == part.id_data), None)


def _recolour(self, colour) -> None:
    from ..scene.edit import recolour_part
    from ..scene.parts import with_same_parts

    obj, number = _object_of(self), _number_of(self)
    for member in with_same_parts(obj) if obj else ():
        recolour_part(member, number, colour)


def _rename(self, name: str) -> None:
    from ..scene.edit import rename_part
    from ..scene.parts import with_same_parts

    obj, number = _object_of(self), _number_of(self)
    for member in with_same_parts(obj) if obj and name.strip() else ():
        rename_part(member, number, name)


class DIFFUSIONNET_PG_part(bpy.types.PropertyGroup):
    """A part in the legend; its name is that of the class."""

    color: FloatVectorProperty(
        name="Color",
        description="Color of this part in all outputs",
        subtype="COLOR_GAMMA",
        min=0.0,
        max=1.0,
        get=lambda self: self.stored_colour,
        set=_recolour,
    )
    stored_colour: FloatVectorProperty(options={"HIDDEN"})
    title: StringProperty(
        name="Name",
        description="Name of this part. Double-click to rename it with its vertex group and "
        "material",
        get=lambda self: self.name,
        set=_rename,
    )
    hidden: BoolProperty(
        name="Hidden", description="Hidden by the Mask modifier", options={"HIDDEN"}
    )
    area: FloatProperty(
        name="Area", unit="AREA", description="World area of the part's faces", options={"HIDDEN"}
    )
    share: FloatProperty(
        name="Share",
        description="Share of the whole area, or of the points of a point cloud",
        options={"HIDDEN"},
    )
    face_count: IntProperty(name="Faces", description="Faces of this part", options={"HIDDEN"})
    vertex_count: IntProperty(
        name="Vertices", description="Vertices of this part", options={"HIDDEN"}
    )
    vertex_group: StringProperty(
        name="Vertex Group", description="Vertex group of this part, if written", options={"HIDDEN"}
    )


class DIFFUSIONNET_PG_owned(bpy.types.PropertyGroup):
    """Note on an attribute, vertex group or shape key that was written, see `scene.ownership`."""

    kind: StringProperty()
    role: StringProperty()
    # Fingerprints of its values and of the faces of the mesh.
    content: StringProperty()
    topology: StringProperty()
    # Of labels.
    classes: IntProperty()
    # At the time of writing, one a line.
    users: StringProperty()


class DIFFUSIONNET_PG_legend(bpy.types.PropertyGroup):
    """Parts of a mesh, saved with the mesh: `mesh.diffusionnet`."""

    model: StringProperty(
        name="Model", description="Model that segmented the mesh", options={"HIDDEN"}
    )
    face_attribute: StringProperty(
        name="Faces", description="Attribute with the part number of each face", options={"HIDDEN"}
    )
    vertex_attribute: StringProperty(
        name="Vertices",
        description="Attribute with the part number of each vertex",
        options={"HIDDEN"},
    )
    # What the model was unsure of on the whole figure, one a line.
    unsure_of: StringProperty(options={"HIDDEN"})
    parts: CollectionProperty(type=DIFFUSIONNET_PG_part)
    active: IntProperty(
        name="Active Part", description="Active part, used by the buttons below", min=0
    )
    owned: CollectionProperty(type=DIFFUSIONNET_PG_owned)
