"""Sizes of the files that pip would download: `python -I wheel_sizes.py REPORT SIZES`.

REPORT is what `pip install --report` writes; SIZES is written as JSON: bytes, one for each entry.
"""

import json
import ssl
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

SECONDS = 15.0


def main() -> None:
    """Ask for each."""
    report, sizes = (Path(argument) for argument in sys.argv[1:])
    entries = json.loads(report.read_text(encoding="utf-8"))["install"]
    context = ssl.create_default_context()
    try:
        # Blender brings certificates in this package; its Python may find no others.
        import certifi

        context.load_verify_locations(certifi.where())
    except ImportError:
        pass
    addresses = [entry["download_info"]["url"] for entry in entries]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(partial(_size, context=context), addresses))
    sizes.write_text(json.dumps(found), encoding="utf-8")


def _size(address: str, context: ssl.SSLContext) -> int:
    request = urllib.request.Request(address, method="HEAD")
    with urllib.request.urlopen(request, timeout=SECONDS, context=context) as answer:
        return int(answer.headers["Content-Length"])


if __name__ == "__main__":
    main()
