"""Whether Rigify generates for each character, and its elbows and knees bend the natural way.

python -m benchmarks.rigify_bends --characters ../shared/characters

Each character loses its own rig, and what it holds in its hands, and gets one from *Rig*. Forearms
and shins are then turned by their controls about their own x axis by 60 degrees: hands must go to
the front, ankles to the back.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import bpy
import numpy as np

from demo.rig import rigged
from diffusionnet_blender.scene.fits import fit_with
from diffusionnet_blender.scene.rig_check import use_forward_kinematics
from training.commands import glb_files, leave, plain_errors

# Bone that is turned, bone whose end moves, and the sign of its way to the front.
TURNS = (("forearm_fk", "hand_fk", 1.0), ("shin_fk", "foot_fk", -1.0))
DEGREES = 60.0


def bends(rig: bpy.types.Object, front: np.ndarray) -> dict[str, bool]:
    """Whether each joint that the rig has bends the natural way."""
    use_forward_kinematics(rig)
    found = {}
    for turned, moved, sign in TURNS:
        for side in "LR":
            bone, end = (rig.pose.bones.get(f"{name}.{side}") for name in (turned, moved))
            if bone is None or end is None:
                continue
            bpy.context.view_layer.update()
            before = np.array(end.head)
            bone.rotation_mode = "XYZ"
            bone.rotation_euler = (np.radians(DEGREES), 0.0, 0.0)
            bpy.context.view_layer.update()
            found[f"{turned}.{side}"] = bool(sign * (np.array(end.head) - before) @ front > 0)
            bone.rotation_euler = (0.0, 0.0, 0.0)
    return found


@plain_errors
def main() -> None:
    """Rig each character, and print what does not bend as it must."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--characters", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--names", nargs="+", metavar="NAME", help="of files, without suffix")
    chosen = parser.parse_args()
    from diffusionnet_blender import register

    register()
    generated = right = unflagged = right_unflagged = 0
    paths = glb_files(chosen.characters, chosen.names)
    for path in paths:
        try:
            rig, figure = rigged(path, "rigify", held=False)
        except RuntimeError as error:
            print(path.stem, str(error).strip(), file=sys.stderr, flush=True)
            continue
        fit = fit_with(figure)
        found = bends(rig, -fit.fitted.frame[1])
        good = len(found) == 4 and all(found.values())
        generated += 1
        right += good
        if not fit.fitted.doubts:
            unflagged += 1
            right_unflagged += good
        print(path.stem, fit.fitted.doubts, found, file=sys.stderr, flush=True)
    print(f"generated: {generated} of {len(paths)}")
    print(f"all four joints bend the natural way: {right}")
    print(f"of those without a doubt: {right_unflagged} of {unflagged}")


if __name__ == "__main__":
    main()
    leave()
