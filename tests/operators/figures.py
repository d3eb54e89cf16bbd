"""Characters whose joints are known beforehand."""

import numpy as np

from diffusionnet_blender.scene.character import Character
from diffusionnet_blender.scene.fits import Fit, keep_fit
from diffusionnet_blender.scene.rig_jobs import rig_request
from diffusionnet_blender.tasks.rig.request import Fitted
from tests.mannequin import FRAME, NAMES, PLACES, mannequin

__all__ = ["keep_joints", "mannequin"]


def keep_joints(objects, parts, doubts=()):
    """Keep the joints of a mannequin as those that were found on some objects."""
    geometry, _ = rig_request(Character("Figure", "", tuple(objects)))
    heel = {
        f"heel_{end}.{side}": PLACES[f"ankle.{side}"] + [x, 0.03, -0.05]
        for side in "LR"
        for end, x in (("in", -0.02), ("out", 0.02))
    }
    clavicles = {f"clavicle.{s}": np.array([x, 0, 1.45]) for s, x in (("L", 0.03), ("R", -0.03))}
    # Rigify cannot tell to which side a straight limb bends.
    bent = {
        f"{name}.{s}": PLACES[f"{name}.{s}"] + [0, y, 0]
        for name, y in (("elbow", 0.012), ("knee", -0.02))
        for s in "LR"
    }
    fitted = Fitted(
        places=PLACES | heel | clavicles | bent,
        frame=FRAME,
        part_names=NAMES,
        parts=parts.astype(np.float32),
        stiff=np.full(len(parts), -1, np.int32),
        confidence=0.9,
        doubts=doubts,
        seconds={},
    )
    fit = Fit.of("Figure", geometry, fitted)
    keep_fit(fit)
    return fit
