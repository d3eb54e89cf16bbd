"""Jobs in a process of their own, so that Blender never freezes and gets its memory back.

`client` (Blender's end) · `server` (the process) · `bootstrap` (the script that it starts with) ·
`launch` (which Python, which folders) · `protocol` (messages, and jobs by name) · `codec` (requests
and results on disk). Nothing here imports Blender.

Requests go to the process through its standard input, whose end is also how it learns that
Blender is gone. Its messages are appended to a file: unlike a pipe that nobody reads, a file never
fills up and never blocks, and no thread is needed to read it.
"""
