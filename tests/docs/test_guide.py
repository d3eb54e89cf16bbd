"""The guide: its links and pictures are there, its Python runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from diffusionnet_blender.tasks.models import list_models
from tools import guide

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "samples" / "README.md"])
FENCE = re.compile(r"^```.*?^```$", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
# bpy as a module may crash or hang while the interpreter winds down.
IN_BLENDER = """
import diffusionnet_blender, bpy
diffusionnet_blender.register()
bpy.ops.wm.read_homefile(app_template="", use_empty=True)
{code}
import os
os._exit(0)
"""


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """What a heading is called in a link, as GitHub and GitLab make it."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def python_of(page: Path, section: str) -> str:
    text = page.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_and_pictures_of_a_page_are_there(page):
    missing = []
    for link in LINK.findall(prose(page)):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    assert missing == []


def test_every_page_can_be_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        found = {
            (page.parent / link.partition("#")[0]).resolve() for link in LINK.findall(prose(page))
        }
        waiting += [target for target in found & set(PAGES) if target not in reached]
    assert set((ROOT / "docs").rglob("*.md")) <= reached


def test_the_guide_tells_of_every_model_that_ships():
    told = (ROOT / "docs" / "models.md").read_text().split("## The library")[0]
    missing = [card.name for card in list_models() if f"`{card.name}`" not in told]
    assert missing == []


def test_the_extensions_own_guide_is_small_and_loads_nothing(tmp_path):
    pages = guide.build(tmp_path)
    assert {"tutorial", "segment", "transfer", "farm"} <= {page.stem for page in pages}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".html", ".webp"}
    assert sum(path.stat().st_size for path in files) < 3e6
    for page in pages:
        text = page.read_text()
        assert "<script" not in text
        for link in re.findall(r'(?:href|src)="([^"]+)"', text):
            if not re.match(r"\w+:", link):
                path, _, anchor = link.partition("#")
                target = page.parent / path if path else page
                assert target.exists(), (page, link)
                assert not anchor or f'id="{anchor}"' in target.read_text(), (page, link)


def test_the_animation_of_the_first_page_is_small():
    assert (ROOT / "docs" / "images" / "click.webp").stat().st_size < 2e6


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the guide's commands are run: a clone, as far as they look."""
    folder = tmp_path_factory.mktemp("guide")
    (folder / "samples").symlink_to(ROOT / "samples")
    for name in ("ada.glb", "bo.blend"):
        labels = f"{Path(name).stem}.npz"
        command = ["segment", f"samples/{name}", "--labels", labels]
        run(folder, ["-m", "diffusionnet_blender", *command])
    return folder


def run(folder: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("section", ["Operators", "Functions in Blender"])
def test_scripts_for_blender_run(folder, section):
    code = python_of(ROOT / "docs" / "scripting.md", section)
    code = code.replace("bl_ext.user_default.", "")
    run(folder, ["-c", IN_BLENDER.format(code=code)])


@pytest.mark.slow
def test_the_scripts_of_a_library_run(folder):
    run(folder, ["-c", python_of(ROOT / "docs" / "library.md", "From Python")])
    assert (folder / "labelled" / "report.html").exists()


@pytest.mark.slow
def test_scripts_without_blender_run_without_blender(folder):
    code = python_of(ROOT / "docs" / "scripting.md", "Without Blender")
    run(folder, ["-c", f"import sys\nsys.modules['bpy'] = None\n{code}"])
