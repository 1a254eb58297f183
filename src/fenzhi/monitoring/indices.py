"""Indices per hospital: what an agency looks at first. Statistics only, nothing here pays."""

from __future__ import annotations

import polars as pl


def hospital_indices(paid: pl.DataFrame, low: pl.Expr, high: pl.Expr, scale: int) -> pl.DataFrame:
    """Return one row per hospital in the columns of ``results.MONITORING``, sorted by hospital code.

    ``paid``: fixmedins_code, outcome, group_id, deviation, act_ipt_days, cost_fen, rw_e4 of the stays paid
    by points. ``low`` / ``high``: whether its deviation band pays a stay less / more than normal. Time index = mean
    over stays of length of stay / regional mean of the group; cost index likewise. CMI = mean weight / scale.
    Bed-day stays need no group: the grouping rate and the share in core groups leave them out.
    """
    group_mean = pl.col("act_ipt_days").mean().over("group_id")
    cost_mean = pl.col("cost_fen").mean().over("group_id")
    tried = pl.col("outcome").filter(pl.col("outcome") != "bed_day")
    in_group = pl.col("group_id").is_not_null()
    return (
        paid.select(
            "fixmedins_code",
            "outcome",
            "rw_e4",
            low.alias("low"),
            high.alias("high"),
            pl.when(in_group & (group_mean > 0)).then(pl.col("act_ipt_days") / group_mean).alias("time"),
            pl.when(in_group & (cost_mean > 0)).then(pl.col("cost_fen") / cost_mean).alias("cost"),
        )
        .group_by("fixmedins_code")
        .agg(
            pl.len().cast(pl.Int64).alias("cases"),
            (tried != "ungrouped").mean().alias("grouping_rate"),
            (tried == "grouped").mean().alias("core_share"),
            pl.col("low").mean().alias("low_share"),
            pl.col("high").mean().alias("high_share"),
            (pl.col("rw_e4").mean() / (10_000 * scale)).alias("cmi"),
            pl.col("time").mean().alias("time_index"),
            pl.col("cost").mean().alias("cost_index"),
        )
        .sort("fixmedins_code")
    )
