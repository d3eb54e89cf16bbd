"""Report of a library: one HTML file that needs no network, and a CSV."""

from __future__ import annotations

import base64
import csv
import heapq
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from . import records
from .records import MERGED, Record
from .storage import Folder

PAGE, TABLE = "report.html", "report.csv"
TEMPLATE = Path(__file__).with_name("report.html")
DATA = "/*data*/null"
# Most items in the page, the least sure first, and most of them with pictures; all are in the CSV.
MOST_ROWS, MOST_PICTURES = 20_000, 1_000
COLUMNS = (
    "name", "file", "source", "status", "class", "vertices", "seconds", "peak_mb", "confidence",
    "lowest_confidence", "lowest", "doubts", "parts", "mended", "warnings", "error_class", "error",
    "fix", "retry", "results",
)  # fmt: skip


def write_report(folder: Folder, task: str) -> dict[str, Any]:
    """Write the report from the merged records.

    Parameters
    ----------
    folder : Folder
        Of the results.
    task : str

    Returns
    -------
    dict
        Number of items of each status, and `items`, `seconds` of work, `vertices`, `reasons`.
    """
    totals: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for record in _merged(folder):
        totals["items"] += 1
        totals[record["status"]] += 1
        totals["seconds"] += record.get("took") or 0
        totals["vertices"] += record.get("vertices") or 0
        reasons.update({reason_of(error) for error in record.get("errors", ())})
        table.writerow(row_of(record))
    folder.write(TABLE, text.getvalue().encode())
    first = heapq.nsmallest(MOST_ROWS, _merged(folder), key=doubtfulness)
    shown = [_shown(folder, record, n < MOST_PICTURES) for n, record in enumerate(first)]
    found = {**totals, "reasons": reasons.most_common()}
    data = json.dumps({"task": task, "totals": found, "rows": shown}, separators=(",", ":"))
    # A name may hold the end of a script.
    page = TEMPLATE.read_text(encoding="utf-8").replace(DATA, data.replace("<", "\\u003c"))
    folder.write(PAGE, page.encode())
    return found


def _merged(folder: Folder) -> Iterator[Record]:
    for line in (folder.read(MERGED) or b"").splitlines():
        yield json.loads(line)


def doubtfulness(record: Record) -> tuple[int, float, str]:
    """Order of the report: failures, then the least sure items."""
    order = (records.FAILED, records.PARTIAL, records.UNCERTAIN, records.DONE)
    lowest = record.get("lowest_confidence")
    return order.index(record["status"]), 1.0 if lowest is None else lowest, record["name"]


def reason_of(error: dict[str, Any]) -> str:
    """Reason of a failure without what differs from file to file, for groups."""
    message = error["message"]
    # What stands in brackets is the file's own.
    return message.partition(" (")[0].partition(":")[0][:100] or error.get("class", "")


def row_of(record: Record) -> dict[str, Any]:
    """A record as a row of the CSV."""
    errors = record.get("errors", [])
    peak = record.get("peak_memory")
    shapes = record.get("shapes", {}).values()
    classes = [shape["class"] for shape in shapes if "class" in shape]
    plain = ("name", "file", "source", "status", "vertices", "confidence")
    return {name: record.get(name, "") for name in plain} | {
        "class": "; ".join(classes),
        "seconds": record.get("took", ""),
        "peak_mb": round(peak / 1e6) if peak else "",
        "lowest_confidence": record.get("lowest_confidence"),
        "lowest": record.get("lowest", ""),
        "doubts": "; ".join(record.get("doubts", ())),
        "parts": "; ".join(f"{n} {share:.1%}" for n, share in _parts(shapes)),
        "mended": record.get("mended", ""),
        "warnings": "; ".join(record.get("warnings", ())),
        "error_class": "; ".join(error.get("class", "") for error in errors),
        "error": "; ".join(error["message"] for error in errors),
        "fix": " ".join(dict.fromkeys(error.get("fix", "") for error in errors)),
        "retry": any(error["retry"] for error in errors) if errors else "",
        "results": "; ".join(record.get("results", ())),
    }


def _parts(shapes: Iterable[dict[str, Any]]) -> Iterator[tuple[str, float]]:
    for shape in shapes:
        yield from shape.get("parts", {}).items()


def _shown(folder: Folder, record: Record, pictured: bool) -> dict[str, Any]:
    """What the page shows of a record."""
    row = row_of(record)
    row["reason"] = "; ".join(dict.fromkeys(reason_of(e) for e in record.get("errors", ())))
    names = record.get("pictures", ()) if pictured else ()
    found = [folder.read(name) for name in names]
    row["pictures"] = [base64.b64encode(data).decode() for data in found if data]
    return {name: value for name, value in row.items() if value not in ("", None, [])}
