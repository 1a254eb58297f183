"""How much of the spread of costs the groups explain: RIV, the reduction in variance. docs/rules.md, section 7."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum

import polars as pl


@dataclass(frozen=True)
class Riv:
    """Stays and groups that were looked at, and the share of the variance of cost that lies between the groups.

    ``riv`` is 1 where all stays of a group cost the same, 0 where the groups say nothing; None without stays, or if
    all cost the same.
    """

    stays: int
    groups: int
    riv: float | None


def reduction_in_variance(stays: pl.DataFrame, group: str = "group_id", cost: str = "cost_fen") -> Riv:
    """Return 1 - (squares around the mean of the group) / (squares around the mean of all), over stays with a group.

    ``stays``: one row per stay, ``group`` of any type, ``cost`` an integer; rows without one of them do not count.
    Each sum of squares comes from exact integers; only what is divided is a float.
    """
    one = pl.col(cost).cast(pl.Int128)
    sums = (
        stays.lazy()
        .drop_nulls([group, cost])
        .group_by(group)
        .agg(pl.len().alias("n"), one.sum().alias("total"), (one * one).sum().alias("squares"))
        .collect()
    )
    rows = list(sums.select("n", "total", "squares").iter_rows())
    n, total, squares = (sum(row[at] for row in rows) for at in range(3))
    # n x squares - total^2 is n times the sum of the squares around the mean.
    around = n * squares - total * total
    if not around:
        return Riv(n, len(rows), None)
    within = fsum((m * q - t * t) / m for m, t, q in rows)
    return Riv(n, len(rows), 1 - within / (around / n))
