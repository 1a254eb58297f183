"""Auxiliary types of stays: the level a stay has in its group's family, and its coefficient. docs/rules.md, 4."""

from __future__ import annotations

import polars as pl

from fenzhi.money import SCALE, ratio_half_up
from fenzhi.policy.auxiliary import Auxiliary
from fenzhi.weights import Weights
from fenzhi.weights.levels import level_name, rows_of_levels, with_levels

COLUMNS = ("auxiliary_family", "auxiliary_level", "auxiliary_e4")


def with_auxiliary(
    stays: pl.DataFrame, weights: Weights, rules: Auxiliary, regular: pl.Expr, named: bool = True
) -> pl.DataFrame:
    """Replace the marks of :func:`fenzhi.weights.levels.mark_levels` by :data:`COLUMNS`.

    ``stays``: marks, group_idx, cost_fen, act_ipt_days. ``regular``: which stays have points by the weight of
    their group; others get nulls. Of several coefficients that fit (listed ones) the largest counts; a regular
    stay without any has 1 and neither family nor level. ``named``: else the coefficient alone is added.
    """
    assert weights.auxiliary is not None
    applied = weights.auxiliary.applied
    frame = with_levels(stays, rules, weights.groups["mean_cost_fen"])
    at = frame.select(pl.when(regular).then(_row_of(frame, applied, weights.groups.height))).to_series()
    names = pl.Series([family.name for family in rules.families], dtype=pl.String)
    coefficient = applied["coefficient_e4"].gather(at).fill_null(SCALE)
    found = []
    if named:
        found.append(names.gather(applied["place"].cast(pl.UInt32)).gather(at).alias("auxiliary_family"))
        found.append(applied["level"].gather(at).alias("auxiliary_level"))
    return frame.drop(level_name(place) for place in range(len(rules.families))).with_columns(
        *found, pl.when(regular).then(coefficient).alias("auxiliary_e4")
    )


def auxiliary_points(step: int) -> pl.Expr:
    """Return auxiliary_points_e4: points before deviation less what they were with a coefficient of 1; null without."""
    plain = ratio_half_up(pl.col("rw_e4").cast(pl.Int128) * pl.col("coefficient_e4"), pl.lit(SCALE), step)
    added = pl.when(pl.col("auxiliary_e4").is_not_null()).then(pl.col("points_base_e4") - plain)
    return added.alias("auxiliary_points_e4")


def _row_of(frame: pl.DataFrame, applied: pl.DataFrame, groups: int) -> pl.Series:
    """Return per stay the row of ``applied`` that counts, null without any."""
    if _is_dense(applied):
        return _dense_row(frame, applied, groups)
    rows = applied.with_row_index("_row")
    places = applied["place"].unique().sort()
    best = pl.concat(
        [_fitting(frame, rows, place, groups) for place in places] or [_fitting(frame, rows, 0, groups)]
    )
    once = applied.select("group_idx", "place").unique()["group_idx"].is_unique().all()
    if not once or applied.select("group_idx", "found").is_duplicated().any():
        # Equal coefficients: the earlier family of the policy, then the earlier level.
        best = (
            best.with_columns(applied["coefficient_e4", "place", "found"][best["_row"]].get_columns())
            .sort("_at", "coefficient_e4", "place", "found", descending=[False, True, False, False])
            .unique("_at", keep="first", maintain_order=True)
        )
    none = pl.select(pl.repeat(None, frame.height, dtype=pl.UInt32).alias("_row")).to_series()
    return none.scatter(best["_at"], best["_row"])


def _is_dense(applied: pl.DataFrame) -> bool:
    """Tell whether every group has one family, with a row for each of its levels in turn, whatever the days of stay."""
    first = pl.col("group_idx") != pl.col("group_idx").shift(1)
    in_turn = pl.when(first.fill_null(True)).then(0).otherwise(pl.col("found").shift(1) + 1)
    family = pl.col("place").n_unique().over("group_idx")
    return bool(
        applied.select(
            (pl.col("found") == in_turn).all()
            & pl.col("group_idx").is_sorted()
            & (family == 1).all()
            & pl.col("los_from_days").is_null().all()
            & pl.col("los_upto_days").is_null().all()
        ).item()
    )


def _dense_row(frame: pl.DataFrame, applied: pl.DataFrame, groups: int) -> pl.Series:
    """Return the rows where :func:`_is_dense` holds: the first row of the group, and so many further as its level."""
    firsts = applied.with_row_index("_row").unique("group_idx", keep="first", maintain_order=True)
    lengths = applied.group_by("group_idx", maintain_order=True).len()["len"]
    table = firsts.select("group_idx", "place", "_row").with_columns(lengths.alias("_levels"))
    return rows_of_levels(frame, table, groups)


def _fitting(frame: pl.DataFrame, rows: pl.DataFrame, place: int, groups: int) -> pl.DataFrame:
    """Return _at (row of ``frame``) and _row of all coefficients of a family that fit."""
    mine = rows.filter(pl.col("place") == place)
    # Most groups have another family or none: leave their stays out first.
    has = pl.select(pl.repeat(False, groups, dtype=pl.Boolean)).to_series()
    has = has.scatter(mine["group_idx"].unique(), True)
    index, days = frame["group_idx"], pl.col("act_ipt_days")
    stays = frame.select(
        "group_idx", "act_ipt_days", pl.col(level_name(place)).alias("found")
    ).with_row_index("_at")
    return (
        stays.filter(has.gather(index.set(index < 0, None)).fill_null(False))
        .join(mine, on=["group_idx", "found"])
        .filter(
            (pl.col("los_from_days").is_null() | (days >= pl.col("los_from_days")).fill_null(False))
            & (pl.col("los_upto_days").is_null() | (days <= pl.col("los_upto_days")).fill_null(False))
        )
        .select("_at", "_row")
    )
