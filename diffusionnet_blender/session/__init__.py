"""State of this session of Blender, set by operators and shown by panels; none of it is saved.

`computing` (the worker and the running job) · `progress` (share done, time left) · `progress_bar`
· `trouble` (the last error) · `training` and `curve_icon` (the running training and its curve) ·
`match_text` · `status` (libraries and devices).
"""
