"""Families of figures that were found in this session, and their texts for panel and reports."""

from __future__ import annotations

from bpy.app.handlers import persistent

from ..tasks.family import FOUR_LEGS, PEOPLE, Proposal
from ..translations import worded

# By the session identifiers of the object and of its mesh.
_found: dict[tuple[int, int], Proposal] = {}


def keep_proposal(key: tuple[int, int], proposal: Proposal) -> None:
    """Remember the family of an object."""
    _found[key] = proposal


def proposal_for(key: tuple[int, int]) -> Proposal | None:
    """The family of an object; None where it was not looked for."""
    return _found.get(key)


@persistent
def forget_proposals(*_) -> None:
    """Forget all families."""
    _found.clear()


def family_text(proposal: Proposal) -> str:
    """The family of a figure, in one line."""
    share = proposal.probability
    if not proposal.is_sure:
        return worded("Unsure what it is ({share:.0%}): choose a model", share=share)
    if proposal.family == PEOPLE:
        return worded("People ({share:.0%})", share=share)
    if proposal.family == FOUR_LEGS:
        return worded("Four legs ({share:.0%})", share=share)
    return worded("Neither people nor four legs ({share:.0%})", share=share)


def needs_own_model(proposal: Proposal) -> bool:
    """Whether no bundled model is for the figure, so that some of its parts are to be labelled."""
    return proposal.is_sure and proposal.model is None
