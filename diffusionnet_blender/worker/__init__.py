"""The tasks in a process of their own, so that Blender never freezes and gets its memory back.

`client` (Blender's end) · `server` (the process) · `bootstrap` (what the process starts with) ·
`launch` (which Python, which folders) · `protocol` (what both ends agree on) · `jobs` (the tasks
by name) · `segment` (both ends of one of them). Nothing here imports Blender.

Requests go to the process through its standard input, whose end is also how it learns that
Blender is gone. What it has to say it appends to a file: unlike a pipe that nobody reads, a file
never fills up and never blocks, and no thread is needed to read it.
"""
