"""What may be picked."""


def is_mesh(self, obj) -> bool:
    """Meshes alone."""
    return obj.type == "MESH"
