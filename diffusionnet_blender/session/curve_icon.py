"""The curve of a training as an icon that a panel can draw large."""

from __future__ import annotations

import bpy
import bpy.utils.previews

from ..tasks.train.curve import Curve, picture

_previews: list = []
_curves: list[Curve] = []


def show_curve(curve: Curve) -> None:
    """Draw a curve in place of the one before."""
    if not _previews:
        _previews.append(bpy.utils.previews.new())
    _curves[:] = [curve]
    image = picture(curve)
    # A new name each time: Blender keeps the texture of an icon that it has drawn once.
    _previews[0].clear()
    preview = _previews[0].new(f"curve {len(curve.rows)}")
    preview.image_size = image.shape[:2]
    preview.image_pixels_float.foreach_set(image.ravel())


def shown_curve() -> Curve | None:
    """The last curve."""
    return _curves[0] if _curves else None


def curve_icon() -> int:
    """Number of the icon; 0 if there is none."""
    if not _previews or not len(_previews[0]):
        return 0
    return next(iter(_previews[0].values())).icon_id


def forget_curve() -> None:
    """Free the picture."""
    _curves.clear()
    while _previews:
        bpy.utils.previews.remove(_previews.pop())
