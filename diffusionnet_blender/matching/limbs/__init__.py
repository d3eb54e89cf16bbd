"""Correspondence of two figures limb by limb: parts of a body, joints, and limbs posed alike.

Characters differ in build far more than people do, and no intrinsic quantity is the same on a chibi
and a realistic body. What they have in common are their limbs: `parted` has the parts of a body on
a mesh, `joints` finds where they meet, `links` gives each its axes and extent, `posing` takes one
figure into the limbs of the other, `digits` tells which fingers and toes correspond, and `nearest`
finds the corresponding points there.
"""
