"""Budget: pools, lines, point values."""

from fenzhi.budget.direct import direct_amounts, direct_sums, payment_ratio, with_direct
from fenzhi.budget.lines import Budget
from fenzhi.budget.pool import Line, PoolBudget
from fenzhi.budget.table import budget_table, require_all_given
from fenzhi.budget.values import opening_values, price

__all__ = [
    "Budget",
    "Line",
    "PoolBudget",
    "budget_table",
    "direct_amounts",
    "direct_sums",
    "opening_values",
    "payment_ratio",
    "price",
    "require_all_given",
    "with_direct",
]
