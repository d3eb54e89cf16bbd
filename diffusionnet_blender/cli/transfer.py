"""The command `transfer`: what one file's mesh carries, moved onto another's."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from ..errors import DiffusionNetError
from ..tasks.transfer.layers import KINDS
from .options import names_in, stage_lines
from .pair import add_pair_options, load_matching_model, mesh_in
from .session import blender

EPILOGUE = """\
What is moved: texture (images baked anew into the target's own UV map, which is made where there is
none), uv (the source's UV map, seams marked), weights (vertex groups), shape_keys, colors,
attributes, materials, labels (parts of an earlier segmentation), armature (a copy at rest, its
joints carried by the skin around them; with weights, so that it moves the target). Of a file with
several meshes the largest is taken, or the object that is named. All or nothing is written.
"""


def add_parser(commands) -> None:
    """Add the command to those of the command line."""
    transfer = commands.add_parser(
        "transfer",
        help="move textures, UVs, weights, shape keys and attributes from one mesh to another",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pair_options(transfer)
    transfer.add_argument(
        "--what", required=True, metavar="KINDS", help=f"with commas: {','.join(KINDS)}"
    )
    transfer.add_argument("--output", type=Path, required=True, metavar="FILE")
    transfer.add_argument("--texture-size", type=int, default=0, metavar="PIXELS")
    transfer.add_argument("--limit", type=int, default=4, help="most bones of a vertex; 0: any")
    transfer.add_argument("--groups", default="", metavar="NAMES", help="only these vertex groups")
    transfer.add_argument("--keys", default="", metavar="NAMES", help="only these shape keys")
    transfer.set_defaults(run=run)


def run(chosen) -> int:
    """Match two files, move what is asked for, and save the target."""
    kinds = _kinds(chosen.what)
    with blender():
        from ..scene.files import require_known_suffix

        require_known_suffix(chosen.output)
        return _transfer(chosen, kinds)


def _transfer(chosen, kinds: tuple[str, ...]) -> int:
    import bpy

    from ..scene.files import add_file, open_file, save_file
    from ..scene.layers import Wanted
    from ..scene.matches import Match, fingerprint
    from ..scene.pair import require_pair
    from ..scene.read import read_object
    from ..scene.transfer import prepare_transfer
    from ..scene.transfer_write import write_transfer
    from ..tasks.match.pipeline import match
    from ..tasks.transfer.pipeline import TransferSettings

    model = load_matching_model(chosen.model)
    target = mesh_in(chosen.target, chosen.target_object, open_file)
    # Objects of the two files may be called alike; each is found by the name that its file has.
    own = {obj: obj.name for obj in bpy.data.objects}
    for obj, name in own.items():
        obj.name = f"{name} (target)"
    source = mesh_in(chosen.source, chosen.source_object, add_file)
    for obj in set(bpy.data.objects) - set(own):
        obj.name = f"{obj.name} (source)"
    for obj, name in own.items():
        obj.name = name
    given = set(bpy.data.objects) - set(own)
    require_pair(source, target)
    wanted = Wanted(
        **dict.fromkeys(kinds, True),
        group_names=names_in(chosen.groups),
        key_names=names_in(chosen.keys),
    )
    progress = stage_lines(f"{chosen.source} to {chosen.target}", chosen.quiet)
    found = match(
        read_object(source).surface,
        read_object(target).surface,
        model,
        fit=chosen.fit,
        engine=chosen.engine,
        device=chosen.device,
        progress=progress,
    )
    kept = Match(
        target_to_source=found.target_to_source,
        confidence=found.confidence,
        way="" if model is None else found.features,
        fit=found.fit,
        mirrored=found.judgement.mirrored,
        source_fingerprint=fingerprint(source),
        target_fingerprint=fingerprint(target),
        pins=np.zeros((0, 2), dtype=np.int64),
        seconds=sum(found.seconds.values()),
    )
    options = TransferSettings(texture_size=chosen.texture_size, limit=chosen.limit)
    prepared = prepare_transfer(source, target, kept, wanted, options, progress)
    told = write_transfer(source, target, prepared)
    for obj in given:
        bpy.data.objects.remove(obj)
    save_file(chosen.output)
    if not chosen.quiet:
        print(
            f"{chosen.output}: {'; '.join(told)}; {kept.sure:.0%} of the vertices sure",
            file=sys.stderr,
        )
    return 0


def _kinds(text: str) -> tuple[str, ...]:
    kinds = names_in(text)
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise DiffusionNetError(
            f"--what {text!r} names {unknown[0]!r}" if unknown else "--what names nothing",
            f"Known are {', '.join(KINDS)}.",
        )
    return kinds
