"""The only reader and writer of Blender's data.

`character` (which objects are one: `belonging`, `leaving_out`, `boxes`, `attachments`) · `read`,
`seen` and `character_read` (objects to arrays) · `write` (labels to an object: `attributes`,
`vertex_groups`, `materials`, `legend`, with names from `ownership`) · `labels`, `parts` and `edit`
(labels on a mesh and their corrections) · `results` (of the last runs, to write again) · `layers`,
`transfer` and `transfer_write` (data from one object to another; of several: `union`, `joined`,
`member_transfer`) · `rig` (parts from bones) · `matches` and `pins` · `jobs` and those of each task
(requests of objects) · `targets` and `selection` · `files` (open and save) · `edit_mode` ·
`report_text` · `compat` (every version branch). Nothing here computes: arrays come in, arrays go
out.
"""
