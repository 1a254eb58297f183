"""Which groups are stable: by the spread of their costs and the number of their stays. docs/rules.md, section 3."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import polars as pl

from fenzhi.policy.cases import Stability


def calm_groups(kept: pl.DataFrame, cv_max: Decimal) -> set[int]:
    """Return the groups whose coefficient of variation is at most ``cv_max``; without costs there is none.

    ``kept``: group_idx, cost_fen of the stays that trimming left. The test takes no root: variance against the
    square of limit x mean.
    """
    limit = Fraction(cv_max) ** 2
    cost = pl.col("cost_fen").cast(pl.Int128)
    sums = kept.group_by("group_idx").agg(
        pl.len().alias("n"), cost.sum().alias("total"), (cost**2).sum().alias("squares")
    )
    return {
        group
        for group, n, total, squares in sums.iter_rows()
        if total and (n * squares - total * total) * limit.denominator <= limit.numerator * total * total
    }


def stable_groups(kept: pl.DataFrame, history_cases: pl.Series, rules: Stability) -> pl.Series:
    """Return whether each group is stable, in the order of ``history_cases`` (one entry per group).

    ``kept``: group_idx, cost_fen of the stays that trimming left.
    """
    calm = calm_groups(kept, rules.cv_max)
    decide = all if rules.both else any
    values = [decide((at in calm, n >= rules.min_cases)) for at, n in enumerate(history_cases)]
    return pl.Series("stable", values, dtype=pl.Boolean)
