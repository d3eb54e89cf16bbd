"""Refit: garments of one body fitted to another."""

from .job import refit

__all__ = ["refit"]
