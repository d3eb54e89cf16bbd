"""Tables that commands write into the documentation."""

from __future__ import annotations

from pathlib import Path


def put_between(document: Path, name: str, text: str) -> None:
    """Replace what stands between the markers ``<!-- NAME: start -->`` and ``<!-- NAME: end -->``.

    Raises
    ------
    ValueError
        If the document lacks them.
    """
    start, end = f"<!-- {name}: start -->\n", f"<!-- {name}: end -->"
    before, found, rest = document.read_text(encoding="utf-8").partition(start)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"{document} lacks the markers {start.strip()} and {end}")
    document.write_text(f"{before}{start}{text.strip()}\n{end}{after}", encoding="utf-8")


def table(header: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown; all columns but the first are aligned to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def percent(share: float) -> str:
    """A share as the documentation writes it."""
    return f"{100 * share:.1f}%"
