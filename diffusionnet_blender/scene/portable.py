"""Names of attributes that the readers of a format take, and what a format cannot hold.

Blender's exporters write names as they are, and Blender allows any: a PLY with a space in the name
of a property, or with the same property twice, is read by nobody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count

import bpy

from .armatures import armatures_of
from .gltf import READ as GLTF
from .gltf_parts import NAMES as PARTS
from .gltf_parts import names_in_gltf
from .layers import COLOURS, NOT_MOVED
from .report_text import listed

# Names longer than this are cut; readers of PLY have lines of a fixed length.
LONGEST = 40
# Of elements of a PLY that are no attributes.
RESERVED = {
    "x", "y", "z", "nx", "ny", "nz", "red", "green", "blue", "alpha", "r", "g", "b", "a", "s", "t",
    "u", "v", "vertex_index", "vertex_indices", "flags", "quality", "scale", "intensity",
}  # fmt: skip
# What an exporter appends to the name of a vector or a colour.
AXES = ("", "_x", "_y", "_z", "_w", "_r", "_g", "_b", "_a")
# Blender reads no other custom attributes of a glTF.
SCALARS = {"FLOAT", "INT", "INT8", "BOOLEAN"}
# Types of objects that exporters turn into meshes.
MESH_LIKE = ("MESH", "CURVE", "SURFACE", "META", "FONT")
USD = (".usd", ".usda", ".usdc", ".usdz")
VERTEX_VALUES, VERTEX_VECTORS = "numbers on vertices", "vectors on vertices"
OTHERS = "attributes of faces, corners and edges"
# What the files of our exporters hold, beside the geometry and one UV map.
SOLID = {"colors", "materials", "shape keys", "skin weights"}
HELD = {
    ".ply": {VERTEX_VALUES, VERTEX_VECTORS, "vertex groups", "colors"},
    ".obj": {"colors", "materials"},
    ".stl": set(),
    ".fbx": SOLID,
    **dict.fromkeys(GLTF, SOLID | {VERTEX_VALUES}),
    **dict.fromkeys(USD, SOLID | {VERTEX_VALUES, VERTEX_VECTORS, OTHERS, "vertex groups"}),
}


def token(name: str) -> str:
    """A name as letters without accents, digits and underscores, no digit first."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", plain)[:LONGEST]
    if not plain.strip("_"):
        plain = "attribute"
    return f"_{plain}" if plain[0].isdigit() else plain


def unique_names(
    names: Iterable[str],
    clean: Callable[[str], str] = token,
    taken: Collection[str] = (),
    endings: Collection[str] = AXES,
) -> dict[str, str]:
    """A clean name for each, all different, also with the endings of vectors.

    Parameters
    ----------
    names : iterable of str
    clean : callable
    taken, endings : collection of str
    """
    used, found = set(taken), {}
    # Those that are clean keep their names.
    for name in sorted(set(names), key=lambda name: (clean(name) != name, name)):
        base = clean(name)
        free = (base if n == 1 else f"{base}_{n}" for n in count(1))
        found[name] = next(n for n in free if not used & {n + end for end in endings})
        used |= {found[name] + end for end in endings}
    return found


@contextmanager
def portable(suffix: str) -> Iterator[list[str]]:
    """Context in which the scene may be exported; yields remarks for the report.

    Parameters
    ----------
    suffix : str
        Of the file, such as ".ply".
    """
    if suffix not in HELD:
        yield []
        return
    # Objects that were just added are in the view layer with its update only.
    bpy.context.view_layer.update()
    remarks = []
    lost = sorted(_kinds_of_data(suffix) - HELD[suffix])
    if lost:
        remarks.append(f"{suffix} files do not hold {', '.join(lost)}")
    if suffix == ".ply":
        with _plain_copies() as names:
            yield remarks + _renamings(names)
    elif suffix in GLTF or suffix in USD:
        with _renamed(suffix) as names:
            yield remarks + _renamings(names)
    else:
        yield remarks


def _renamings(names: dict[str, str]) -> list[str]:
    changed = [f"{old!r} is {new!r}" for old, new in names.items() if old != new]
    return [f"in the file {listed(changed)}"] if changed else []


def _kinds_of_data(suffix: str) -> set[str]:
    """Kinds of data on the meshes of the scene, without the parts that a glTF holds."""
    found = set()
    for obj in _objects("MESH"):
        mesh = obj.data
        bones = {bone.name for rig in armatures_of(obj) for bone in rig.data.bones}
        kept = suffix in GLTF and names_in_gltf(mesh)
        groups = {part.vertex_group for part in mesh.diffusionnet.parts} if kept else set()
        for name in set(obj.vertex_groups.keys()) - groups:
            found.add("skin weights" if name in bones else "vertex groups")
        if mesh.shape_keys:
            found.add("shape keys")
        if any(mesh.materials):
            found.add("materials")
        if ".sculpt_face_set" in mesh.attributes:
            found.add("face sets")
        if mesh.color_attributes:
            found.add("colors")
        for attribute in _attributes(mesh, suffix):
            on_vertices = VERTEX_VALUES if attribute.data_type in SCALARS else VERTEX_VECTORS
            found.add(on_vertices if attribute.domain == "POINT" else OTHERS)
    return found


def _objects(*types: str) -> list[bpy.types.Object]:
    return [obj for obj in bpy.context.view_layer.objects if obj and obj.type in types]


def _attributes(mesh: bpy.types.Mesh, suffix: str) -> list[bpy.types.Attribute]:
    """Attributes without colours, UV maps and those of the geometry itself.

    In a glTF also without those of the parts, which `gltf_hooks` names.
    """
    own = {*NOT_MOVED, *mesh.uv_layers.keys()}
    if suffix in GLTF:
        own |= names_in_gltf(mesh).keys()
    return [
        attribute
        for attribute in mesh.attributes
        if not attribute.name.startswith(".")
        and attribute.name not in own
        and attribute.data_type not in COLOURS
        and not attribute.is_internal
    ]


@contextmanager
def _renamed(suffix: str) -> Iterator[dict[str, str]]:
    """Context in which the attributes of local meshes have names for glTF or USD."""
    meshes = {obj.data for obj in _objects("MESH") if obj.data.library is None}
    beside_parts = {mesh for mesh in meshes if suffix in GLTF and names_in_gltf(mesh)}
    told, renamed = {}, []
    try:
        for group, taken in ((meshes - beside_parts, ()), (beside_parts, PARTS)):
            if suffix in GLTF:
                names, hidden = _for_gltf(group, taken)
                told |= names
            else:
                names, hidden = _for_usd(group), {}
                told |= {old: _as_usd(new) for old, new in names.items()}
            for mesh in group:
                table = {}
                for attribute in _attributes(mesh, suffix):
                    chosen = hidden if _is_hidden(suffix, attribute) else names
                    table[attribute.name] = chosen.get(attribute.name, attribute.name)
                _rename(mesh.attributes, table)
                renamed.append((mesh, {new: old for old, new in table.items()}))
        yield told
    finally:
        for mesh, table in renamed:
            _rename(mesh.attributes, table)


def _is_hidden(suffix: str, attribute: bpy.types.Attribute) -> bool:
    """Whether an attribute is kept out of a glTF, where it would split vertices or not be read."""
    is_read = attribute.domain == "POINT" and attribute.data_type in SCALARS
    return suffix in GLTF and not is_read


def _for_gltf(meshes, taken: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Names of custom attributes (underscore and capitals), and of those to be left out."""
    shown, hidden = set(), set()
    for mesh in meshes:
        for attribute in _attributes(mesh, ".glb"):
            (hidden if _is_hidden(".glb", attribute) else shown).add(attribute.name)
    names = unique_names(shown, lambda name: f"_{token(name).strip('_').upper()}", taken, ("",))
    return names, {name: f"left out {name}" for name in hidden if name.startswith("_")}


def _for_usd(meshes) -> dict[str, str]:
    """Names that stay apart where the exporter replaces what is no letter of ASCII."""
    all_names = {a.name for mesh in meshes for a in _attributes(mesh, ".usd")}
    groups = {name for obj in _objects("MESH") for name in obj.vertex_groups.keys()}
    found, used = {}, {_as_usd(name) for name in groups}
    for name in sorted(all_names, key=lambda name: (_as_usd(name) != name, name)):
        twice = _as_usd(name) in used
        found[name] = unique_names([name], taken=used, endings=("",))[name] if twice else name
        used.add(_as_usd(found[name]))
    return found


def _as_usd(name: str) -> str:
    """What Blender's exporter makes of a name."""
    bytes_ = name.encode()
    plain = "".join(chr(b) if chr(b).isalnum() and b < 128 else "_" for b in bytes_)
    return f"_{plain}" if plain[:1].isdigit() else plain


@contextmanager
def _plain_copies() -> Iterator[dict[str, str]]:
    """Context in which copies of all visible objects, as plain meshes, are selected alone.

    Vertex groups are properties of a PLY too, and cannot be renamed under modifiers.
    """
    layer, home = bpy.context.view_layer, bpy.context.scene.collection
    active, selected = layer.objects.active, [obj for obj in layer.objects.selected if obj]
    depsgraph = bpy.context.evaluated_depsgraph_get()
    shown = [obj for obj in _objects(*MESH_LIKE) if obj.visible_get()]
    copies = []
    try:
        for obj in shown:
            mesh = bpy.data.meshes.new_from_object(
                obj.evaluated_get(depsgraph), preserve_all_data_layers=True, depsgraph=depsgraph
            )
            copy = bpy.data.objects.new(obj.name, mesh)
            copy.matrix_world = obj.matrix_world
            copies.append(copy)
        # Properties of a file are those of all its objects.
        names = unique_names(
            {n for copy in copies for n in (*copy.vertex_groups.keys(), *_on_vertices(copy.data))},
            taken=RESERVED,
        )
        for other in selected:
            other.select_set(False)
        for copy in copies:
            _rename(copy.data.attributes, {n: names[n] for n in _on_vertices(copy.data)})
            _rename(copy.vertex_groups, {n: names[n] for n in copy.vertex_groups.keys()})
            home.objects.link(copy)
            copy.select_set(True)
        layer.update()
        yield names
    finally:
        for copy in copies:
            mesh = copy.data
            bpy.data.objects.remove(copy)
            bpy.data.meshes.remove(mesh)
        for other in selected:
            other.select_set(True)
        layer.objects.active = active


def _on_vertices(mesh: bpy.types.Mesh) -> list[str]:
    return [
        attribute.name for attribute in _attributes(mesh, ".ply") if attribute.domain == "POINT"
    ]


def _rename(items: bpy.types.bpy_prop_collection, table: Mapping[str, str]) -> None:
    """Rename attributes or vertex groups by a table from old to new names."""
    # First to names that none of them has: one may become what another is called now.
    changed = [(old, new) for old, new in table.items() if old != new]
    for number, (old, _) in enumerate(changed):
        items[old].name = f"{number} is being renamed"
    for number, (_, new) in enumerate(changed):
        items[f"{number} is being renamed"].name = new
