"""Names of attributes and vertex groups written by the extension, free of conflicts.

They are those of the classes ("head") or of the kind of data ("part"). Where the mesh already has
other data of that name (the weights of a bone called "head"), that data is kept and ours gets the
prefix "DN". The legend of the mesh records our names, so that writing again finds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice

import bpy

PREFIX = "DN"
# Attribute names longer than 67 bytes and group names longer than 63 are not stored as given.
LONGEST = 50
# Names under which something of ours is looked for.
MOST_OWNED = 10


def claim_names(
    mesh: bpy.types.Mesh, kind: str, wanted: Sequence[str], taken: set[str]
) -> list[str]:
    """Choose a name for each thing to write; records nothing.

    Parameters
    ----------
    mesh : bpy.types.Mesh
    kind : str
        Of the things: "ATTRIBUTE" or "VERTEX_GROUP".
    wanted : sequence of str
    taken : set of str
        All names in use on the mesh.

    Returns
    -------
    list of str
        As many, all different: those that are ours already, else free ones.
    """
    ours = {owned.name for owned in mesh.diffusionnet.owned if owned.kind == kind} & taken
    chosen: list[str] = []
    for name in wanted:
        kept = next(
            (c for c in islice(candidates(name), MOST_OWNED) if c in ours and c not in chosen), None
        )
        free = (c for c in candidates(name) if c not in taken and c not in chosen)
        chosen.append(kept or next(free))
    return chosen


def record_names(mesh: bpy.types.Mesh, kind: str, names: Sequence[str]) -> None:
    """Note that these names are ours."""
    recorded = {owned.name for owned in mesh.diffusionnet.owned if owned.kind == kind}
    for name in names:
        if name not in recorded:
            owned = mesh.diffusionnet.owned.add()
            owned.name, owned.kind = name, kind


def own_name(mesh: bpy.types.Mesh, kind: str, wanted: str) -> str | None:
    """Name under which something was written that should have been called `wanted`."""
    ours = {owned.name for owned in mesh.diffusionnet.owned if owned.kind == kind}
    return next((name for name in islice(candidates(wanted), MOST_OWNED) if name in ours), None)


def forget_name(mesh: bpy.types.Mesh, kind: str, name: str) -> None:
    """Note that a name is no longer ours."""
    owned = mesh.diffusionnet.owned
    for index in reversed(range(len(owned))):
        if (owned[index].kind, owned[index].name) == (kind, name):
            owned.remove(index)


def names_in_use(obj: bpy.types.Object) -> set[str]:
    """Of attributes and vertex groups: Blender keeps them apart from each other as well."""
    return {*obj.data.attributes.keys(), *obj.vertex_groups.keys()}


def candidates(name: str) -> Iterator[str]:
    """A name, and others in its place, without end."""
    short = name.encode()[:LONGEST].decode(errors="ignore")
    yield short
    yield f"{PREFIX} {short}"
    for number in count(2):
        yield f"{PREFIX} {short} {number}"
