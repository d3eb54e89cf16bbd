"""Which parts a mesh was cut into."""

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


def _recolour(self, colour) -> None:
    from ..scene.edit import recolour_part

    recolour_part(self.id_data, _number_of(self), colour)


def _rename(self, name: str) -> None:
    from ..scene.edit import rename_part

    # Vertex groups are reached through an object only, whichever has the mesh.
    obj = next((obj for obj in bpy.data.objects if obj.data == self.id_data), None)
    if obj and name.strip():
        rename_part(obj, _number_of(self), name)


class DIFFUSIONNET_PG_part(bpy.types.PropertyGroup):
    """A line of the legend; its name is that of the class."""

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
    area: FloatProperty(name="Area", unit="AREA", description="World area of the part's faces")
    share: FloatProperty(
        name="Share", description="Share of the whole area, or of the points of a point cloud"
    )
    face_count: IntProperty(name="Faces", description="Faces of this part")
    vertex_count: IntProperty(name="Vertices", description="Vertices of this part")
    vertex_group: StringProperty(
        name="Vertex Group", description="Vertex group of this part, if written"
    )


class DIFFUSIONNET_PG_owned(bpy.types.PropertyGroup):
    """A name on the mesh that was given here, see `scene.names`."""

    kind: StringProperty()


class DIFFUSIONNET_PG_legend(bpy.types.PropertyGroup):
    """Which parts a mesh was cut into, saved with the mesh: `mesh.diffusionnet`."""

    model: StringProperty(name="Model", description="Model that segmented the mesh")
    face_attribute: StringProperty(
        name="Faces", description="Attribute with the part number of each face"
    )
    vertex_attribute: StringProperty(
        name="Vertices", description="Attribute with the part number of each vertex"
    )
    parts: CollectionProperty(type=DIFFUSIONNET_PG_part)
    active: IntProperty(
        name="Active Part", description="Active part, used by the buttons below", min=0
    )
    owned: CollectionProperty(type=DIFFUSIONNET_PG_owned)
