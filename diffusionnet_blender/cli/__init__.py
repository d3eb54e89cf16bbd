"""Command line: `python -m diffusionnet_blender ...` and `blender --command diffusionnet ...`.

A module for each command; shared parts are in `options`, `session`, `streams`, `places` and `pair`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from . import classify, conform, match, models, refit, rig, segment, train, transfer
from .library import command as library
from .streams import Stopped, failed, stopping

_COMMANDS = (segment, rig, train, classify, match, transfer, conform, refit, library, models)


def main(arguments: Sequence[str], program: str) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str
        Without the program's name.
    program : str
        For the help text.

    Returns
    -------
    int
        Exit status: 0 if all was done, 1 if anything failed, 128 and the number of the signal that
        ended it, or of the one for a closed pipe. A wrong option exits with 2.
    """
    chosen = build_parser(program).parse_args(arguments)
    try:
        with stopping():
            try:
                return chosen.run(chosen)
            except Exception as error:
                return failed(None, error)
    except Stopped as stopped:
        return stopped.status


def build_parser(program: str) -> argparse.ArgumentParser:
    """Parser of all commands, for Python and for Blender."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="Segment, rig, match, transfer, conform and refit, with DiffusionNet.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser
