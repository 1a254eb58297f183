"""Auxiliary types of stays: the level a stay has in its group's family, and its coefficient. docs/rules.md, 4."""

from __future__ import annotations

import polars as pl

from fenzhi.money import SCALE, ratio_half_up
from fenzhi.policy.auxiliary import Auxiliary
from fenzhi.weights import Weights
from fenzhi.weights.levels import level_name, with_levels

COLUMNS = ("auxiliary_family", "auxiliary_level", "auxiliary_e4")


def with_auxiliary(stays: pl.DataFrame, weights: Weights, rules: Auxiliary, regular: pl.Expr) -> pl.DataFrame:
    """Replace the marks of :func:`fenzhi.weights.levels.mark_levels` by :data:`COLUMNS`.

    ``stays``: marks, group_idx, cost_fen, act_ipt_days. ``regular``: which stays have points by the weight of
    their group; others get nulls. Of several coefficients that fit (listed ones) the largest counts; a regular
    stay without any has 1 and neither family nor level.
    """
    assert weights.auxiliary is not None
    frame = with_levels(stays, rules, weights.groups["mean_cost_fen"])
    applied = weights.auxiliary.applied
    parts = [_fitting(frame, applied, place) for place in range(len(rules.families))]
    # Equal coefficients: the earlier family of the policy, then the earlier level.
    best = (
        pl.concat(parts)
        .sort("_at", "coefficient_e4", "place", "found", descending=[False, True, False, False])
        .unique("_at", keep="first", maintain_order=True)
    )
    names = pl.Series([family.name for family in rules.families], dtype=pl.String)
    best = best.with_columns(names.gather(best["place"].cast(pl.UInt32)).alias("family"))
    found = {"auxiliary_family": "family", "auxiliary_level": "level", "auxiliary_e4": "coefficient_e4"}
    columns = []
    for name, source in found.items():
        start = SCALE if name == "auxiliary_e4" else None
        none = pl.select(pl.repeat(start, frame.height, dtype=best.schema[source])).to_series()
        columns.append(none.scatter(best["_at"], best[source]).alias(name))
    return (
        frame.with_columns(columns)
        .with_columns(pl.when(regular).then(name).alias(name) for name in COLUMNS)
        .drop(level_name(place) for place in range(len(rules.families)))
    )


def auxiliary_points(step: int) -> pl.Expr:
    """Return auxiliary_points_e4: points before deviation less what they were with a coefficient of 1; null without."""
    plain = ratio_half_up(pl.col("rw_e4").cast(pl.Int128) * pl.col("coefficient_e4"), pl.lit(SCALE), step)
    added = pl.when(pl.col("auxiliary_e4").is_not_null()).then(pl.col("points_base_e4") - plain)
    return added.alias("auxiliary_points_e4")


def _fitting(frame: pl.DataFrame, applied: pl.DataFrame, place: int) -> pl.DataFrame:
    """Return _at (row of ``frame``), place, found, level, coefficient_e4 of all coefficients of a family that fit."""
    days = pl.col("act_ipt_days")
    stays = frame.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("_at"),
        "group_idx",
        "act_ipt_days",
        pl.col(level_name(place)).alias("found"),
    )
    return (
        stays.join(applied.filter(pl.col("place") == place), on=["group_idx", "found"])
        .filter(
            (pl.col("los_from_days").is_null() | (days >= pl.col("los_from_days")).fill_null(False))
            & (pl.col("los_upto_days").is_null() | (days <= pl.col("los_upto_days")).fill_null(False))
        )
        .select("_at", "place", "found", "level", "coefficient_e4")
    )
