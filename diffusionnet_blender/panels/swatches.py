"""Icons of one colour: a colour property that cannot be edited would be drawn dimmed."""

import bpy.utils.previews

SIZE = 16
_icons = []


def swatch(colour) -> int:
    """Icon of a colour, for `icon_value`; made once for each colour.

    Parameters
    ----------
    colour : (r, g, b)
        sRGB, 0 to 1.
    """
    if not _icons:
        _icons.append(bpy.utils.previews.new())
    name = "".join(f"{round(255 * channel):02x}" for channel in colour)
    if name not in _icons[0]:
        preview = _icons[0].new(name)
        preview.icon_size = (SIZE, SIZE)
        preview.icon_pixels_float = [*colour, 1.0] * SIZE**2
    return _icons[0][name].icon_id


def forget_swatches() -> None:
    """Free the icons."""
    while _icons:
        bpy.utils.previews.remove(_icons.pop())
