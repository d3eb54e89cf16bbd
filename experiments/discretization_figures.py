"""The table and figures of discretization agnostic learning (paper 5.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from diffusionnet_blender.surface.surface import Surface
from training.contact_sheet import BACKGROUND, HEIGHT, WIDTH, drawn
from training.documents import percent, table

from .layouts import remeshed
from .results import DOCUMENT

THRESHOLDS = tuple(np.arange(0, 20.5, 0.5).tolist())
"""Percent of the geodesic diameter at which the curves are measured."""
IMAGES = DOCUMENT.parent / "images"
CURVES, BODIES = "discretization-curves.webp", "discretization-bodies.webp"
# Width, epochs and errors; mc is not in the paper's table.
PAPER = {
    "DiffusionNet, xyz": ("256", "", "0.33", "0.68", "0.62", "0.82", "", "2.59"),
    "SplineCNN": ("", "", "3.51", "31.09", "27.95", "40.43", "", ""),
    "PointNet (vertices)": ("", "", "3.83", "2.92", "3.04", "2.67", "", "2.60"),
}
# The error that counts as near in the second table.
NEAR = 5.0
COLOURS = ("tab:blue", "tab:cyan", "tab:red", "tab:orange")
CAPTION = 22


def tables(found: dict[str, Any]) -> str:
    """What was found, in Markdown, below the paper's figures."""
    header = ["error", "weights", "width", "epochs", "minutes", *remeshed.KINDS]
    rows = [
        [f"paper: {name}", "", width, epochs, "", *errors]
        for name, (width, epochs, *errors) in PAPER.items()
    ]
    for name, result in found.items():
        errors = [
            f"{result['mean'][kind]:.2f}" if kind in result["mean"] else ""
            for kind in remeshed.KINDS
        ]
        rows.append(
            [
                name,
                f"{result['weights']:,}",
                str(result["width"]),
                str(result["epochs"]),
                f"{60 * result['hours']:.1f}",
                *errors,
            ]
        )
    near = [
        [
            name,
            *(
                _exact_and_near(result["within"][kind]) if kind in result["within"] else ""
                for kind in remeshed.KINDS
            ),
        ]
        for name, result in found.items()
    ]
    data = ", ".join(dict.fromkeys(result["data"] for result in found.values()))
    pieces = [
        table(header, rows),
        f"Rows without *paper* are on {data}." if data else "",
        table([f"exact / within {NEAR:g}", *remeshed.KINDS], near) if near else "",
        f"![Share of vertices within each error](images/{CURVES})" if found else "",
        f"![Labels of one body as colours](images/{BODIES})" if (IMAGES / BODIES).exists() else "",
    ]
    return "\n\n".join(filter(None, pieces))


def _exact_and_near(within: list[float]) -> str:
    """Shares of the vertices with their very label, and with one that is near."""
    near = within[THRESHOLDS.index(NEAR)]
    return f"{percent(within[0])} / {percent(near)}"


def draw_curves(found: dict[str, Any]) -> None:
    """Share of the vertices within each error, a pane for each kind (Figure 11)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panes = pyplot.subplots(
        2, 3, figsize=(10, 5.6), sharex=True, sharey=True, layout="constrained"
    )
    for pane, kind in zip(panes.flat, remeshed.KINDS, strict=True):
        for colour, (name, result) in zip(COLOURS, found.items(), strict=False):
            if kind in result["within"]:
                shares = 100 * np.array(result["within"][kind])
                pane.plot(THRESHOLDS, shares, color=colour, label=name)
        pane.set(title=kind, xlim=(0, THRESHOLDS[-1]), ylim=(0, 101))
        pane.grid(color="0.88")
        pane.spines[["top", "right"]].set_visible(False)
    for pane in panes[-1]:
        pane.set_xlabel("geodesic error, % of the diameter")
    for pane in panes[:, 0]:
        pane.set_ylabel("% of vertices within")
    figure.legend(*panes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    IMAGES.mkdir(parents=True, exist_ok=True)
    figure.savefig(IMAGES / CURVES, dpi=110, pil_kwargs={"quality": 85, "method": 6})
    pyplot.close(figure)


def draw_bodies(template: Surface, rows: dict[str, dict[str, tuple[Surface, np.ndarray]]]) -> None:
    """One body in every kind, each vertex in the colour of the template's vertex that it was
    labelled with (Figure 3).

    Parameters
    ----------
    template : Surface
    rows : dict of str to dict
        Of each network, of each kind, the surface and the labels (V,) of its vertices.
    """
    low, size = template.vertices.min(axis=0), np.ptp(template.vertices, axis=0)
    colours = 0.1 + 0.9 * (template.vertices - low) / size
    columns = max(map(len, rows.values()))
    left = WIDTH // 2
    sheet = Image.new(
        "RGB", (left + columns * WIDTH, CAPTION + len(rows) * HEIGHT), (BACKGROUND,) * 3
    )
    pen = ImageDraw.Draw(sheet)
    for row, (name, shown) in enumerate(rows.items()):
        pen.multiline_text(
            (6, CAPTION + (row + 0.5) * HEIGHT), name.replace(", ", "\n"), fill=(20, 20, 20)
        )
        for column, (kind, (surface, labels)) in enumerate(shown.items()):
            picture = drawn(_upright(surface), colours[labels], 25.0)
            sheet.paste(picture, (left + column * WIDTH, CAPTION + row * HEIGHT))
            pen.text((left + column * WIDTH + WIDTH // 2 - 12, 6), kind, fill=(20, 20, 20))
    IMAGES.mkdir(parents=True, exist_ok=True)
    sheet.save(IMAGES / BODIES, quality=85, method=6)


def _upright(surface: Surface) -> Surface:
    """The same with +z up instead of +y."""

    def turned(vectors: np.ndarray) -> np.ndarray:
        x, y, z = vectors.T
        return np.stack([x, -z, y], axis=1)

    normals = None if surface.normals is None else turned(surface.normals)
    return Surface(turned(surface.vertices), surface.faces, normals)
