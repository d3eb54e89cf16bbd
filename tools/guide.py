"""The guide as pages for a browser, which the extension brings along: F1 opens them offline.

python -m tools.guide FOLDER
"""

from __future__ import annotations

import argparse
import re
import shutil
from html import escape
from pathlib import Path
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.extensions.toc import TocExtension
from markdown.treeprocessors import Treeprocessor

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
STYLE = """
body { max-width: 50rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.6 sans-serif;
  color: #222; background: #fff; }
nav { border-bottom: 1px solid #ccc; padding-bottom: .6rem; font-size: .9rem; }
nav a { margin-right: .8rem; white-space: nowrap; }
img { max-width: 100%; }
pre, code { font-family: monospace; background: #f2f2f2; }
pre { padding: .8rem; overflow-x: auto; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #ccc; padding: .2rem .6rem; text-align: left; }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #222; } a { color: #8bf; } pre, code { background: #333; }
}
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title} - DiffusionNet for Blender</title>
<style>{style}</style>
</head>
<body>
<nav>{links}</nav>
{body}
</body>
</html>
"""


class _Links(Treeprocessor):
    """Links lead to the page beside this one; what is not in the guide is no link."""

    def run(self, root: Element) -> None:
        for link in root.iter("a"):
            target = link.get("href", "")
            if re.match(r"\w+:|#", target):
                continue
            name, _, anchor = target.partition("#")
            if (DOCS / name).resolve().parent == DOCS:
                page = f"{Path(name).stem}.html"
                link.set("href", f"{page}#{anchor}" if anchor else page)
            else:
                link.tag = "span"
                del link.attrib["href"]


class _LinkExtension(Extension):
    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (the library's name)
        md.treeprocessors.register(_Links(md), "pages", 0)


def slug(heading: str, separator: str) -> str:
    """What a heading is called in a link, as the hosts of repositories make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", separator)


def title_of(page: Path) -> str:
    """A page's first heading."""
    return page.read_text().partition("\n")[0].removeprefix("# ")


def build(folder: Path) -> list[Path]:
    """Write every page of docs/ and the pictures into a folder.

    Parameters
    ----------
    folder : Path
        Made where it is missing.

    Returns
    -------
    list of Path
        The pages.
    """
    sources = sorted(DOCS.glob("*.md"))
    titles = {source.stem: title_of(source) for source in sources}
    links = "\n".join(f'<a href="{n}.html">{escape(t)}</a>' for n, t in titles.items())
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(DOCS / "images", folder / "images", dirs_exist_ok=True)
    pages = []
    for source in sources:
        text = Markdown(
            extensions=["tables", "fenced_code", "sane_lists", TocExtension(slugify=slug)]
            + [_LinkExtension()]
        ).convert(source.read_text())
        page = folder / f"{source.stem}.html"
        page.write_text(
            PAGE.format(title=escape(titles[source.stem]), style=STYLE, links=links, body=text)
        )
        pages.append(page)
    return pages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    for page in build(parser.parse_args().folder):
        print(page)


if __name__ == "__main__":
    main()
