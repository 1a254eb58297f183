"""Budget: pools, lines, point values."""

from fenzhi.budget.lines import Budget, Line, PoolBudget
from fenzhi.budget.values import opening_values, price

__all__ = ["Budget", "Line", "PoolBudget", "opening_values", "price"]
