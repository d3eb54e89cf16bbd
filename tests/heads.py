"""A head with a slit for a mouth and an open eye, in any number of triangles, for the tests."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

# Degrees: height of the mouth, its half width, the rims of the eye, and its corners.
MOUTH, HALF_WIDTH = -24.0, 24.0
LIDS, CORNERS = (4.0, 16.0), (16.0, 46.0)
# Half the gap between the lips at rest.
LIP = 0.15


@dataclass(frozen=True, eq=False)
class Head:
    """A mesh in longitudes and latitudes, which faces -y.

    Attributes
    ----------
    step : float
        Degrees between its lines.
    lids : (lower, upper)
        Latitudes of the rims of the eye.
    has_mouth : bool
        Whether the lips are apart.
    vertices, faces : (V, 3), (F, 3)
    degrees : (V, 2)
        Longitude and latitude of each vertex, as on a head with the eye of `LIDS`.
    is_lower : (V,) bool
        Below the line of the mouth.
    """

    step: float
    lids: tuple[float, float] = LIDS
    has_mouth: bool = True
    vertices: np.ndarray = field(init=False)
    faces: np.ndarray = field(init=False)
    degrees: np.ndarray = field(init=False)
    is_lower: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        def line(stops):
            parts = [
                np.linspace(a, b, max(2, round(abs(b - a) / self.step)), endpoint=False)
                for a, b in zip(stops[:-1], stops[1:], strict=True)
            ]
            return np.concatenate([*parts, [stops[-1]]])

        across = line([-150, -HALF_WIDTH, 0, CORNERS[0], CORNERS[1], 150])
        upward = line([-70, MOUTH, *LIDS, 75])
        lon, lat = (x.ravel() for x in np.meshgrid(across, upward, indexing="ij"))
        index = np.arange(len(lon)).reshape(len(across), len(upward))
        a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
        faces = np.concatenate(
            [np.stack([x.ravel() for x in half], axis=1) for half in ((a, b, c), (a, c, d))]
        )
        middle = np.stack([lon[faces].mean(axis=1), lat[faces].mean(axis=1)], axis=1)
        hole = (np.abs(middle[:, 0] - np.mean(CORNERS)) < np.ptp(CORNERS) / 2) & (
            np.abs(middle[:, 1] - np.mean(LIDS)) < np.ptp(LIDS) / 2
        )
        faces, middle = faces[~hole], middle[~hole]
        lower = lat < MOUTH
        if self.has_mouth:
            slit = np.flatnonzero((lat == MOUTH) & (np.abs(lon) < HALF_WIDTH - 1e-6))
            copy = np.arange(len(lon))
            copy[slit] = len(lon) + np.arange(len(slit))
            below = middle[:, 1] < MOUTH
            faces[below] = copy[faces[below]]
            lon, lat = np.append(lon, lon[slit]), np.append(lat, lat[slit] - LIP)
            lat[slit] += LIP
            lower = np.append(lower, np.ones(len(slit), bool))
        used, faces = np.unique(faces, return_inverse=True)
        degrees = np.stack([lon, lat], axis=1)[used]
        found = {
            "faces": faces.reshape(-1, 3),
            "degrees": degrees,
            "is_lower": lower[used],
            "vertices": on_head(self.stretched(degrees)),
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)

    def stretched(self, degrees: np.ndarray) -> np.ndarray:
        """Longitudes and latitudes with the rims of the eye where this head has them."""
        lon, lat = degrees.T
        height = np.interp(lat, [-90, MOUTH, *LIDS, 40, 90], [-90, MOUTH, *self.lids, 40, 90])
        across = np.interp(lon, [0, *CORNERS, 60], [0, 1, 1, 0])
        return np.stack([lon, lat + across * (height - lat)], axis=1)


def on_head(degrees: np.ndarray) -> np.ndarray:
    """Places (V, 3) on a head with nose, chin and ears, from longitudes and latitudes."""
    lon, lat = np.radians(degrees.T)

    def bump(at, height, width):
        away = (degrees - at) / width
        return height * np.exp(-np.square(away).sum(axis=1))

    radius = 1 + bump([0, -6], 0.25, 11) + bump([0, -50], 0.15, 20)
    radius += bump([92, 0], 0.2, 9) + bump([-92, 0], 0.2, 9)
    flat = radius * np.cos(lat)
    places = np.stack([flat * np.sin(lon), -flat * np.cos(lon), radius * np.sin(lat)], axis=1)
    return places * [0.8, 1.0, 1.15]


def opened(head: Head, by: float = 0.12) -> np.ndarray:
    """The mouth opens: what is below it goes down, (V, 3)."""
    lon, lat = head.degrees.T
    fading = np.exp(-np.square(lon / 45)) * np.clip((lat + 70) / 20, 0, 1)
    near = np.clip((HALF_WIDTH - np.abs(lon)) / 8, 0, 1)
    drop = np.where(head.is_lower, by * fading * near, 0.0)
    return head.vertices - drop[:, None] * [0, 0, 1]


def shifted(head: Head, by: float = 0.08) -> np.ndarray:
    """Both lips go aside together, (V, 3)."""
    away = np.square((head.degrees - [0, MOUTH]) / 25).sum(axis=1)
    return head.vertices + (by * np.exp(-away))[:, None] * [1, 0, 0]


def blinked(head: Head) -> np.ndarray:
    """The upper lid comes down to the lower one, (V, 3)."""
    lon, lat = head.degrees.T
    across = np.clip(3 * np.interp(lon, [CORNERS[0], 31, CORNERS[1]], [0, 1, 0]), 0, 1)
    share = across * np.interp(lat, [LIDS[1] - 0.1, LIDS[1], 40], [0, 1, 0])
    down = np.array(head.degrees)
    down[:, 1] -= share * (0.98 * np.ptp(LIDS))
    return head.vertices + (on_head(down) - on_head(head.degrees))
