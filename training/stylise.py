"""Proportions and skins that no person has: cartoons, mascots, brutes, smooth puppets."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from diffusionnet_blender.surface.triangles import smooth
from diffusionnet_blender.surface.winding import vertex_normals

from .meshes import bumps
from .parts import FINE_NAMES
from .poses import unit
from .template import Template


@dataclass(frozen=True)
class Proportions:
    """Cartoon proportions: factors, 1 leaves the body as it is."""

    head: float = 1.0
    neck_girth: float = 1.0
    neck_length: float = 1.0
    hands: float = 1.0
    fingers: float = 1.0
    feet: float = 1.0
    arm_girth: float = 1.0
    forearm_girth: float = 1.0
    leg_girth: float = 1.0
    shin_girth: float = 1.0
    arm_length: float = 1.0
    leg_length: float = 1.0
    torso_width: float = 1.0
    torso_depth: float = 1.0
    torso_height: float = 1.0
    shoulder_width: float = 1.0
    waist: float = 1.0


# Start and end of the bones of each limb's segment, and the factors of its girth and length.
_LIMBS = {
    "upper_arm": ("upperarm01", "lowerarm01", ("arm_girth",), "arm_length"),
    "forearm": ("lowerarm01", "wrist", ("arm_girth", "forearm_girth"), "arm_length"),
    "thigh": ("upperleg01", "lowerleg01", ("leg_girth",), "leg_length"),
    "shin": ("lowerleg01", "foot", ("leg_girth", "shin_girth"), "leg_length"),
}


def bone_scales(template: Template, heads: np.ndarray, proportions: Proportions) -> np.ndarray:
    """Scale of every bone about its head, in the axes of the rest pose: (B, 3, 3)."""
    scales = np.tile(np.eye(3), (len(template.bones), 1, 1))
    for index, (name, fine) in enumerate(zip(template.bones, template.fine_of_bone, strict=True)):
        part, _, side = FINE_NAMES[fine].partition(".")
        along = np.zeros(3)
        if part in _LIMBS:
            start, end = (heads[template.bone(f"{bone}.{side}")] for bone in _LIMBS[part][:2])
            along = unit(end - start)
        if part != "shoulder" or name.startswith("clavicle"):
            scales[index] = part_scale(part, along, proportions)
    return scales


def part_scale(part: str, along: np.ndarray, proportions: Proportions) -> np.ndarray:
    """Scale (3, 3) of a fine part without its side; `along` (3,) is the unit axis of a limb."""
    p = proportions
    if part in _LIMBS:
        girths, length = _LIMBS[part][2:]
        girth = float(np.prod([getattr(p, name) for name in girths]))
        return girth * np.eye(3) + (getattr(p, length) - girth) * np.outer(along, along)
    torso = np.array([p.torso_width, p.torso_depth, p.torso_height])
    # The neck leads over from the torso to the head.
    collar = 1.0 + (p.head - 1.0) * 0.35
    factor = {
        "neck": np.array([p.neck_girth, p.neck_girth, p.neck_length]) * collar,
        "head": p.head,
        "palm": p.hands,
        "fingers": p.hands * p.fingers,
        "foot": p.feet,
        "toes": p.feet,
        "chest": torso,
        "abdomen": torso * [p.waist, p.waist, 1.0],
        "pelvis": torso,
        "shoulder": np.array([p.shoulder_width, 1.0, 1.0]),
    }[part]
    return np.diag(np.ones(3) * factor)


def _factor(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


# Each style draws its factors log-uniformly from these ranges; others stay 1.
_STYLES = {
    "cartoon": {
        "head": (0.85, 1.9),
        "neck_girth": (0.6, 1.3),
        "neck_length": (0.6, 1.5),
        "hands": (0.8, 1.7),
        "fingers": (0.7, 1.3),
        "feet": (0.8, 1.6),
        "arm_girth": (0.6, 1.5),
        "forearm_girth": (0.8, 1.5),
        "leg_girth": (0.65, 1.4),
        "shin_girth": (0.75, 1.5),
        "arm_length": (0.75, 1.25),
        "leg_length": (0.6, 1.3),
        "torso_width": (0.75, 1.35),
        "torso_depth": (0.75, 1.35),
        "torso_height": (0.75, 1.25),
        "shoulder_width": (0.75, 1.4),
        "waist": (0.65, 1.25),
    },
    "chibi": {
        "head": (1.7, 3.0),
        "neck_girth": (0.5, 1.0),
        "neck_length": (0.3, 0.9),
        "hands": (0.8, 1.8),
        "fingers": (0.5, 1.1),
        "feet": (0.9, 1.8),
        "arm_girth": (0.8, 1.7),
        "forearm_girth": (0.8, 1.4),
        "leg_girth": (0.8, 1.5),
        "shin_girth": (0.8, 1.5),
        "arm_length": (0.5, 0.95),
        "leg_length": (0.4, 0.8),
        "torso_width": (0.8, 1.3),
        "torso_depth": (0.9, 1.4),
        "torso_height": (0.6, 1.0),
        "shoulder_width": (0.7, 1.1),
    },
    "brute": {
        "head": (0.6, 1.0),
        "neck_girth": (1.1, 1.8),
        "hands": (1.1, 2.0),
        "feet": (1.0, 1.6),
        "arm_girth": (1.2, 2.0),
        "forearm_girth": (0.9, 1.5),
        "leg_girth": (0.9, 1.5),
        "arm_length": (1.0, 1.35),
        "leg_length": (0.65, 1.0),
        "torso_width": (1.1, 1.6),
        "torso_depth": (1.1, 1.6),
        "shoulder_width": (1.1, 1.6),
        "waist": (0.7, 1.1),
    },
    "spindly": {
        "head": (0.7, 1.5),
        "neck_girth": (0.5, 0.9),
        "neck_length": (0.9, 1.8),
        "arm_girth": (0.4, 0.8),
        "leg_girth": (0.4, 0.8),
        "arm_length": (0.95, 1.4),
        "leg_length": (0.95, 1.4),
        "torso_width": (0.6, 0.95),
        "torso_depth": (0.6, 1.0),
        "waist": (0.6, 1.0),
        "hands": (0.8, 1.5),
        "feet": (0.8, 1.5),
    },
}


def sample_proportions(rng: np.random.Generator) -> Proportions:
    """Random cartoon proportions, from hardly noticeable to a mascot, a brute or a stick figure."""
    style = _STYLES[str(rng.choice(list(_STYLES), p=(0.5, 0.25, 0.13, 0.12)))]
    names = [field.name for field in fields(Proportions)]
    return Proportions(**{name: _factor(rng, *style[name]) for name in names if name in style})


def sample_chibi(rng: np.random.Generator) -> Proportions:
    """Short limbs, hands from stubs to paws, feet from points to boots as large as a head; the
    head, which is made to measure, at 1."""
    return Proportions(
        neck_girth=_factor(rng, 0.4, 1.0),
        neck_length=_factor(rng, 0.05, 0.7),
        hands=_factor(rng, 0.6, 2.2),
        fingers=_factor(rng, 0.15, 1.1),
        feet=_factor(rng, 0.7, 2.6),
        arm_girth=_factor(rng, 0.5, 2.0),
        forearm_girth=_factor(rng, 0.8, 1.5),
        leg_girth=_factor(rng, 0.6, 1.8),
        shin_girth=_factor(rng, 0.8, 1.7),
        arm_length=_factor(rng, 0.45, 1.05),
        leg_length=_factor(rng, 0.3, 0.9),
        torso_width=_factor(rng, 0.7, 1.4),
        torso_depth=_factor(rng, 0.8, 1.5),
        torso_height=_factor(rng, 0.55, 1.05),
        shoulder_width=_factor(rng, 0.6, 1.2),
        waist=_factor(rng, 0.8, 1.3),
    )


def restyle_skin(
    vertices: np.ndarray, faces: np.ndarray, fine: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The same skin smoother, thicker or thinner, and lumpier: what clothing, fat, muscle and a
    sculptor's hand do to it.

    Parameters
    ----------
    vertices : (V, 3) in the rest pose, metres.
    faces : (F, 3)
    fine : (V,) int, parts, which are thickened each by its own amount.

    Returns
    -------
    (V, 3)
    """
    steps = int(rng.integers(0, 40)) if rng.uniform() < 0.6 else 0
    if steps:
        smoothed = smooth(vertices, faces, steps)
        # Averaging eats fingers; half of the skins keep theirs.
        delicate = np.isin(fine, _DELICATE) & (rng.uniform() < 0.5)
        vertices = np.where(delicate[:, None], vertices, smoothed)
    amount = np.zeros(len(vertices))
    if rng.uniform() < 0.6:
        by_part = rng.normal(0.006, 0.008, len(FINE_NAMES))
        by_part[_RIGHT] = by_part[_RIGHT - 1]
        by_part[_DELICATE] = np.clip(by_part[_DELICATE], -0.002, 0.004)
        amount += smooth(by_part[fine][:, None], faces, 12)[:, 0]
    if rng.uniform() < 0.5:
        size = rng.uniform(0.001, 0.006) * ~np.isin(fine, _DELICATE)
        lumps = size * bumps(vertices, rng, wavelength=_factor(rng, 0.08, 0.5))
        amount += smooth(lumps[:, None], faces, 2)[:, 0]
    return vertices + amount[:, None] * vertex_normals(vertices, faces)


_DELICATE = [
    index for index, name in enumerate(FINE_NAMES) if name.startswith(("fingers", "toes", "palm"))
]
# Each comes right after its twin on the left.
_RIGHT = np.array([i for i, name in enumerate(FINE_NAMES) if name.endswith(".R")])
