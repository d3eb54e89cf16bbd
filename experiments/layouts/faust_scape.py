"""Remeshed FAUST and SCAPE with the places of a template (Ren et al. 2018, Donati et al. 2020).

Three layouts: as Ren et al. and as Donati et al. hand them out, and as the published code of
DiffusionNet has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.train.training_set import LabelledSurface

from .files import read_off, wrong_layout

# The number in the name of the first shape of the test split. Of SCAPE there is no number 51.
FIRST_TEST = {"faust": 80, "scape": 52}
# Where meshes and places are, below the folder of a data set.
FOLDERS = (("off_2", "corres"), ("vtx_5k", "vtx_5k/corres"), ("shapes", "correspondences"))
EXPECTED = """  FAUST_r, or another name that begins with FAUST, and the same for SCAPE; in each
  off_2/NAME.off, or vtx_5k/NAME.off, or shapes/NAME.off                     meshes
  corres/NAME.vts, or vtx_5k/corres/NAME.vts, or correspondences/NAME.vts    for each place of the
                                     template the number of its vertex from 1 on, one a line
  Each NAME ends with a number; the test split begins at 80 (FAUST), at 52 (SCAPE)."""


def files(folder: Path, data_set: str, split: str) -> list[tuple[Path, Path]]:
    """Mesh and places of each shape of a split, by number.

    Parameters
    ----------
    folder : Path
        Of both data sets.
    data_set : {"faust", "scape"}
    split : {"train", "test"}

    Raises
    ------
    DiffusionNetError
        If files are missing.
    """
    if not folder.is_dir():
        raise wrong_layout(folder, "there is no such folder", EXPECTED)
    named = [f for f in sorted(folder.iterdir()) if f.name.lower().startswith(data_set)]
    for at in (f for f in named if f.is_dir()):
        for meshes, places in FOLDERS:
            numbered = {}
            for mesh in sorted((at / meshes).glob("*.off")):
                number = re.search(r"\d+$", mesh.stem)
                if number is None:
                    raise wrong_layout(folder, f"{mesh.name} has no number", EXPECTED)
                of_places = at / places / f"{mesh.stem}.vts"
                if not of_places.exists():
                    missing = of_places.relative_to(folder)
                    raise wrong_layout(folder, f"{missing} is missing", EXPECTED)
                numbered[int(number[0])] = (mesh, of_places)
            first = FIRST_TEST[data_set]
            found = [numbered[n] for n in sorted(numbered) if (n >= first) == (split == "test")]
            # A map is between two.
            if numbered and len(found) < 2:
                fault = f"{at.name} has {len(found)} shapes of the {split} split"
                raise wrong_layout(folder, fault, EXPECTED)
            if numbered:
                return found
    raise wrong_layout(folder, f"no meshes of {data_set.upper()} are there", EXPECTED)


def read(folder: Path, data_set: str, split: str) -> Iterator[LabelledSurface]:
    """Shapes of a split.

    Parameters
    ----------
    folder, data_set, split :
        As for `files`.

    Yields
    ------
    LabelledSurface
        Its labels are the vertices of the places of the template, (P,) int64; place p is the same
        on all shapes of a data set.

    Raises
    ------
    DiffusionNetError
        If files are missing or do not fit.
    """
    count = None
    for mesh, of_places in files(folder, data_set, split):
        surface = read_off(mesh)
        places = read_places(of_places, surface)
        if count is not None and len(places) != count:
            fault = f"{of_places.name} has {len(places)} places, and those before it {count}"
            raise wrong_layout(folder, fault, EXPECTED)
        count = len(places)
        yield LabelledSurface(mesh.stem, surface, places)


def read_places(path: Path, surface: Surface) -> np.ndarray:
    """Vertex of each place of the template, (P,) int64, from 0 on.

    Raises
    ------
    DiffusionNetError
        If the file has other things in it, or vertices that are not there.
    """
    try:
        # Some writers give whole numbers a point.
        values = np.array(path.read_text(encoding="ascii").split(), dtype=np.float64)
    except (ValueError, UnicodeDecodeError) as error:
        raise DiffusionNetError(
            f"{path} has more in it than numbers", "Give one vertex a line, from 1 on."
        ) from error
    count = len(surface.vertices)
    if not len(values) or (values != values.round()).any() or not 1 <= values.min():
        raise DiffusionNetError(
            f"{path} has no whole numbers from 1 on", "Give one vertex a line, from 1 on."
        )
    if values.max() > count:
        raise DiffusionNetError(
            f"{path} names vertex {values.max():.0f}, and its mesh has {count}",
            "Meshes and places are of two versions: take both from one.",
        )
    return values.astype(np.int64) - 1
