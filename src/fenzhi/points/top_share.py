"""The most expensive stays as a band of their own. docs/rules.md, section 4."""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from fenzhi.policy.cases import TopShare

# cost / reference is compared as whole multiples of 1 / 10^24, cut off. Two different ratios whose references are below
# 10^12 fen differ by more than that, so the order is exact and equal ratios stay equal.
_FINE = 10**12


def top_places(
    stays: pl.DataFrame, tested: pl.Expr, rules: TopShare, group: str = "group_idx"
) -> pl.DataFrame:
    """Return the tested stays with their place among the most expensive, and how many of them the share takes.

    ``stays``: setl_id (unique), cost_fen, reference_fen (above 0 where ``tested``), and ``group``. Columns of the
    result: ``at`` (row of ``stays``), ``place`` from 1 on, ``cases`` ranked together, ``taken`` of them. The larger
    ratio of cost to reference comes first, of equals the larger setl_id: so nothing depends on the order of rows.
    """
    unit = pl.lit(0) if rules.of == "region" else pl.col(group)
    share = Fraction(rules.share)
    cost = pl.col("cost_fen").cast(pl.Int128) * _FINE * _FINE
    found = (
        stays.with_row_index("at")
        .filter(tested)
        .select("at", "setl_id", unit.alias("unit"), (cost // pl.col("reference_fen")).alias("ratio"))
        .sort("ratio", "setl_id", descending=True)
        .with_columns(
            pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("unit").alias("place"),
            pl.len().cast(pl.Int64).over("unit").alias("cases"),
        )
    )
    taken = pl.col("cases").cast(pl.Int128) * share.numerator // share.denominator
    return found.select("at", "place", "cases", taken.cast(pl.Int64).alias("taken"))


def in_top_share(stays: pl.DataFrame, tested: pl.Expr, rules: TopShare) -> pl.Series:
    """Return whether each stay belongs to the most expensive share (Boolean, in the order of ``stays``)."""
    found = top_places(stays, tested, rules).filter(pl.col("place") <= pl.col("taken"))
    none = pl.select(pl.repeat(False, stays.height, dtype=pl.Boolean)).to_series()
    return none.scatter(found["at"], True)
