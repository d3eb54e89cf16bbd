"""Shape keys read from a source and written to a target, with their drivers.

What is moved of a key is its effect: the offsets from the key that it is relative to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.sides import other_side
from ..tasks.transfer.layers import ShapeKeys
from .attributes import read_values
from .driver_targets import reads_nothing, retarget
from .ownership import Kind, Role, candidates, claim
from .report_text import counted, listed


def key_names(obj: bpy.types.Object) -> list[str]:
    """Names of the shape keys of a mesh, without the reference key."""
    keys = obj.data.shape_keys
    return [] if keys is None else [k.name for k in keys.key_blocks if k != keys.reference_key]


def read_keys(obj: bpy.types.Object, names: Sequence[str]) -> ShapeKeys:
    """The rest shape with the effect of each key alone, in world directions.

    Parameters
    ----------
    obj : bpy.types.Object
        Not in Edit Mode.
    names : sequence of str
        Of its keys.
    """
    keys = obj.data.shape_keys
    linear = np.array(obj.matrix_world.to_3x3(), dtype=np.float64)
    rest = read_values(obj.data.vertices, "co", np.float32, 3)
    rest = rest.astype(np.float64)
    positions = []
    for name in names:
        key = keys.key_blocks[name]
        # Absolute keys are whole shapes, whatever they were relative to.
        start = key.relative_key if keys.use_relative else keys.reference_key
        positions.append((rest + _positions(key) - _positions(start)) @ linear.T)
    return ShapeKeys(tuple(names), np.stack(positions))


def settings_from(source: bpy.types.Object, name: str) -> str | None:
    """The key of a source that a moved one has its settings from: its own, or the other side's."""
    existing = key_names(source)
    return next((n for n in (name, other_side(name)) if n in existing), None)


def locked_keys(target: bpy.types.Object, names: Sequence[str]) -> list[str]:
    """Those of the keys that stay as they are: locked ones, and what a locked one is relative to.

    Their shape is a part of its effect.
    """
    keys = target.data.shape_keys
    staying: set[str] = set()
    for key in [] if keys is None else keys.key_blocks:
        # 4.2 and later have the lock.
        if getattr(key, "lock_shape", False):
            while key.name not in staying:
                staying.add(key.name)
                key = key.relative_key
    if keys is not None:
        # No key is written over the reference, so it needs no lock.
        staying.discard(keys.reference_key.name)
    return [name for name in names if name in staying]


def names_on_target(
    target: bpy.types.Object, wanted: Sequence[str], overwrite: bool
) -> dict[str, str]:
    """Name on the target of each key to write, see `ownership`; locked ones are left out.

    The reference key of the target is its rest shape, so a key of its name gets another one.
    """
    keys = target.data.shape_keys
    reference = set() if keys is None else {keys.reference_key.name}
    locked = locked_keys(target, wanted)
    free = [name for name in wanted if name not in locked]
    claimed = claim(target, Kind.SHAPE_KEY, Role.TRANSFER, free, overwrite, reference)
    return dict(zip(free, claimed.names, strict=True))


def require_room_for_keys(target: bpy.types.Object, wanted: Sequence[str], overwrite: bool) -> None:
    """Raise DiffusionNetError if new keys would change the course of the target's absolute ones."""
    keys = target.data.shape_keys
    if keys is None or keys.use_relative:
        return
    new = [
        n for n in names_on_target(target, wanted, overwrite).values() if n not in keys.key_blocks
    ]
    if new:
        raise DiffusionNetError(
            f"The shape keys of {target.name!r} are absolute, and {new[0]!r} would come between "
            "them",
            "Make them relative or remove them, or switch Shape Keys off.",
        )


def write_keys(
    source: bpy.types.Object,
    target: bpy.types.Object,
    keys: ShapeKeys,
    names: Mapping[str, str],
) -> str:
    """Write keys with ranges, values, relative keys, vertex groups and drivers.

    The reference key and the effects of other keys of the target stay as they are.

    Parameters
    ----------
    source, target : bpy.types.Object
        Not in Edit Mode. A key that the source has for the other side alone has the mirrored
        settings of that one.
    keys : ShapeKeys
        Of the target, as computed.
    names : mapping of str to str
        Name on the target of each key to write, see `names_on_target`; others are left out.

    Returns
    -------
    str
        What was written, with remarks, for the report.
    """
    old, had_keys = source.data.shape_keys, target.data.shape_keys is not None
    is_absolute = not old.use_relative
    as_absolute = is_absolute and not had_keys
    if not names:
        return f"no shape key (locked and kept: {listed(keys.names)})"
    if as_absolute:
        _add_absolute_keys(source, target, names)
    elif not had_keys:
        target.shape_key_add(name=_free_of(old.reference_key.name, names), from_mix=False)
    new = target.data.shape_keys
    for name in names.values():
        if name not in new.key_blocks:
            target.shape_key_add(name=name, from_mix=False)
    origins = {name: settings_from(source, name) for name in names}
    _write_shapes(old, target, keys, names, origins)
    lacking = _write_settings(old, target, names, origins)
    remarks = _naming_remarks(keys.names, names)
    if lacking:
        remarks.append(f"on all vertices, without vertex group {listed(lacking)}")
    if is_absolute and new.use_relative:
        remarks.append("absolute on the source, relative here")
    mirrored = sorted(name for name, origin in origins.items() if name != origin)
    if mirrored:
        remarks.append(f"from the other side: {listed(mirrored)}")
    remarks += _move_drivers(source, target, names, origins, as_absolute)
    text = counted(len(names), "absolute shape key" if as_absolute else "shape key")
    return f"{text} ({'; '.join(remarks)})" if remarks else text


def _free_of(name: str, names: Mapping[str, str]) -> str:
    """Name of a new reference key, apart from those of the keys."""
    return next(n for n in candidates(name) if n not in names.values())


def _naming_remarks(wanted: Sequence[str], names: Mapping[str, str]) -> list[str]:
    renamed = [f"{old!r} as {new!r}" for old, new in names.items() if old != new]
    locked = [name for name in wanted if name not in names]
    return [
        *([listed(renamed)] if renamed else []),
        *([f"locked and kept: {listed(locked)}"] if locked else []),
    ]


def _add_absolute_keys(source, target, names: Mapping[str, str]) -> None:
    """Keys at the frames of the source's; Blender gives a new one the frame of the moment."""
    old = source.data.shape_keys
    first = target.shape_key_add(name="", from_mix=False)
    new = target.data.shape_keys
    new.use_relative = False
    reference = old.reference_key
    frames = [(_free_of(reference.name, names), reference)]
    frames += [(names[key.name], key) for key in old.key_blocks if key.name in names]
    for name, key in frames:
        if key == reference and key.frame == first.frame:
            first.name = name
            continue
        new.eval_time = key.frame
        made = target.shape_key_add(name=name, from_mix=False)
        if key == reference:
            target.shape_key_remove(first)
            made = new.key_blocks[name]
        made.interpolation = key.interpolation
    new.reference_key.interpolation = reference.interpolation
    new.eval_time = old.eval_time


def _write_shapes(
    old, target, keys: ShapeKeys, names: Mapping[str, str], origins: Mapping[str, str]
) -> None:
    """Write offsets, and let the target's own keys that are relative to a written one follow it."""
    new = target.data.shape_keys
    blocks, reference = new.key_blocks, new.reference_key
    rest = read_values(target.data.vertices, "co", np.float32, 3)
    rest = rest.astype(np.float64)
    to_local = np.linalg.inv(np.array(target.matrix_world.to_3x3(), dtype=np.float64)).T
    before = {key.name: _positions(key) for key in blocks}
    effects = {}
    for name, positions in zip(keys.names, keys.positions, strict=True):
        if name in names:
            effects[names[name]] = positions @ to_local - rest
            start = old.key_blocks[origins[name]].relative_key.name if old.use_relative else ""
            if name != origins[name] and other_side(start) in names:
                start = other_side(start)
            # A key that is not moved would bring a shape of its own.
            blocks[names[name]].relative_key = blocks.get(names.get(start, "")) or reference
    relative = {key.name: key.relative_key.name for key in blocks}
    if new.use_relative:
        for name in effects:
            if _runs_in_circle(name, relative):
                blocks[name].relative_key = reference
                relative[name] = reference.name
    else:
        # The shapes of absolute keys do not depend on one another.
        relative = dict.fromkeys(relative, reference.name)
    done = {reference.name: before[reference.name]}

    def shape(name: str, path: tuple[str, ...] = ()) -> np.ndarray:
        start = relative[name]
        if name not in done and name not in effects and (start in path or start == name):
            done[name] = before[name]
        if name not in done:
            beneath = shape(start, (*path, name))
            if name in effects:
                done[name] = beneath + effects[name]
            elif beneath is before[start]:
                done[name] = before[name]
            else:
                done[name] = before[name] + (beneath - before[start])
        return done[name]

    for key in blocks:
        if shape(key.name) is not before[key.name]:
            flat = np.ascontiguousarray(shape(key.name), dtype=np.float32).ravel()
            key.data.foreach_set("co", flat)


def _runs_in_circle(name: str, relative: Mapping[str, str]) -> bool:
    """Whether a key is relative to itself, directly or by others."""
    seen, start = set(), relative[name]
    while start not in seen:
        if start == name:
            return True
        seen.add(start)
        start = relative[start]
    return False


def _write_settings(old, target, names: Mapping[str, str], origins: Mapping[str, str]) -> list[str]:
    """Ranges, values and vertex groups; the groups that the target does not have."""
    lacking = []
    for name, there in names.items():
        key, made = old.key_blocks[origins[name]], target.data.shape_keys.key_blocks[there]
        group = key.vertex_group
        if name != origins[name]:
            group = other_side(group) or group
        # The upper end first: Blender keeps the range from inverting.
        made.slider_max = max(key.slider_max, made.slider_min)
        made.slider_min, made.slider_max = key.slider_min, key.slider_max
        made.value, made.mute = key.value, key.mute
        made.interpolation = key.interpolation
        if group in target.vertex_groups or not group:
            made.vertex_group = group
        else:
            lacking.append(group)
    return sorted(set(lacking))


def _move_drivers(
    source, target, names: Mapping[str, str], origins: Mapping[str, str], with_time: bool
) -> list[str]:
    """Copy drivers of the keys, and remark on what they follow and on what is not moved."""
    old, new = source.data.shape_keys, target.data.shape_keys
    animation = old.animation_data
    if animation is None:
        return []
    own = _paths(old, new, names)
    # The driver of an other side reads the other sides of what the first one reads.
    others = own | {
        old.key_blocks[other].path_from_id(): new.key_blocks[there].path_from_id()
        for name, there in names.items()
        if (other := other_side(name)) and other in old.key_blocks
    }
    count, followed, lost = 0, set[str](), list[str]()
    for driver in animation.drivers:
        place, _, setting = driver.data_path.rpartition(".")
        for name, there in names.items():
            if old.key_blocks[origins[name]].path_from_id() != place:
                continue
            path = f"{new.key_blocks[there].path_from_id()}.{setting}"
            made = _copied(driver, new, path)
            is_mirrored = name != origins[name]
            paths = others if is_mirrored else own
            followed |= retarget(made, source, target, paths, is_mirrored)
            lost += [there] if reads_nothing(made) else []
            count += 1
        if with_time and driver.data_path == "eval_time":
            made = _copied(driver, new, driver.data_path)
            followed |= retarget(made, source, target, own)
            count += 1
    remarks = []
    if count:
        text = counted(count, "driver")
        remarks.append(f"{text}, by {listed(sorted(followed))}" if followed else text)
    if lost:
        remarks.append(f"drivers that read nothing: {listed(sorted(set(lost)))}")
    if animation.action or animation.nla_tracks:
        name = f" {animation.action.name!r}" if animation.action else ""
        remarks.append(f"their animation{name} is not moved")
    return remarks


def _paths(old, new, names: Mapping[str, str]) -> dict[str, str]:
    """Data paths of the keys that were moved, and theirs on the target."""
    return {
        old.key_blocks[name].path_from_id(): new.key_blocks[there].path_from_id()
        for name, there in names.items()
        if name in old.key_blocks
    }


def _copied(driver: bpy.types.FCurve, keys: bpy.types.Key, path: str) -> bpy.types.Driver:
    """A copy of a driver in place of any other at a data path."""
    own = keys.animation_data_create().drivers
    if (existing := own.find(path)) is not None:
        own.remove(existing)
    made = own.from_existing(src_driver=driver)
    made.data_path = path
    return made.driver


def _positions(key: bpy.types.ShapeKey) -> np.ndarray:
    positions = read_values(key.data, "co", np.float32, 3)
    return positions.astype(np.float64)
