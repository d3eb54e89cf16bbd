"""Texts on a match in the language of the interface, for the panel and reports."""

from __future__ import annotations

from ..tasks.match.request import Correspondence
from ..translations import worded


def match_method(match: Correspondence) -> str:
    """Method by which a match was found."""
    if match.in_place:
        return worded("in place")
    if match.fit == "kept":
        return worded("by a network fitted to this pair")
    if match.way == "limbs":
        return worded("limb by limb")
    if match.way == "features" and match.model_name:
        return worded("with model {model}", model=match.model_name)
    return worded("by surface distances alone")


def fit_without_torch() -> str:
    """Reason why no network was fitted to a match."""
    return worded("No network was fitted: PyTorch is not installed")
