"""Contrastive loss between the learned features of two shapes."""

from __future__ import annotations

import torch


def partner_contrast(
    mass: torch.Tensor,
    features: torch.Tensor,
    positions: torch.Tensor,
    query_features: torch.Tensor,
    query_positions: torch.Tensor,
    temperature: float,
    width: float,
) -> torch.Tensor:
    """Cross entropy of the nearest-feature search for some queries, (n,).

    The target distribution of a query is a Gaussian around its partner's position.

    Parameters
    ----------
    mass : (V,) tensor
        Areas of the vertices that are searched.
    features, positions : (V, d), (V, 3) tensor
        Their features, of unit length, and where they are.
    query_features, query_positions : (n, d), (n, 3) tensor
        Of the queries, and where on the shape their partners are.
    temperature, width : float
        Of the softmax over features; of the Gaussian, in the unit of the positions.
    """
    # Where vertices are dense, each of them is to count for less.
    log_area = torch.log(mass / mass.sum())
    similar = query_features @ features.T / temperature
    squared = torch.cdist(query_positions, positions).square() / (2 * width**2)
    target = torch.softmax(log_area - squared, dim=1)
    return -(target * torch.log_softmax(similar + log_area, dim=1)).sum(dim=1)
