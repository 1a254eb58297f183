"""Stays that the by-disease fund pays directly, before the point value. docs/rules.md, section 5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm

import polars as pl

from fenzhi.money import ratio_half_up


def payment_ratio(cost_fen: int, booked_fen: int) -> Fraction:
    """Return booked / cost of a pool's stays, 1 if nothing was booked."""
    return Fraction(booked_fen, cost_fen) if booked_fen > 0 and cost_fen > 0 else Fraction(1)


def pool_ratios(scored: pl.DataFrame) -> dict[str, Fraction]:
    """Return pool -> payment ratio. ``scored``: pool, cost_fen, booked_fen of stays, or of sums of stays."""
    sums = scored.group_by("pool").agg(pl.col("cost_fen", "booked_fen").cast(pl.Int128).sum())
    return {pool: payment_ratio(cost, booked) for pool, cost, booked in sums.iter_rows()}


def direct_amounts(
    scored: pl.DataFrame,
    ungrouped_factors: Sequence[Decimal],
    ratios: Mapping[str, Fraction] | None = None,
) -> pl.DataFrame:
    """Add direct_fen: cost x payment ratio of the pool (x factor without a group), at least 0; null if points pay.

    ``scored``: pool, cost_fen, booked_fen of all stays that the fund pays, and ``paid_directly``: the rule that
    pays a stay directly (``ungrouped``, ``deviation`` or ``review``), else null. ``ungrouped_factors``: of each part
    of the year; with several the stays have ``part``, the place of theirs. ``ratios``: of the pools, if ``scored`` are
    not all of their stays.
    """
    if scored["paid_directly"].null_count() == scored.height:
        return scored.with_columns(pl.lit(None, pl.Int64).alias("direct_fen"))
    amount = pl.lit(None, pl.Int64)
    factors = [Fraction(factor) for factor in ungrouped_factors]
    parts = lcm(*(factor.denominator for factor in factors))
    share = pl.lit(int(factors[0] * parts))
    for place, factor in enumerate(factors[1:], start=1):
        share = pl.when(pl.col("part") == place).then(int(factor * parts)).otherwise(share)
    share = pl.when(pl.col("paid_directly") == "ungrouped").then(share).otherwise(parts)
    for pool, ratio in (pool_ratios(scored) if ratios is None else ratios).items():
        exact = pl.col("cost_fen").cast(pl.Int128) * share * pl.lit(ratio.numerator, pl.Int128)
        paid = ratio_half_up(exact, pl.lit(ratio.denominator * parts, pl.Int128))
        here = (pl.col("pool") == pool) & pl.col("paid_directly").is_not_null()
        amount = pl.when(here).then(paid.clip(lower_bound=0)).otherwise(amount)
    return scored.with_columns(amount.alias("direct_fen"))


def with_direct(scored: pl.DataFrame) -> pl.DataFrame:
    """Return the stays with a column direct_fen; without one, points pay them all."""
    if "direct_fen" in scored.columns:
        return scored
    return scored.with_columns(pl.lit(None, pl.Int64).alias("direct_fen"))


def direct_sums() -> list[pl.Expr]:
    """Return aggregations: direct_cases, direct_fen, and others_fen, what others paid of stays that points price."""
    by_points = pl.col("direct_fen").is_null()
    others = pl.col("cost_fen") - pl.col("booked_fen")
    return [
        pl.col("direct_fen").count().cast(pl.Int64).alias("direct_cases"),
        pl.col("direct_fen").sum(),
        others.filter(by_points).sum().alias("others_fen"),
    ]
