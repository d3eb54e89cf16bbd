"""The mouse pointer, drawn into pictures of a window: pictures of a screen are without it."""

from __future__ import annotations

from PIL import Image, ImageDraw

# Corners of the arrow, from its tip, in pixels.
ARROW = ((0, 0), (0, 17), (4, 13.5), (6.8, 19.5), (9.6, 18.2), (6.9, 12.4), (12, 12))
RING = 20
INK = (255, 178, 56)
# The ring and the arrow are drawn so many times larger, and made smaller: smooth edges.
FINER = 4


def draw_pointer(
    picture: Image.Image, place: tuple[float, float], ring: float = 0.0
) -> Image.Image:
    """A copy of a picture with the pointer in it.

    Parameters
    ----------
    picture : Image
        RGB.
    place : tuple of float
        Of the arrow's tip, in pixels from the left and from the top.
    ring : float
        Radius of a ring around the tip, as a share of the usual one; 0 for none.
    """
    radius = RING * ring
    side = int(2 * RING + 8)
    layer = Image.new("RGBA", (FINER * side, FINER * side))
    draw = ImageDraw.Draw(layer)
    middle = side / 2
    if ring:
        box = [FINER * (middle + sign * radius) for sign in (-1, -1, 1, 1)]
        draw.ellipse(box, fill=(*INK, 50), outline=(*INK, 255), width=3 * FINER)
    corners = [(FINER * (middle + x), FINER * (middle + y)) for x, y in ARROW]
    draw.polygon(corners, fill="white")
    draw.line([*corners, corners[0]], fill="black", width=FINER + 2, joint="curve")
    layer = layer.resize((side, side), Image.Resampling.LANCZOS)
    shown = picture.copy()
    shown.paste(layer, (round(place[0] - middle), round(place[1] - middle)), layer)
    return shown
