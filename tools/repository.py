"""Make an extension repository to host as plain files, as Blender's Remote Repositories read it.

python -m tools.repository dist dist/repository

The folder gets the zips, index.json (what Blender reads) and index.html (what a browser shows).
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from tools.package import blender_extension


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("zips", type=Path, help="the folder that they were built into")
    parser.add_argument("output", type=Path)
    options = parser.parse_args(arguments)
    index = build(sorted(options.zips.glob("*.zip")), options.output)
    for entry in json.loads(index.read_text())["data"]:
        megabytes = entry["archive_size"] / 1e6
        print(f"{megabytes:7.1f} MB  {entry['archive_url']}  {' '.join(entry['platforms'])}")
    print(index)


def build(archives: list[Path], output: Path) -> Path:
    """Put zips into a repository of their own and return its index.json."""
    if not archives:
        raise SystemExit("There are no zips to put into it: run `make package`.")
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    for archive in archives:
        shutil.copy(archive, output)
    blender_extension("server-generate", "--repo-dir", str(output), "--html")
    return output / "index.json"


if __name__ == "__main__":
    main()
