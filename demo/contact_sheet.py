"""Characters in each other's textures: sheets of all pairs, to be looked at.

python -m demo.contact_sheet --characters FOLDER --makehuman FOLDER             # the five of CAST
python -m demo.contact_sheet ... --cast ada bo k_mage dressed:4 --only k_mage   # others; one row

A row has one texture: that of its character, which is on the diagonal as it is; on a second sheet,
pattern.png, a pattern that can be followed. A dot marks a match that is uncertain. Each cell is
made by a process of `demo.textured_pair` and kept in build/contact_sheet; one that is older than
the extension or its files is made again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from demo.textured_pair import KINDS, picture_of
from diffusionnet_blender.tasks.models import DEFAULT_MATCH_MODEL

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "build" / "contact_sheet"
# Realistic, dressed in layers, stylised, of many objects and a large head, no human.
CAST = ("ada", "dressed:6", "q_female_dress", "k_knight", "q_goblin")
DRESSED = "dressed"
# Degrees about the vertical, of those that do not face -y in their files.
TURNS = {
    "bo": -25.0,
    **dict.fromkeys(("q_animated_human", "q_animated_woman", "q_animated_woman_smooth"), -90.0),
    **dict.fromkeys(("q_cowboy", "q_zombie", "q_zombiesmooth"), -90.0),
}
BACKDROP, INK, DOUBT = (226, 225, 222), (40, 42, 46), (226, 96, 20)
MARGIN, TEXT = 26, 20
# Cells are made larger, for a close look.
SHRUNK = 0.6
# Of the marks of uncertain matches.
RADIUS = 7


@dataclass(frozen=True)
class Figure:
    """A character of the sheet."""

    name: str
    path: Path

    @property
    def turn(self) -> float:
        """Degrees until it faces -y."""
        return TURNS.get(self.name, 0.0)

    @property
    def caption(self) -> str:
        """Its name without what tells its pack."""
        head, _, rest = self.name.partition("_")
        words = rest if len(head) == 1 else self.name
        return words.partition(":")[0].replace("_", " ").capitalize()

    @property
    def file_name(self) -> str:
        """For pictures."""
        return self.name.replace(":", "_")


# Cells by row and column; None where one failed.
Cells = dict[tuple[Figure, Figure], Path | None]


def figure(name: str, characters: Path, makehuman: Path) -> Figure:
    """The character of a name: of the samples, of the folder, or `dressed:NUMBER`, which is made.

    Raises
    ------
    FileNotFoundError
        There is none of that name.
    """
    kind, _, number = name.partition(":")
    if kind == DRESSED:
        from benchmarks.character_files import dressed_file

        return Figure(name, dressed_file(int(number or 0), makehuman, OUTPUT / DRESSED)[1])
    folders = (ROOT / "samples", characters)
    found = [path for folder in folders for path in sorted(folder.glob(f"{name}.*"))]
    if not found:
        raise FileNotFoundError(f"There is no character {name!r} in {characters} or the samples")
    return Figure(name, found[0].resolve())


def newest_of_extension() -> float:
    """When the extension or this demo was last changed."""
    rooms = [ROOT / "diffusionnet_blender", ROOT / "demo"]
    files = [
        path
        for room in rooms
        for path in room.rglob("*")
        if path.suffix in (".py", ".safetensors", ".json")
    ]
    return max(path.stat().st_mtime for path in files)


def make_cell(source: Figure, target: Figure, model: str, changed: float) -> Path | None:
    """One in the texture of the other, see `textured_pair`, if it is not there; None: failed."""
    cell = OUTPUT / "cells" / f"{source.file_name}--{target.file_name}"
    known = cell.with_suffix(".json")
    call = [
        *map(str, (source.path, target.path, cell)),
        *("--turn", str(target.turn), "--source-turn", str(source.turn)),
        *("--model", model),
    ]
    newest = max(changed, source.path.stat().st_mtime, target.path.stat().st_mtime)
    if known.exists() and known.stat().st_mtime >= newest:
        if json.loads(known.read_text())["call"] == call:
            return cell
    cell.parent.mkdir(parents=True, exist_ok=True)
    known.unlink(missing_ok=True)
    command = [sys.executable, "-m", "demo.textured_pair", *call]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    title = f"{source.name} on {target.name}"
    if not known.exists():
        print(f"{title}: failed\n{done.stderr[-2000:]}", file=sys.stderr, flush=True)
        return None
    found = json.loads(known.read_text())
    print(title, *(f"{key} {value}" for key, value in found.items() if key != "call"), flush=True)
    return cell


def compose(
    rows: Sequence[Figure], columns: Sequence[Figure], cells: Cells, kind: str, path: Path
) -> None:
    """Put the pictures of one kind side by side, with names, on one ground."""
    made = {
        at: (_small(picture_of(cell, kind)), json.loads(cell.with_suffix(".json").read_text()))
        for at, cell in cells.items()
        if cell is not None
    }
    widths = [
        max([RADIUS * 8, *(made[row, column][0].width for row in rows if (row, column) in made)])
        for column in columns
    ]
    height = max(picture.height for picture, _ in made.values())
    font = ImageFont.load_default(TEXT)
    top = left = MARGIN + TEXT
    size = (left + sum(widths) + MARGIN // 2, top + height * len(rows) + MARGIN // 2)
    sheet = Image.new("RGB", size, BACKDROP)
    pen = ImageDraw.Draw(sheet)
    for row, source in enumerate(rows):
        y = top + row * height
        _write_upwards(sheet, source.caption, font, (MARGIN, y + height // 2))
        x = left
        for target, width in zip(columns, widths, strict=True):
            if row == 0:
                pen.text((x + width / 2, MARGIN), target.caption, INK, font, anchor="mm")
            if (source, target) in made:
                picture, known = made[source, target]
                sheet.paste(picture, (x + (width - picture.width) // 2, y), picture)
                if known["uncertain"]:
                    centre = (x + width // 2 + height // 6, y + height // 14)
                    pen.circle(centre, RADIUS, DOUBT)
            x += width
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _small(picture: Path) -> Image.Image:
    with Image.open(picture) as whole:
        return whole.resize(
            (round(SHRUNK * whole.width), round(SHRUNK * whole.height)), Image.Resampling.LANCZOS
        )


def _write_upwards(sheet: Image.Image, text: str, font, centre: tuple[int, int]) -> None:
    """Write a line that runs upwards."""
    wide, high = int(font.getlength(text)) + 4, TEXT + 8
    line = Image.new("RGB", (wide, high), BACKDROP)
    ImageDraw.Draw(line).text((wide / 2, high / 2), text, INK, font, anchor="mm")
    turned = line.rotate(90, expand=True)
    sheet.paste(turned, (centre[0] - turned.width // 2, centre[1] - turned.height // 2))


def main() -> None:
    """Make the cells that are missing, and the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--characters", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--makehuman", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--cast", nargs="+", default=CAST, metavar="NAME")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="rows: textures of these alone")
    parser.add_argument("--model", default=DEFAULT_MATCH_MODEL, help="name, or path")
    parser.add_argument("--kept", action="store_true", help="make no cell again")
    options = parser.parse_args()
    cast = [figure(name, options.characters, options.makehuman) for name in options.cast]
    rows = [each for each in cast if options.only is None or each.name in options.only]
    changed = 0.0 if options.kept else newest_of_extension()
    cells = {
        (row, column): make_cell(row, column, options.model, changed)
        for row in rows
        for column in cast
    }
    for kind in KINDS:
        path = OUTPUT / f"{kind}.png"
        compose(rows, cast, cells, kind, path)
        print(path)


if __name__ == "__main__":
    main()
