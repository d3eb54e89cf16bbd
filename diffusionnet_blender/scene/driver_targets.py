"""What drivers read: pointed from a source, its mesh and its armature to those of a target."""

from __future__ import annotations

import re
from collections.abc import Mapping

import bpy

from ..tasks.sides import other_side
from .armatures import armatures_of

_QUOTED = re.compile(r'\["([^"\\]+)"\]')


def retarget(
    driver: bpy.types.Driver,
    source: bpy.types.Object,
    target: bpy.types.Object,
    paths: Mapping[str, str],
    is_mirrored: bool = False,
) -> set[str]:
    """Point a driver that was copied from a source to the target's own data, where it has it.

    Parameters
    ----------
    driver : bpy.types.Driver
    source, target : bpy.types.Object
        Meshes.
    paths : mapping of str to str
        Data path on the target of each shape key that was moved.
    is_mirrored : bool
        Whether it reads the other sides of what it read: arm.R for arm.L, where that is there.

    Returns
    -------
    set of str
        Names of all that it reads now, but for shape keys.
    """
    read = set()
    for variable in driver.variables:
        if variable.type == "CONTEXT_PROP":
            continue
        for end in variable.targets:
            if is_mirrored:
                _take_other_side(variable, end)
            path = end.data_path
            for here, there in _counterparts(end.id, source, target):
                place, dot, setting = path.rpartition(".")
                if isinstance(here, bpy.types.Key):
                    path = f"{paths.get(place, place)}{dot}{setting}"
                if _has(there, variable, end, path) or not _has(here, variable, end, end.data_path):
                    end.id, end.data_path = there, path
                    break
            if end.id is not None and not isinstance(end.id, bpy.types.Key):
                read.add(end.id.name)
    return read


def reads_nothing(driver: bpy.types.Driver) -> bool:
    """Whether something that a driver reads is not there."""
    return any(
        end.id is None or not _has(end.id, variable, end, end.data_path)
        for variable in driver.variables
        if variable.type != "CONTEXT_PROP"
        for end in variable.targets
    )


def _take_other_side(variable, end) -> None:
    """Point to the other side of a bone or property, where there is one; keys go by their paths."""
    if end.id is None or isinstance(end.id, bpy.types.Key):
        return
    other = other_side(end.bone_target)
    if other and end.id.type == "ARMATURE" and other in end.id.pose.bones:
        end.bone_target = other
    path = _QUOTED.sub(lambda found: f'["{other_side(found[1]) or found[1]}"]', end.data_path)
    if variable.type == "SINGLE_PROP" and _has(end.id, variable, end, path):
        end.data_path = path


def _counterparts(data, source, target) -> list[tuple[bpy.types.ID, bpy.types.ID]]:
    """Data of a target that may stand for data of the source, in the order of preference."""
    rigs, own_rigs = armatures_of(source), armatures_of(target)
    if data in own_rigs or any(data == rig.data for rig in own_rigs):
        return []
    pairs = [
        (source, target),
        (source.data, target.data),
        (source.data.shape_keys, target.data.shape_keys),
        *((rig, own) for rig in rigs for own in own_rigs),
        *((rig.data, own.data) for rig in rigs for own in own_rigs),
    ]
    return [(here, there) for here, there in pairs if here == data]


def _has(data, variable, end, path: str) -> bool:
    """Whether a data-block has what a variable reads."""
    if variable.type != "SINGLE_PROP":
        return not end.bone_target or (
            data.type == "ARMATURE" and end.bone_target in data.pose.bones
        )
    try:
        data.path_resolve(path)
    except ValueError:
        return False
    return True
