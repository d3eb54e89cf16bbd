"""Options that several commands have."""

from __future__ import annotations

import sys
from collections.abc import Callable


def add_engine_options(parser) -> None:
    """What the network runs on."""
    add_device_option(parser)
    parser.add_argument("--engine", default="auto", choices=("auto", "torch", "numpy"))


def add_device_option(parser) -> None:
    """Where torch computes."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps, xpu ...")


def add_quiet_option(parser) -> None:
    """Silence on stderr, but for errors."""
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def add_cache_option(parser) -> None:
    """Where matrices are kept."""
    parser.add_argument(
        "--cache",
        metavar="DIR|off",
        help="where the matrices of meshes are kept for the next run (default: the user's cache)",
    )


def names_in(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def stage_lines(what: str, quiet: bool) -> Callable[[str, float], None]:
    """A progress that writes a line on stderr for each stage, once."""
    told = set()

    def progress(stage: str, fraction: float) -> None:
        if stage not in told and not quiet:
            told.add(stage)
            print(f"{what}: {stage}", file=sys.stderr, flush=True)

    return progress
