"""What drivers read: pointed from a source, its mesh and its armature to those of a target."""

from __future__ import annotations

from collections.abc import Mapping

import bpy

from .armatures import armatures_of


def retarget(
    driver: bpy.types.Driver,
    source: bpy.types.Object,
    target: bpy.types.Object,
    paths: Mapping[str, str],
) -> set[str]:
    """Point a driver that was copied from a source to the target's own data, where it has it.

    Parameters
    ----------
    driver : bpy.types.Driver
    source, target : bpy.types.Object
        Meshes.
    paths : mapping of str to str
        Data path on the target of each shape key that was moved.

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
