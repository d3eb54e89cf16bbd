"""The pages of the documentation, by MkDocs: the site, and the guide inside the extension.

mkdocs build                    # the site (make docs)
python -m tools.guide FOLDER    # the guide: the first sections of mkdocs.yml, without scripts

Both come from the files and the navigation of mkdocs.yml. MkDocs calls the functions `on_...` here:
they add pages from other folders of the repository, and leave out links to files without a page.
"""

from __future__ import annotations

import argparse
import posixpath
import re
from pathlib import Path

from mkdocs.commands.build import build as build_pages
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PACKAGE = ROOT / "diffusionnet_blender"
# What the extension's own guide is made of: F1 opens it offline.
GUIDE_SECTIONS = ("Artists", "Scripts and farms")
THEME = ROOT / "tools" / "guide_theme"
# Pages from other folders, and their names on the site.
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "training/README.md": "weights.md",
    "samples/README.md": "samples.md",
}
FENCE = re.compile(r"(^```.*?^```$)", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\[\]]*)\]\((?P<target>[^)\s]+)\)")
# Anything that a page loads from another host: the site must work without a network.
LOADED = re.compile(
    r"""<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)=["']?((?:https?:)?//[^"' >]+)"""
)
# Where a page of the reference lists the modules of a room.
MODULES = re.compile(r"<!-- modules of (\w+) -->")
PICTURE = re.compile(r'<p>(<img alt="[^"]*" src="([^"]+)" ?/?>)</p>')


def slug(heading: str, separator: str) -> str:
    """Anchor of a heading, as the hosts of repositories make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", separator)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Anchors as on the hosts of repositories, where the same files are read."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = slug
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from other folders."""
    wanted = _pages_of(config.nav)
    for source, name in ELSEWHERE.items():
        if name in wanted:
            files.append(File.generated(config, name, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the repository into links between pages."""
    if page.file.src_uri == "index.md":
        # The theme's list of pages beside it would be a list of one.
        page.meta["hide"] = ["navigation"]
    sources = {name: source for source, name in ELSEWHERE.items()}
    source = sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def linked(found: re.Match) -> str:
        path, _, anchor = found["target"].partition("#")
        if not path or re.match(r"\w+:", path):
            return found[0]
        place = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        name = ELSEWHERE.get(place, place.removeprefix("docs/"))
        file = files.get_file_from_path(name) if name != place else None
        if file is None or not file.inclusion.is_included():
            # A name that is nowhere stays, and MkDocs refuses it.
            return found["text"] if (ROOT / place).exists() else found[0]
        target = posixpath.relpath(name, posixpath.dirname(page.file.src_uri) or ".")
        return f"{found['picture']}[{found['text']}]({target}{'#' if anchor else ''}{anchor})"

    markdown = MODULES.sub(lambda found: _reference(found[1]), markdown)
    parts = FENCE.split(markdown)
    parts[::2] = [LINK.sub(linked, part) for part in parts[::2]]
    return "".join(parts)


def _reference(room: str) -> str:
    """The modules of a room, each by its docstrings: folders before single modules."""
    modules = [path.relative_to(PACKAGE) for path in (PACKAGE / room).rglob("*.py")]
    public = [path.with_suffix("").parts for path in modules if not path.name.startswith("_")]
    lines = []
    for parts in sorted(public, key=lambda parts: (len(parts) == 2, parts)):
        name = ".".join(parts[1:])
        lines += [f"::: {PACKAGE.name}.{room}.{name}", "    options:"]
        lines += [f"      heading: {name}", f"      toc_label: {name}", ""]
    return "\n".join(lines)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A click on a picture shows it in its full size."""
    return PICTURE.sub(r'<p><a href="\2">\1</a></p>', html)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that would load something from elsewhere."""
    if found := LOADED.search(output):
        raise PluginError(f"{page.file.src_uri} loads {found[1]}: the pages must work offline")
    return output


def build(folder: Path) -> list[Path]:
    """Write the guide: plain pages and their pictures.

    Parameters
    ----------
    folder : Path
        Emptied, or made where it is missing.

    Returns
    -------
    list of Path
        The pages.

    Raises
    ------
    mkdocs.exceptions.Abort
        If a link leads nowhere.
    """
    # The site's own theme and plugins need not be installed.
    bare: dict = {"theme": {"name": None, "custom_dir": str(THEME)}, "plugins": []}
    site = load_config(str(ROOT / "mkdocs.yml"), markdown_extensions=[], **bare)
    nav = [section for section in site.nav if set(section) & set(GUIDE_SECTIONS)]
    pages = _pages_of(nav)
    others = [
        path.relative_to(DOCS).as_posix()
        for path in DOCS.rglob("*")
        if path.suffix in {".md", ".css", ".js"} and path.relative_to(DOCS).as_posix() not in pages
    ]
    build_pages(
        load_config(
            str(ROOT / "mkdocs.yml"),
            site_dir=str(folder),
            nav=nav,
            exclude_docs="\n".join(f"/{name}" for name in others),
            markdown_extensions=["sane_lists"],
            extra_css=[],
            **bare,
        )
    )
    written = sorted(folder / f"{name.removesuffix('.md')}.html" for name in pages)
    shown = {
        (folder / name).resolve()
        for page in written
        for name in re.findall(r'src="([^"]+)"', page.read_text())
    }
    for path in folder.rglob("*"):
        if path.is_file() and path not in written and path.resolve() not in shown:
            path.unlink()
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return written


def _pages_of(nav) -> set[str]:
    """Files that a navigation names."""
    if isinstance(nav, str):
        return {nav}
    items = nav.values() if isinstance(nav, dict) else nav
    return set().union(*map(_pages_of, items))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    for page in build(parser.parse_args().folder):
        print(page)


if __name__ == "__main__":
    main()
