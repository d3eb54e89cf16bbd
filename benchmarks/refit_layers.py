"""Whether layers of clothes keep their order on another body, beside plain ways, on known truth.

python -m benchmarks.refit_layers --makehuman FOLDER     # minutes

Outfits that people modelled for MakeHuman, of several loose parts and with shoes, fitted as a whole
to another body, see `refit`: the share of what another layer covers that comes out through it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.layers import come_out, layers_of, order
from benchmarks.refit import WAYS, Pair, Worn, parser_of, tell
from diffusionnet_blender.surface.surface import triangle_areas
from training.commands import leave, plain_errors
from training.documents import table
from training.dressed import bound_piece
from training.makehuman import triangles

# A suit with its jacket, shirt and trousers, and shoes beneath these.
OUTFITS = (
    ("male_elegantsuit01", "shoes01"),
    ("female_casualsuit02", "shoes03"),
    ("male_worksuit01", "shoes03"),
    ("male_casualsuit04", "shoes01"),
)


def outfit_on(pair: Pair, folder: Path, names: tuple[str, ...]) -> Worn:
    """Garments of one outfit as one mesh.

    Raises
    ------
    FileNotFoundError
        If the folder lacks one.
    """
    one, other, faces, count = [], [], [], 0
    for name in names:
        path = next(folder.glob(f"clothes/*/{name}.mhclo"), None)
        if path is None:
            raise FileNotFoundError(f"{folder} has no clothes/*/{name}.mhclo")
        piece = bound_piece("", path)
        one.append(piece.fitted(pair.rest[0]))
        other.append(piece.fitted(pair.rest[1]))
        faces.append(triangles(piece.piece.polygons) + count)
        count += len(one[-1])
    return Worn(np.concatenate(one), np.concatenate(faces), np.concatenate(other), is_hair=False)


@plain_errors
def main() -> None:
    """Measure, and print a table after each pair."""
    chosen = parser_of(__doc__, pairs=3).parse_args()
    found: dict[str, list[list[float]]] = {way: [[] for _ in OUTFITS] for way in WAYS}
    header = ["layers that come out, %", *(f"{suit}, {shoes}" for suit, shoes in OUTFITS), "mean"]
    for number in range(chosen.pairs):
        pair = Pair(number)
        for column, names in enumerate(OUTFITS):
            worn = outfit_on(pair, chosen.makehuman, names)
            layer = layers_of(worn.vertices, worn.faces)
            before = order(pair.body, worn.vertices, worn.faces, layer)
            area = triangle_areas(worn.vertices, worn.faces)
            for way, fit in WAYS.items():
                after = order(pair.target, fit(pair, worn), worn.faces, layer)
                found[way][column].append(come_out(before, after, area))
            row = " ".join(f"{found[way][column][-1]:6.2f}" for way in WAYS)
            print(f"{number:3} {names[0]:24} {layer.max() + 1:3} {row}", flush=True)
        rows = []
        for way, columns in found.items():
            means = [float(np.mean(each)) for each in columns]
            rows.append([way, *(f"{mean:.2f}" for mean in (*means, float(np.mean(means))))])
        text = f"{len(OUTFITS)} outfits on {number + 1} pairs.\n\n{table(header, rows)}"
        tell("layers", text, chosen.write)


if __name__ == "__main__":
    main()
    leave()
