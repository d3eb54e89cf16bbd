"""What the extension has written, and what is the artist's: one rule for all that is written.

A name does not tell. A thing is ours while its content has the fingerprint that was noted when it
was written, and while nothing else uses it (a bone, a modifier, a driver, another object). What was
changed or is used since is the artist's: it stays as it is, and ours gets another name, with the
prefix "DN". After the mesh itself was remodelled, fingerprints of arrays cannot agree; labels are
then ours as long as they have the form of labels, and data that was transferred is the artist's.

Notes on attributes, vertex groups and shape keys are kept in `mesh.diffusionnet.owned`, saved with
the file; those on materials, images and armatures in a custom property of the data-block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import count, islice

import bpy
import numpy as np

from .attributes import AttributeKind, kind_of, read_attribute
from .fingerprint import CONTENT, of_attribute, of_key, of_weights
from .read import topology_of
from .transaction import backups
from .users import Users, users_of_attributes, users_of_groups, users_of_keys
from .vertex_groups import read_weights

PREFIX = "DN"
# Attribute names longer than 67 bytes and group names longer than 63 are not stored as given.
LONGEST = 50
# Names under which something of ours is looked for.
MOST_OWNED = 10
# Soft weights below `vertex_groups.LEAST_WEIGHT` are left out, and the others are rounded.
LEAST_SUM, MOST_SUM = 0.8, 1.01
# Byte colours are exact to half a step.
COLOUR_STEP = 0.003


class Kind(StrEnum):
    """Kinds of things on a mesh that have names."""

    ATTRIBUTE = "ATTRIBUTE"
    VERTEX_GROUP = "VERTEX_GROUP"
    SHAPE_KEY = "SHAPE_KEY"


class Role(StrEnum):
    """What a thing was written as; one role never replaces what another has written."""

    LABELS = "LABELS"
    MASK = "MASK"
    PREVIEW = "PREVIEW"
    TRANSFER = "TRANSFER"
    BENT = "BENT"
    LIVE = "LIVE"


_FIND_USERS = {
    Kind.ATTRIBUTE: users_of_attributes,
    Kind.VERTEX_GROUP: users_of_groups,
    Kind.SHAPE_KEY: users_of_keys,
}
# Transferred weights serve the bones that have their names, and keys may have masks.
_SERVES = {Role.TRANSFER: ("bone ", "key ")}


@dataclass(frozen=True)
class Claimed:
    """Names to write under.

    Attributes
    ----------
    names : tuple of str
        As many as were wanted, all different.
    kept : dict of str to str
        The artist's things of wanted names, which stay: by each the name that is written instead.
    """

    names: tuple[str, ...]
    kept: dict[str, str]


def claim(
    obj: bpy.types.Object,
    kind: Kind,
    role: Role,
    wanted: Sequence[str],
    overwrite: bool = False,
    fixed: Set[str] = frozenset(),
) -> Claimed:
    """Choose a name for each thing to write; nothing is changed.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh, not in Edit Mode.
    kind : Kind
    role : Role
    wanted : sequence of str
    overwrite : bool
        Take the wanted names even where the artist's things have them.
    fixed : set of str
        Names that are not taken even so.
    """
    things = _Things(obj)
    present, taken = things.names(kind), things.names_in_use(kind)
    if role != Role.TRANSFER:
        # A bone or modifier would take a new thing of the name that it looks for.
        taken |= set(things.users(kind))
    ours = set(things.ours(kind, role))
    if role == Role.TRANSFER and kind == Kind.VERTEX_GROUP:
        # Skin weights are of use under the names of their bones alone.
        ours |= set(things.ours(kind, Role.LABELS))
    chosen: list[str] = []
    kept = {}
    for name in wanted:
        first = next(candidates(name))
        if overwrite and first in present - fixed and first not in chosen:
            chosen.append(first)
            continue
        noted = islice(candidates(name), MOST_OWNED)
        again = next((c for c in noted if c in ours and c not in chosen), None)
        free = (c for c in candidates(name) if c not in taken and c not in chosen)
        chosen.append(again or next(free))
        if first in present and first not in ours and first not in chosen:
            kept[first] = chosen[-1]
    return Claimed(tuple(chosen), kept)


def record(
    obj: bpy.types.Object,
    kind: Kind,
    role: Role,
    names: Sequence[str],
    *,
    weights: np.ndarray | None = None,
    classes: int = 0,
) -> None:
    """Note that things were written just now.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh, not in Edit Mode.
    kind : Kind
    role : Role
    names : sequence of str
    weights : (V, B) float32, optional
        Of vertex groups, where they are at hand; else they are read.
    classes : int
        Number of classes of labels.
    """
    things = _Things(obj)
    if weights is None:
        contents = [things.content(kind, name) for name in names]
    else:
        contents = of_weights(weights)
    owned = obj.data.diffusionnet.owned
    numbers = {(note.kind, note.name): number for number, note in enumerate(owned)}
    for name, content in zip(names, contents, strict=True):
        # By number: adding one moves all of them in memory.
        number = numbers.setdefault((kind, name), len(owned))
        note = owned[number] if number < len(owned) else owned.add()
        note.name, note.kind, note.role = name, kind, role
        note.content, note.topology, note.classes = content, things.topology, classes
        note.users = "\n".join(things.users(kind).get(name, ()))


def release(mesh: bpy.types.Mesh, kind: Kind, name: str) -> None:
    """Note that a name is no longer ours."""
    owned = mesh.diffusionnet.owned
    for index in reversed(range(len(owned))):
        if (owned[index].kind, owned[index].name) == (kind, name):
            owned.remove(index)


def own_name(mesh: bpy.types.Mesh, kind: Kind, role: Role, wanted: str) -> str | None:
    """Name under which something was written last that should have been called `wanted`."""
    noted = {
        note.name for note in mesh.diffusionnet.owned if (note.kind, note.role) == (kind, role)
    }
    return next((name for name in islice(candidates(wanted), MOST_OWNED) if name in noted), None)


def is_still_ours(obj: bpy.types.Object, kind: Kind, name: str) -> bool:
    """Whether a thing is still what was written, in any role."""
    return any(still_ours(obj, kind, role, [name]) for role in Role)


def still_ours(obj: bpy.types.Object, kind: Kind, role: Role, names: Sequence[str]) -> list[str]:
    """Those of the names that are still what was written in a role, unchanged and unused."""
    ours = _Things(obj).ours(kind, role)
    return [name for name in names if name in ours]


def may_differ(mesh: bpy.types.Mesh, kind: Kind, name: str) -> None:
    """Note that the content was changed by us in Edit Mode, where it cannot be read."""
    for note in mesh.diffusionnet.owned:
        if (note.kind, note.name) == (kind, name):
            note.topology = ""


def kept_text(claimed: Claimed, noun: str) -> str:
    """The artist's things that stay, and the names of ours, as text for a report; "" for none."""
    if not claimed.kept:
        return ""
    name, instead = next(iter(claimed.kept.items()))
    more = len(claimed.kept) - 1
    others = f" and {more:,} more" if more else ""
    return f"{noun} {instead!r}{others}, since yours of the name {name!r} stay as they are"


def mark(block: bpy.types.ID, content: str) -> None:
    """Note the content of a data-block that was made just now."""
    block[CONTENT] = content


def is_unchanged(block: bpy.types.ID, content: Callable[[bpy.types.ID], str]) -> bool:
    """Whether a data-block was made by us and has its content still.

    A fake user, a library or an asset mark makes it the artist's.
    """
    return (
        block.library is None
        and not block.use_fake_user
        and block.asset_data is None
        and block.get(CONTENT) == content(block)
    )


def users_of(block: bpy.types.ID) -> set[bpy.types.ID]:
    """Data-blocks that use one, without the collections, scenes and windows that show it."""
    shown = (bpy.types.Collection, bpy.types.Scene, bpy.types.Screen, bpy.types.WorkSpace)
    found = bpy.data.user_map(subset={block})[block] - {block} - backups()
    return {user for user in found if not isinstance(user, shown)}


class _Things:
    """Attributes, vertex groups and shape keys of a mesh object, read when they are needed."""

    def __init__(self, obj: bpy.types.Object):
        self._obj, self._mesh = obj, obj.data
        self._found_users: dict[str, Users] = {}

    @cached_property
    def topology(self) -> str:
        return topology_of(self._mesh)

    def names(self, kind: Kind) -> set[str]:
        if kind == Kind.ATTRIBUTE:
            return set(self._mesh.attributes.keys())
        if kind == Kind.VERTEX_GROUP:
            return set(self._obj.vertex_groups.keys())
        keys = self._mesh.shape_keys
        return set(keys.key_blocks.keys()) if keys else set()

    def names_in_use(self, kind: Kind) -> set[str]:
        """Blender keeps attributes and vertex groups apart from each other as well."""
        if kind == Kind.SHAPE_KEY:
            return self.names(kind)
        return self.names(Kind.ATTRIBUTE) | self.names(Kind.VERTEX_GROUP)

    def ours(self, kind: Kind, role: Role) -> set[str]:
        """Names of the things that are still what was written in a role."""
        notes = [
            note
            for note in self._mesh.diffusionnet.owned
            if (note.kind, note.role) == (kind, role) and note.name in self.names(kind)
        ]
        if not notes:
            return set()
        return {
            note.name for note in notes if not self._new_users(note) and self._is_unchanged(note)
        }

    def content(self, kind: Kind, name: str) -> str:
        """Fingerprint of a thing as it is now."""
        if kind == Kind.ATTRIBUTE:
            return of_attribute(self._mesh, name)
        if kind == Kind.VERTEX_GROUP:
            return self._group_contents[name]
        return of_key(self._mesh.shape_keys.key_blocks[name])

    @cached_property
    def _weights(self) -> np.ndarray:
        return read_weights(self._obj, self._obj.vertex_groups.keys())

    @cached_property
    def _group_contents(self) -> dict[str, str]:
        return dict(zip(self._obj.vertex_groups.keys(), of_weights(self._weights), strict=True))

    def users(self, kind: Kind) -> Users:
        """Users of the things of a kind by name, also of names without a thing."""
        if kind not in self._found_users:
            self._found_users[kind] = _FIND_USERS[kind](self._obj)
        return self._found_users[kind]

    def _new_users(self, note) -> set[str]:
        """Users of a thing beside those that it had when it was written."""
        users = self.users(note.kind).get(note.name, ())
        served = _SERVES.get(note.role, ())
        return {user for user in users if not user.startswith(served)} - set(note.users.split("\n"))

    def _is_unchanged(self, note) -> bool:
        if note.topology == self.topology:
            return note.content == self.content(note.kind, note.name)
        # The mesh was remodelled, or its colours were set in Edit Mode.
        return note.role != Role.TRANSFER and self._has_form(note)

    def _has_form(self, note) -> bool:
        """Whether labels, or colours and weights of them, are in place of what was written."""
        if note.role != Role.LABELS:
            return True
        if note.kind == Kind.VERTEX_GROUP:
            return self._groups_add_up
        attribute = self._mesh.attributes[note.name]
        if attribute.data_type == "BYTE_COLOR":
            kind = AttributeKind("BYTE_COLOR", attribute.domain, "color_srgb", np.float32, 4)
            return self._in_palette(read_attribute(self._mesh, note.name, kind))
        kind = kind_of(attribute.data_type, attribute.domain)
        if kind is None or kind.data_type not in {"INT", "FLOAT"}:
            return False
        values = read_attribute(self._mesh, note.name, kind)
        if kind.data_type == "INT":
            return bool(((values >= 0) & (values < note.classes)).all())
        return bool(((values >= 0) & (values <= 1)).all())

    def _in_palette(self, colours: np.ndarray) -> bool:
        parts = self._mesh.diffusionnet.parts
        palette = np.array([part.stored_colour for part in parts]).reshape(-1, 3)
        used = np.unique(np.round(colours[:, :3], 3), axis=0)
        away = np.abs(used[:, None] - palette[None]).max(axis=2)
        return bool(len(palette)) and bool((away.min(axis=1) < COLOUR_STEP).all())

    @cached_property
    def _groups_add_up(self) -> bool:
        """Whether the groups of labels add up to one, as they do however a mesh is remodelled."""
        noted = {
            note.name
            for note in self._mesh.diffusionnet.owned
            if (note.kind, note.role) == (Kind.VERTEX_GROUP, Role.LABELS)
        }
        columns = [n for n, group in enumerate(self._obj.vertex_groups) if group.name in noted]
        total = self._weights[:, columns].sum(axis=1)
        # Vertices that were added without weights have none.
        return bool(((total == 0) | ((total > LEAST_SUM) & (total < MOST_SUM))).all())


def candidates(name: str) -> Iterator[str]:
    """A name, and others in its place, without end."""
    short = name.encode()[:LONGEST].decode(errors="ignore")
    yield short
    yield f"{PREFIX} {short}"
    for number in count(2):
        yield f"{PREFIX} {short} {number}"
