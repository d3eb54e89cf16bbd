"""The only reader and writer of Blender's data.

`read` (object to arrays) · `write` (labels to an object: `attributes`, `vertex_groups`,
`materials`, `legend`, with names from `names`) · `results` (what a run left to write again) ·
`selection` · `files` (open and save) · `edit_mode` · `compat` (every version branch).
Nothing here computes: arrays come in, arrays go out.
"""
