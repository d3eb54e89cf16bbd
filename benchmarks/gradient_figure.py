"""The same body at four sizes: labels and lengths of gradients under both regularisers.

python -m benchmarks.gradient_figure [--sizes 2000 10000 50000 184000]

Prints a table, and draws docs/images/gradient_lengths.webp.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import meshes
from benchmarks.raster import picture
from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.network.numpy_engine import NumpyEngine
from diffusionnet_blender.surface.discretization import Discretization, discretize
from diffusionnet_blender.surface.edges import directed_edges
from diffusionnet_blender.surface.frames import tangent_frames
from diffusionnet_blender.surface.gradient import gradient_matrices
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.winding import vertex_normals
from diffusionnet_blender.tasks.inference import class_probabilities
from diffusionnet_blender.tasks.models import find_model

SIZES = (2_000, 10_000, 50_000, 184_000)
FIGURE = meshes.ROOT / "docs" / "images" / "gradient_lengths.webp"
ROWS = {"published": "before\n1e-5, absolute", "relative": "after\nrelative to edges"}
HEIGHT = 420


def gradient_shares(shape: Discretization) -> np.ndarray:
    """Length of the gradients of the coordinates, as a share of their true length, (V,).

    On a smooth surface the three gradients are the columns of the projection onto the tangent
    plane, whose squared lengths add up to 2 wherever the plane lies.
    """
    squares = sum(
        ((gradient @ shape.vertices) ** 2).sum(axis=1)
        for gradient in (shape.gradient_x, shape.gradient_y)
    )
    return np.sqrt(squares / 2)


def study(size: int, model) -> dict:
    """Gradient shares and labels of the body at one size, under each regulariser."""
    body = meshes.load("body", size)
    repaired = repair(Surface(body["vertices"], body["faces"]))
    shape = discretize(repaired.surface, model.card.discretization)
    vertices = shape.vertices.astype(np.float64)
    edges = directed_edges(shape.faces)
    normals = vertex_normals(vertices, shape.faces)
    features = input_features(shape, model.card.features)
    found = {"shape": shape, "normals": normals, "count": len(body["vertices"])}
    for regulariser in ROWS:
        gradient = gradient_matrices(vertices, edges, tangent_frames(normals), regulariser)
        gradient_x, gradient_y = (half.astype(np.float32) for half in gradient)
        changed = replace(shape, gradient_x=gradient_x, gradient_y=gradient_y)
        labels = class_probabilities(model, changed, features, NumpyEngine()).argmax(axis=1)
        shares = gradient_shares(changed)
        found[regulariser] = {
            "labels": labels,
            "shares": shares,
            "length": float(np.average(shares, weights=shape.mass)),
            "right": float(np.mean(repaired.to_user_vertices(labels) == body["labels"])),
        }
    return found


def draw(studies: list[dict], colours: np.ndarray, path: Path) -> None:
    """A column for each size, a row for each regulariser; in each labels beside lengths."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.cm import ScalarMappable

    map_of_lengths = pyplot.get_cmap("viridis")
    figure, axes = pyplot.subplots(
        len(ROWS), len(studies), figsize=(4.2 * len(studies) + 1.2, 5.6), dpi=120, squeeze=False
    )
    for column, study_of_size in enumerate(studies):
        shape, normals = study_of_size["shape"], study_of_size["normals"]
        for row, (regulariser, title) in enumerate(ROWS.items()):
            found = study_of_size[regulariser]
            views = [
                picture(shape.vertices, shape.faces, normals, paint, HEIGHT)
                for paint in (
                    colours[found["labels"]],
                    map_of_lengths(np.minimum(found["shares"], 1.0))[:, :3],
                )
            ]
            cell = axes[row, column]
            cell.imshow(np.concatenate(views, axis=1))
            cell.set(xticks=[], yticks=[])
            cell.spines[:].set_visible(False)
            if row == 0:
                cell.set_title(f"{study_of_size['count']:,} vertices", fontsize=15)
            if column == 0:
                cell.set_ylabel(title, fontsize=15)
            cell.set_xlabel(
                f"{found['right']:.1%} labels right, gradients {found['length']:.0%} long",
                fontsize=12,
            )
    figure.tight_layout(rect=(0, 0, 1 - 1.2 / figure.get_figwidth(), 1))
    bar = figure.colorbar(
        ScalarMappable(cmap=map_of_lengths),
        cax=figure.add_axes((1 - 0.9 / figure.get_figwidth(), 0.25, 0.01, 0.5)),
    )
    bar.ax.set_title("gradient,\nshare of true", fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, pil_kwargs={"quality": 88})
    pyplot.close(figure)


def main() -> None:
    """Print the table and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--output", type=Path, default=FIGURE)
    options = parser.parse_args()
    model = find_model("body_parts")
    studies = []
    print("| vertices | gradients, before | after | right labels, before | after |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for size in options.sizes:
        found = study(size, model)
        before, after = (found[name] for name in ROWS)
        print(
            f"| {found['count']:,} | {before['length']:.1%} | {after['length']:.1%} "
            f"| {before['right']:.1%} | {after['right']:.1%} |",
            flush=True,
        )
        studies.append(found)
    draw(studies, np.array(model.card.class_colours), options.output)


if __name__ == "__main__":
    main()
