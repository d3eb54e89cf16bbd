"""Where left, front and up are of the figure that an armature was made for, at rest."""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np


class RestDirections:
    """Directions of a figure at rest, in the space of its armature, from its bones.

    Parameters
    ----------
    bones : mapping of str to bpy.types.PoseBone
        By their roles.
    four_legs : bool
        Whether it is an animal, whose head is before its hips; it stands upright in its armature.

    Attributes
    ----------
    left, front, up : (3,) float64
        Unit vectors at right angles.
    heads, tails : dict of str to (3,) float64
    """

    def __init__(self, bones: Mapping[str, bpy.types.PoseBone], four_legs: bool = False):
        self.heads = {role: np.array(bone.bone.head_local) for role, bone in bones.items()}
        self.tails = {role: np.array(bone.bone.tail_local) for role, bone in bones.items()}
        left = np.array([1.0, 0.0, 0.0])
        for stem in ("thigh", "upper_arm", "shin", "hind_thigh", "front_thigh"):
            ends = self.heads.get(f"{stem}.L"), self.heads.get(f"{stem}.R")
            if ends[0] is not None and ends[1] is not None:
                left = ends[0] - ends[1]
                break
        self.left = left / np.linalg.norm(left)
        up = np.array([0.0, 0.0, 1.0])
        low = self.heads.get("thigh.L", self.heads.get("hips"))
        high = self.heads.get("head", self.heads.get("neck"))
        if low is not None and high is not None and not four_legs:
            up = high - low
        up = up - (up @ self.left) * self.left
        self.up = up / np.linalg.norm(up)
        self.front = np.cross(self.left, self.up)
