"""Filters of object pickers."""


def is_mesh(self, obj) -> bool:
    """Accept meshes only."""
    return obj.type == "MESH"
