"""Installation of PyTorch into the extension's own folder: found, downloaded, tested, moved.

Only the worker has that folder on its path, and NumPy is never among what is installed: Blender's
own libraries stay as they are. Everything here is in steps, of which none waits.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import DeviceError, DiffusionNetError, WorkerError
from ..tasks.status import job as status_job
from ..worker.client import Answer, Worker, apart_from_the_terminal
from ..worker.launch import own_python, python_executable
from .run_pip import NO_PIP

SCRIPTS = Path(__file__).resolve().parent

VARIANTS = ("cpu", "cuda", "rocm")
STAGING = "staging-"
# torch needs none of its own: it takes the one that it meets.
NEVER_INSTALLED = {"numpy"}
LOG_TAIL = 4000
# Age of folders left by a crashed Blender; younger ones may be in use by another Blender.
ABANDONED_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Step:
    """Progress of an installation.

    Attributes
    ----------
    stage : {"looking up", "downloading", "unpacking", "trying"}
    done, total : int
        Bytes, while downloading; a total of 0 is unknown.
    """

    stage: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class TorchBuild:
    """A build in an index for this Python and system.

    Attributes
    ----------
    version : str
        Of torch.
    packages : tuple of str
        All that is downloaded, as "name==version".
    size : int
        Bytes to download; 0 if the index does not tell.
    """

    version: str
    packages: tuple[str, ...]
    size: int


@dataclass(frozen=True)
class WorkingTorch:
    """A build that was tested.

    Attributes
    ----------
    version : str
    devices : tuple of str
        Where it can run, as `tasks.status` names them.
    """

    version: str
    devices: tuple[str, ...]


def torch_folder(root: Path, variant: str) -> Path:
    """Where a variant goes: its compiled parts are of one version of Python."""
    return root / f"py{sys.version_info.major}{sys.version_info.minor}-{variant}"


def find_build(root: Path, variant: str, index: str) -> Iterator[Step]:
    """Look up the packages of a download.

    Parameters
    ----------
    root : Path
        Folder of all variants, made if missing; nothing stays in it.
    variant : {"cpu", "cuda", "rocm"}
    index : str
        Address of an index of builds, or a folder of wheels. Empty: pip's default.

    Returns
    -------
    TorchBuild
        As the value of the generator.

    Raises
    ------
    WorkerError
        If there is no pip, no network, or no such build.
    """
    with _staging_folder(root) as staging:
        report = staging / "report.json"
        options = ["--dry-run", "--ignore-installed", "--report", str(report), "torch"]
        for _ in _pip(staging, index, options):
            yield Step("looking up")
        entries = json.loads(report.read_text(encoding="utf-8"))["install"]
        versions = {_plain(e["metadata"]["name"]): e["metadata"]["version"] for e in entries}
        _require_variant(versions["torch"], variant)
        kept = {name: v for name, v in versions.items() if name not in NEVER_INSTALLED}
        sizes = staging / "sizes.json"
        for _ in _process(staging, "wheel_sizes.py", [str(report), str(sizes)]):
            yield Step("looking up")
        bytes_of = dict.fromkeys(versions, 0)
        if sizes.exists():
            bytes_of = dict(zip(versions, json.loads(sizes.read_text()), strict=True))
    return TorchBuild(
        version=versions["torch"],
        packages=tuple(f"{name}=={version}" for name, version in kept.items()),
        size=sum(bytes_of[name] for name in kept),
    )


def install_build(root: Path, variant: str, index: str, build: TorchBuild) -> Iterator[Step]:
    """Download a build, test it in a new worker, and replace an earlier one.

    To cancel, close the generator: then, and after any error, nothing of it stays, and an earlier
    one is as it was. No worker may use that one when the last step is taken.

    Parameters
    ----------
    root, variant, index
        As for `find_build`.
    build : TorchBuild
        The build that was found.

    Returns
    -------
    WorkingTorch
        As the value of the generator.

    Raises
    ------
    DeviceError
        If it does not work.
    WorkerError
        If it cannot be downloaded or unpacked.
    """
    with _staging_folder(root) as staging:
        libraries, temporary = staging / "libraries", staging / "temporary"
        options = ["--no-deps", "--no-compile", "--target", str(libraries), *build.packages]
        unpacking = False
        for log in _pip(staging, index, options):
            unpacking = unpacking or b"Installing collected packages" in log.read_bytes()
            if unpacking:
                yield Step("unpacking")
            else:
                # This is where pip downloads to; its own figures would need a recent pip.
                wheels = temporary.glob("pip-unpack-*/*.whl")
                yield Step("downloading", sum(_size_of(path) for path in wheels), build.size)
        found = yield from _try(libraries)
        _replace(torch_folder(root, variant), libraries, staging / "old")
    return found


def remove_torch(root: Path, variant: str) -> None:
    """Remove a variant.

    Raises
    ------
    WorkerError
        If something still uses it.
    """
    with _staging_folder(root) as staging, _readable(root):
        os.replace(torch_folder(root, variant), staging / "old")


@contextlib.contextmanager
def _staging_folder(root: Path) -> Iterator[Path]:
    """A folder beside the variants, so that moving is renaming."""
    with _readable(root):
        root.mkdir(parents=True, exist_ok=True)
        for left in root.glob(f"{STAGING}*"):
            if time.time() - left.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=root))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextlib.contextmanager
def _readable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WorkerError(
            f"The folder of PyTorch {folder} cannot be changed ({error.strerror})",
            "Close other windows of Blender, or restart it, and try again.",
        ) from error


def _replace(folder: Path, libraries: Path, old: Path) -> None:
    with _readable(folder):
        if folder.exists():
            os.replace(folder, old)
        try:
            os.replace(libraries, folder)
        except OSError:
            if old.exists():
                os.replace(old, folder)
            raise


def _try(libraries: Path) -> Iterator[Step]:
    """Load it in a worker, which hands it an array of the NumPy that is here."""
    worker = Worker(own_python(libraries))
    try:
        worker.submit(status_job, status_job.StatusRequest())
        while not isinstance(answer := worker.poll(), Answer):
            yield Step("trying")
    finally:
        # Windows renames no folder whose libraries are loaded.
        worker.stop()
    version = answer.result.libraries["torch"]
    if answer.result.engine != "torch":
        raise DeviceError(
            f"PyTorch does not work here: {version}",
            "Choose another variant or another index of builds.",
        )
    return WorkingTorch(version, answer.result.devices)


def _pip(staging: Path, index: str, options: list[str]) -> Iterator[Path]:
    """Run pip to its end, and raise its error."""
    command = ["install", "--disable-pip-version-check", "--no-input", "--no-cache-dir"]
    command += ["--no-user", "--only-binary", ":all:", "--retries", "2", "--progress-bar", "off"]
    if index and Path(index).is_dir():
        command += ["--no-index", "--find-links", index]
    elif index:
        command += ["--index-url", index]
    status = yield from _process(staging, "run_pip.py", [*command, *options])
    if status:
        raise _error_of(status, (staging / "run_pip.py.log").read_text(errors="replace"))


def _process(staging: Path, script: str, arguments: list[str]) -> Iterator[Path]:
    """Run a script of this folder; yields its log while it runs, returns its exit status."""
    temporary = staging / "temporary"
    temporary.mkdir(exist_ok=True)
    # pip unpacks into the staging folder, which is removed even if pip is killed.
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    log = staging / f"{script}.log"
    try:
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [python_executable(), "-I", str(SCRIPTS / script), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=staging,
                env={**os.environ, **places},
                **apart_from_the_terminal(),
            )
    except OSError as error:
        raise WorkerError(
            f"Blender's Python cannot be started ({error.strerror})",
            "If security software blocks it, allow it.",
        ) from error
    try:
        while process.poll() is None:
            yield log
        return process.returncode
    finally:
        process.kill()
        process.wait()


def _error_of(status: int, log: str) -> DiffusionNetError:
    if status == NO_PIP:
        return WorkerError(
            "Blender's Python here has no pip",
            "Create a Python environment with PyTorch, and set Environment to its folder.",
        )
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if "No space left" in log:
        fix = "Free some space on the disk of Blender's user folder."
    elif "connection" in log.lower() or "Retrying" in log:
        fix = "Check the network, a proxy, and the field Index; until then NumPy runs the network."
    elif missing := re.search(r"No matching distribution found for ([\w.-]+)", log):
        fix = (
            f"This index has no {missing[1]} for Python {python} on this system: use another index."
        )
    else:
        fix = "Check the field Index and try again; until then NumPy runs the network."
    errors = [line for line in log.splitlines() if line.startswith("ERROR: ")]
    reason = errors[-1].removeprefix("ERROR: ") if errors else f"pip ended with status {status}"
    error = WorkerError(f"PyTorch cannot be installed ({reason})", fix)
    error.add_note(f"The log of pip ends with:\n{log[-LOG_TAIL:]}")
    return error


def _require_variant(version: str, variant: str) -> None:
    local = version.partition("+")[2]
    # Builds without a suffix are the default of their system.
    default = "cuda" if sys.platform == "linux" else "cpu"
    kinds = {"cpu": "cpu", "cu": "cuda", "rocm": "rocm"}
    found = next((kinds[start] for start in kinds if local.startswith(start)), default)
    if found != variant:
        raise WorkerError(
            f"The index has PyTorch {version} for {_title(found)}, not for {_title(variant)}",
            f"Choose the variant {_title(found)}, or put the index of builds for "
            f"{_title(variant)} into the field Index: PyTorch's installation page names it.",
        )


def _title(variant: str) -> str:
    return {"cpu": "CPU", "cuda": "CUDA", "rocm": "ROCm"}[variant]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        # Moved on between listing and looking.
        return 0
