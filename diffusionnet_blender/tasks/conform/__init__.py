"""Conform: a character's meshes take the shape and pose of another's."""

from .job import conform

__all__ = ["conform"]
