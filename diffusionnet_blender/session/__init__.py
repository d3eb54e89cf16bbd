"""State of this session of Blender that operators set and panels show; nothing of it is saved.

`computing` (the process that computes, and the run that goes on) · `progress` (how far a run is) ·
`trouble` (the last error) · `curve_icon` (the curve of a training) · `status` (libraries and
devices).
"""
