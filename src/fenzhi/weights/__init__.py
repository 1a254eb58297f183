"""Weights: what three years of history say about groups and hospitals."""

from fenzhi.weights.measure import Weights, weigh

__all__ = ["Weights", "weigh"]
