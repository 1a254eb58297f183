"""Budget: pools, lines, point values."""

from fenzhi.budget.direct import direct_amounts, direct_sums, payment_ratio, pool_ratios, with_direct
from fenzhi.budget.elastic import fixed_points, rigid_shares
from fenzhi.budget.lines import Budget
from fenzhi.budget.opening import opening_values
from fenzhi.budget.pool import Line, PoolBudget
from fenzhi.budget.table import budget_table, require_all_given
from fenzhi.budget.values import Given, pool_sums, pool_totals, price, price_sums

__all__ = [
    "Budget",
    "Given",
    "Line",
    "PoolBudget",
    "budget_table",
    "direct_amounts",
    "direct_sums",
    "fixed_points",
    "opening_values",
    "payment_ratio",
    "pool_ratios",
    "pool_sums",
    "pool_totals",
    "price",
    "price_sums",
    "require_all_given",
    "rigid_shares",
    "with_direct",
]
