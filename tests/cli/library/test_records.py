"""Records: appended, merged, and what they tell after any end of a process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from diffusionnet_blender.cli.library import records
from diffusionnet_blender.cli.library.records import MERGED, Records
from diffusionnet_blender.cli.library.report import PAGE, TABLE, write_report
from diffusionnet_blender.cli.library.storage import Folder
from diffusionnet_blender.errors import DiffusionNetError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def kept(tmp_path):
    return Records(Folder(str(tmp_path / "out")))


def record(name, status=records.DONE, key="k", **more):
    return {"name": name, "key": key, "status": status, **more}


def add_elsewhere(kept, *given):
    """Append records in a process that then ends."""
    code = (
        "import json, sys\n"
        "from diffusionnet_blender.cli.library.records import Records\n"
        "from diffusionnet_blender.cli.library.storage import Folder\n"
        "kept = Records(Folder(sys.argv[1]))\n"
        "for each in json.loads(sys.argv[2]): kept.add(each)\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(kept.folder.root), json.dumps(given)], cwd=ROOT, check=True
    )


def journals(kept):
    return kept.folder.names(records.JOURNALS)


def test_the_last_record_of_an_item_counts(kept):
    kept.add(record("a", records.FAILED, time=2.0))
    kept.add(record("a", records.DONE, "later", time=3.0))
    kept.add(record("a", records.FAILED, time=1.0))
    assert kept.index()["a"] == records.Known(3.0, records.DONE, "later")


def test_merging_keeps_the_last_and_journals_of_those_who_live(kept):
    add_elsewhere(kept, record("a", records.FAILED), record("b"))
    kept.add(record("a"))
    kept.merge()
    lines = [json.loads(line) for line in kept.folder.read(MERGED).splitlines()]
    assert {line["name"]: line["status"] for line in lines} == {"a": "done", "b": "done"}
    assert len(lines) == 2
    # That of the process that has ended is gone, ours stays: we may append.
    assert len(journals(kept)) == 1
    kept.add(record("c"))
    kept.merge()
    assert set(kept.index()) == {"a", "b", "c"}


def test_a_line_that_was_cut_off_is_left_out(kept):
    add_elsewhere(kept, record("a"))
    (name,) = journals(kept)
    path = kept.folder.root / records.JOURNALS / name
    path.write_bytes(path.read_bytes() + b'{"name":"b","key":"k","sta')
    assert set(kept.index()) == {"a"}
    kept.merge()
    assert set(kept.index()) == {"a"}


def test_starts_are_counted_until_the_end_is_known(kept):
    assert [kept.start("a") for _ in range(3)] == [0, 1, 2]
    assert kept.starts("a") == 3
    kept.forget_starts()
    assert kept.starts("a") == 0
    assert kept.started() == {records.digest_of("a")}
    kept.end("a")
    assert kept.started() == set()


def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DiffusionNetError, match=r"cannot be written.*goes on where it was"):
        Records(Folder(str(tmp_path / "file"))).add(record("a"))


def report_of(kept, *given):
    for each in given:
        kept.add(each)
    kept.merge()
    totals = write_report(kept.folder, "segment")
    return totals, kept.folder.read(PAGE).decode(), kept.folder.read(TABLE).decode()


def failure(message, retry=False):
    return {"class": "DiffusionNetError", "message": message, "fix": "Do it.", "retry": retry}


def test_the_report_groups_failures_and_begins_with_the_least_sure(kept):
    totals, page, table = report_of(
        kept,
        record("sure", lowest_confidence=0.9, took=1.0, vertices=10),
        record("unsure", lowest_confidence=0.4, took=1.0),
        record("bad", records.FAILED, errors=[failure("Blender could not read the file (x)")]),
        record("worse", records.FAILED, errors=[failure("Blender could not read the file (y)")]),
        record("doubt", records.UNCERTAIN, lowest_confidence=0.8, doubts=["sides"]),
    )
    assert totals["items"] == 5
    assert totals["reasons"] == [("Blender could not read the file", 2)]
    data = json.loads(page.split("const data = ")[1].split(";\n")[0])
    assert [row["name"] for row in data["rows"]] == ["bad", "worse", "doubt", "unsure", "sure"]
    assert len(table.splitlines()) == 6


def test_names_cannot_break_out_of_the_report(kept):
    _, page, _ = report_of(kept, record("</script><script>alert(1)</script>"))
    assert "<script>alert" not in page


def test_the_page_needs_no_network(kept):
    _, page, _ = report_of(kept, record("a"))
    assert "http" not in page
    assert "src=" not in page
