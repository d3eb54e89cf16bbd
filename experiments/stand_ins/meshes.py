"""Meshes of stand-ins, written in the format of a file's ending."""

from __future__ import annotations

from pathlib import Path

import trimesh

from training.meshes import Body


def export(path: Path, body: Body) -> None:
    """Write a mesh, its vertices and triangles in their order, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    trimesh.Trimesh(body.vertices, body.faces, process=False).export(path)
