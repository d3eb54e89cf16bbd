"""Jobs in a process of their own: Blender's window stays alive, and memory is freed at its end.

`client` (in Blender) · `server` (in the process) · `bootstrap` (its start script) · `launch`
(interpreters and library folders) · `protocol` (messages, and jobs by name) · `codec` (requests and
results on disk). No module here imports Blender.

The client sends messages through the standard input of the process, whose end is also the sign that
Blender has ended. The server appends messages to a file: unlike a pipe without a reader, a file
never fills up and never blocks, and no thread is needed to read it.
"""
