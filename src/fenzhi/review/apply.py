"""Approved decisions take the place of what the deviation gave. docs/rules.md, section 4."""

from __future__ import annotations

import polars as pl

from fenzhi.money import SCALE, ratio_half_up


def _points(step: int) -> pl.Expr:
    """Return the points of an approved stay; 0 where the fund pays it directly."""
    outcome, value = pl.col("review"), pl.col("review_e4").cast(pl.Int128)
    whole = pl.col("rw_e4").cast(pl.Int128) * pl.col("coefficient_e4") * pl.col("auxiliary_e4")
    opening = pl.col("opening_value_e4").cast(pl.Int128)
    standard = ratio_half_up(pl.col("standard_fen").cast(pl.Int128) * (SCALE * 100), opening, step)
    return (
        pl.when(outcome == "adjusted_standard")
        .then(standard)
        .when(outcome == "coefficient")
        .then(ratio_half_up(whole * value, pl.lit(SCALE**3), step))
        .when(outcome == "expert_points")
        .then(ratio_half_up(value, pl.lit(1), step))
        .otherwise(pl.lit(0, pl.Int64))
    )


def apply_decisions(
    scored: pl.DataFrame, decisions: pl.DataFrame, opening: pl.DataFrame, step: int
) -> pl.DataFrame:
    """Replace the points of approved stays; add review (the outcome) and before_review_e4 (points without add-ons).

    ``scored``: setl_id, pool, rw_e4, coefficient_e4, auxiliary_e4, points_e4, paid_directly. ``decisions``: setl_id,
    review, standard_fen, review_e4, one row per stay. ``opening``: pool, opening_value_e4. Add-ons are added
    again. A refused stay keeps its points. Fee-for-service: no points, paid directly in full, no add-ons.
    """
    values = decisions.select("setl_id", "review", "standard_fen", "review_e4")
    both = scored.join(values, on="setl_id", how="left", maintain_order="left").join(
        opening.select("pool", "opening_value_e4"), on="pool", how="left", maintain_order="left"
    )
    approved = pl.col("review").is_not_null() & (pl.col("review") != "refused")
    in_full = (pl.col("review") == "fee_for_service").fill_null(False)
    direct = pl.when(in_full).then(pl.lit("review"))
    added = pl.lit(0, pl.Int64)
    dropped = []
    if "add_on_e4" in both.columns:
        added = pl.col("add_on_e4").fill_null(0)
        dropped = [pl.when(~in_full).then(name).alias(name) for name in ("add_ons", "add_on_e4")]
    points = pl.when(in_full).then(pl.lit(0, pl.Int64)).otherwise(_points(step) + added)
    return both.with_columns(
        pl.when(approved).then(pl.col("points_e4") - added).alias("before_review_e4"),
        pl.when(approved).then(points).otherwise("points_e4").alias("points_e4"),
        pl.when(approved).then(direct).otherwise("paid_directly").alias("paid_directly"),
        *dropped,
    ).drop("standard_fen", "review_e4", "opening_value_e4")
