"""What a region publishes of special review: how many applied, were approved, and what they cost the fund."""

from __future__ import annotations

import polars as pl

from fenzhi.review.ranking import APPROVED


def _share(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) != 0).then(pl.col(part) / pl.col(whole))


def publication(listed: pl.DataFrame, units: pl.DataFrame, paid: pl.DataFrame) -> pl.DataFrame:
    """Return one row per unit of the quota in the columns of ``results.REVIEW``.

    ``listed``: applications with unit, eligible, state, review. ``units``: unit, discharges, quota. ``paid``: unit,
    review, payable_fen of the stays that by-disease payment took. Applications for other stays stand in a row
    without unit.
    """
    states = {"approved": "approved", "refused": "refused", "over_quota": "over_quota", "pending": "eligible"}
    counts = listed.group_by("unit").agg(
        pl.len().cast(pl.Int64).alias("applications"),
        pl.col("eligible").sum().cast(pl.Int64),
        *((pl.col("state") == state).sum().cast(pl.Int64).alias(name) for name, state in states.items()),
    )
    approved = pl.col("review").is_in(APPROVED).fill_null(False)
    money = paid.group_by("unit").agg(
        pl.col("payable_fen").filter(approved).sum().alias("review_fen"),
        pl.col("payable_fen").sum(),
    )
    return (
        units.join(counts, on="unit", how="full", coalesce=True, nulls_equal=True)
        .join(money, on="unit", how="left")
        .with_columns(pl.exclude("unit").fill_null(0))
        .with_columns(
            _share("approved", "discharges").alias("share"),
            _share("review_fen", "payable_fen").alias("fund_share"),
        )
        .sort("unit", nulls_last=True)
    )
