"""Which modifiers make the shape of a mesh, and which pose it."""

from __future__ import annotations

import bpy

from .mask import part_mask

# Without effect on vertices and polygons.
DATA = frozenset(
    "COLLISION DATA_TRANSFER NORMAL_EDIT PARTICLE_SYSTEM SURFACE UV_PROJECT UV_WARP "
    "VERTEX_WEIGHT_EDIT VERTEX_WEIGHT_MIX VERTEX_WEIGHT_PROXIMITY WEIGHTED_NORMAL".split()
)
# These move vertices as a sculptor would: they belong to the modelled shape.
MODELLING = frozenset("CAST DISPLACE LAPLACIANSMOOTH SIMPLE_DEFORM SMOOTH VOLUME_DISPLACE".split())
# These move vertices after bones, other objects, files or a simulation.
POSING = frozenset(
    "ARMATURE CLOTH CORRECTIVE_SMOOTH CURVE DYNAMIC_PAINT HOOK LAPLACIANDEFORM LATTICE MESH_CACHE "
    "MESH_DEFORM SHRINKWRAP SOFT_BODY SURFACE_DEFORM WARP WAVE".split()
)
# These make another geometry in every frame.
ANIMATING = frozenset("BUILD EXPLODE FLUID MESH_SEQUENCE_CACHE OCEAN PARTICLE_INSTANCE".split())
# These add, remove or merge geometry.
GENERATING = frozenset(
    "ARRAY BEVEL BOOLEAN DECIMATE EDGE_SPLIT MASK MESH_TO_VOLUME MIRROR MULTIRES NODES REMESH "
    "SCREW SKIN SOLIDIFY SUBSURF TRIANGULATE VOLUME_TO_MESH WELD WIREFRAME".split()
)


def counted_modifiers(obj: bpy.types.Object, posed: bool) -> list[bpy.types.Modifier]:
    """Modifiers that an object is read with: those that are shown in the viewport.

    Our own mask does not count, since what it hides is segmented as well.

    Parameters
    ----------
    obj : bpy.types.Object
    posed : bool
        With those that pose and simulate.
    """
    mask = part_mask(obj)
    return [
        modifier
        for modifier in obj.modifiers
        if modifier.show_viewport
        and modifier != mask
        and (posed or modifier.type not in POSING | ANIMATING)
    ]


def makes_geometry(modifier: bpy.types.Modifier) -> bool:
    """Whether a modifier may change the number of vertices or their polygons."""
    return modifier.type not in DATA | MODELLING | POSING


def moves_vertices(modifier: bpy.types.Modifier) -> bool:
    """Whether a modifier leaves vertices and polygons what they are, and moves them."""
    return modifier.type in MODELLING | POSING
