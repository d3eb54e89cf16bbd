"""The command `library`: a task on any number of files, on any number of machines."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import signal
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

from ...errors import DiffusionNetError
from ...options import names_in
from ..options import FORMATS, Commands, add_cache_option, add_quiet_option, file_path
from ..streams import Stopped, note, say
from . import cluster, records
from .bar import Bar
from .farm_jobs import KINDS, write_job
from .library import DEFAULT_RETRIES, Library
from .tasks import TASKS, Job, TaskParser

EPILOGUE = """\
INPUTS: folders, patterns such as 'characters/**/*.glb', files, or a manifest: .csv with a head or
.jsonl, with the columns file, object (or armature), source, source_object, name, and options of the
task for the item alone. Paths and URLs that fsspec opens (s3://, gs://, sftp://).

DIR gets the results; records.jsonl, a line for each item; report.html and report.csv. What is done
and whole is skipped when the command is run again, so that a run that was stopped or killed goes on
where it was. Ctrl C once: what runs is finished, and the report written; twice: at once.

Exit status: 0 if all items are done; 1 if any has failed, or a match is uncertain; 2 for a wrong
option; 130 after Ctrl C.
"""
# Argparse takes all that follows as it is: nothing begins with this.
NO_PREFIX = "\0"


def add_parser(commands: Commands) -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser(
        "library",
        help="run a task on thousands of files, on all cores or on a cluster",
        prefix_chars=NO_PREFIX,
        add_help=False,
    )
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    parser.set_defaults(run=run, program=parser.prog)


def run(chosen: argparse.Namespace) -> int:
    """Read the options, which depend on the task, and process the library."""
    given, inputs, arguments = read_options(chosen.rest, chosen.program)
    library = Library(
        inputs,
        given.task,
        given.output,
        source=given.source or "",
        results=given.results,
        pictures=given.pictures,
        cache=given.cache,
        time_limit=given.time_limit,
        retries=given.retries,
        chunk=given.chunk,
        arguments=arguments,
    )
    if given.write_job:
        kind, folder = given.write_job
        say(str(write_job(kind, folder, library, given.chunks)))
        return 0
    if given.report_only:
        return _told(library.finish(), library, given)
    with library.alone():
        return _process(library, given)


def read_options(
    rest: Sequence[str], program: str
) -> tuple[argparse.Namespace, list[str], list[str]]:
    """Options of the library, its inputs, and the options of its task."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--task", choices=TASKS)
    task = first.parse_known_args(rest)[0].task
    # Of all options, for the help and its errors.
    whole = _parser(program)
    _add_options(whole)
    if task is not None:
        TASKS[task].add_options(whole)
    own = TaskParser(add_help=False, allow_abbrev=False)
    _add_options(own)
    own.add_argument("-h", "--help", action="store_true")
    try:
        if task is None or "-h" in rest or "--help" in rest:
            whole.parse_args(rest)
        given, others = own.parse_known_args(list(rest))
        of_task = TaskParser(add_help=False, allow_abbrev=False)
        TASKS[task].add_options(of_task)
        inputs = of_task.parse_known_args(others)[1]
    except DiffusionNetError as error:
        whole.error(str(error))
    unknown = [word for word in inputs if word.startswith("-")]
    if unknown:
        whole.error(f"{unknown[0]} is no option of the task {task}")
    if not inputs:
        whole.error("the following arguments are required: INPUTS")
    arguments, left = [], list(inputs)
    for word in others:
        if left and word == left[0]:
            left.pop(0)
        else:
            arguments.append(word)
    return given, inputs, arguments


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description="Run a task on any number of files; --task NAME --help lists its options.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUTS", help=f"Of {FORMATS}, or manifests")
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--output", type=_place, required=True, metavar="DIR", help="Path or URL")
    parser.add_argument("--source", metavar="FILE", help="Of match and transfer, to all inputs")
    parser.add_argument(
        "--results",
        type=names_in,
        metavar=".SUFFIX,.SUFFIX",
        help="Files that each item gets: a format, and .npz for arrays (default: .blend for "
        "segment, rig and transfer, .npz for match, none for classify)",
    )
    parser.add_argument(
        "--workers",
        type=_number,
        default=0 if _in_program() else None,
        metavar="N",
        help="Processes (default: as many as cores and memory allow); 0: this one alone, without "
        "Dask, as in Blender's own program",
    )
    parser.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="Of the studio's Dask")
    parser.add_argument(
        "--retries",
        type=_number,
        default=DEFAULT_RETRIES,
        metavar="N",
        help="Tries after the first of an item whose process dies (default: %(default)s)",
    )
    parser.add_argument(
        "--time-limit",
        type=_seconds,
        default=Job.seconds,
        metavar="SECONDS",
        help="After which the process of an item is ended (default: %(default)g)",
    )
    parser.add_argument(
        "--pictures",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="Small pictures for the report (default: on)",
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="Do what has failed before again"
    )
    parser.add_argument(
        "--only-uncertain", action="store_true", help="Do only what is uncertain, again"
    )
    parser.add_argument("--chunk", type=_chunk, metavar="I/N", help="The I-th of N parts alone")
    parser.add_argument(
        "--report-only", action="store_true", help="Merge the records and write the report"
    )
    parser.add_argument(
        "--write-job",
        nargs=2,
        metavar=("KIND", "FOLDER"),
        help=f"Write a job for a render farm instead: {' or '.join(KINDS)}",
    )
    parser.add_argument(
        "--chunks", type=_count, metavar="N", help="Of that job (default: one for 100 items)"
    )
    add_cache_option(parser)
    add_quiet_option(parser)


def _process(library: Library, given: argparse.Namespace) -> int:
    pending = library.pending(given.retry_failed, given.only_uncertain)
    first = next(pending, None)
    if first is None:
        return _told(library.finish() if library.chunk is None else None, library, given)
    bar = Bar(len(library.items), given.quiet)
    with _interrupts() as stop, _client(given) as client:
        if client is not None and not given.quiet:
            threads = cluster.threads_of(client)
            note(f"{len(library.items):,} items, {threads} workers{_dashboard(client)}")
        for record in library.run(client, itertools.chain([first], pending), stop):
            # Those that are passed by on the way are no part of the work.
            bar.total = len(library.items) - library.skipped
            bar.step(record["status"] == records.FAILED)
            if record["status"] == records.FAILED and not given.quiet:
                note(f"{record['file']}: {record['errors'][0]['message']}")
        bar.end()
        stopped = stop()
    totals = library.finish() if library.chunk is None else None
    status = _told(totals, library, given)
    return 128 + signal.SIGINT if stopped else status


def _in_program() -> bool:
    """Whether this is Blender's own program, whose Python alone is not Blender."""
    return __package__.startswith("bl_ext.")


def _client(given: argparse.Namespace) -> Any:
    if given.scheduler:
        return cluster.studio_client(given.scheduler)
    if given.workers == 0:
        return contextlib.nullcontext()
    return cluster.local_client(given.workers)


def _dashboard(client: Any) -> str:
    if client.dashboard_link and cluster.has_dashboard():
        return f", Dask's dashboard: {client.dashboard_link}"
    return ", Dask's dashboard needs bokeh (pip install bokeh)"


def _told(totals: dict[str, Any] | None, library: Library, given: argparse.Namespace) -> int:
    """Tell the totals; the exit status."""
    if totals is None:
        known = library.records.index()
        states = [known[item.name].status for item in library.items if item.name in known]
        totals = {status: states.count(status) for status in set(states)}
    counts = ", ".join(
        f"{totals[status]:,} {status}"
        for status in (records.DONE, records.UNCERTAIN, records.PARTIAL, records.FAILED)
        if totals.get(status)
    )
    if not given.quiet:
        report = "" if library.chunk else f"; {library.folder.at('report.html')}"
        note(f"{counts or 'nothing is done'}{report}")
    bad = totals.get(records.FAILED, 0) + totals.get(records.PARTIAL, 0)
    if TASKS[given.task].paired:
        bad += totals.get(records.UNCERTAIN, 0)
    return 1 if bad else 0


@contextlib.contextmanager
def _interrupts() -> Iterator[Any]:
    """Context in which the first signal lets what runs end, and the second ends at once."""
    received: list[int] = []
    handler = signal.getsignal(signal.SIGINT)

    def stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            raise Stopped(128 + number)
        note("\nFinishing what runs; Ctrl C again: at once")

    signal.signal(signal.SIGINT, stop)
    try:
        yield lambda: bool(received)
    finally:
        signal.signal(signal.SIGINT, handler)


def _place(text: str) -> str:
    """A path or URL as it is written."""
    file_path(text)
    return text


def _count(text: str) -> int:
    number = _number(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error
    if not 0.0 < number < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is out of range")
    return number


def _chunk(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a part of a whole, as 2/8")
    return int(number), int(count)
