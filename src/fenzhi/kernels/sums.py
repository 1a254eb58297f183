"""Sums of costs by group, level and year: numbers in, numbers out. No float, so the order of stays does not matter."""

from __future__ import annotations

import numpy as np
from numba import njit

from fenzhi.arrays import Int16s, Int32s, Int64s

# A square is kept as high * 2^31 + low: neither sum outgrows 63 bits before there are 2^31 stays.
LOW_BITS = 31
LOW = np.int64(2**LOW_BITS - 1)


@njit(nogil=True, cache=True)
def add_costs(
    groups: Int32s,
    levels: Int16s,
    years: Int16s,
    costs: Int64s,
    n: Int64s,
    total: Int64s,
    high: Int64s,
    low: Int64s,
) -> None:
    """Add stays (N) to the sums (groups, levels, years): number, costs, squares of costs.

    Costs are smaller than 2^31, whatever their sign.
    """
    for at in range(len(costs)):
        group, level, year, cost = groups[at], levels[at], years[at], costs[at]
        square = cost * cost
        n[group, level, year] += 1
        total[group, level, year] += cost
        high[group, level, year] += square >> LOW_BITS
        low[group, level, year] += square & LOW
