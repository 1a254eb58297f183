"""Points of one case: weight x institution coefficient, then the deviation of its cost. docs/rules.md, section 4."""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from fenzhi.money import SCALE, ratio_half_up, standard_fen, step_of
from fenzhi.points.deviation import banded_points
from fenzhi.policy.models import Policy
from fenzhi.weights import Weights

PAID = ("grouped", "comprehensive", "ungrouped")


def _per_group(index: pl.Series, column: pl.Series) -> pl.Series:
    """Look a group's value up by dense index; -1 gives null."""
    return column.gather(index.set(index < 0, None))


def base_points(stays: pl.DataFrame, weights: Weights, policy: Policy, grassroots: pl.Series) -> pl.DataFrame:
    """Add rw_e4, coefficient_e4, auxiliary_e4 and points_base_e4 to stays that are paid by points.

    ``stays``: outcome, group_idx, fixmedins_code, cost_fen. A group without weight turns the stay to ungrouped, reason
    ``no_weight``. ``grassroots``: Boolean per catalogue group. Ungrouped stays get their points here; they
    have no coefficient.
    """
    rw = _per_group(stays["group_idx"], weights.groups["rw_e4"]).alias("rw_e4")
    flat = _per_group(stays["group_idx"], grassroots).alias("_flat")
    step = step_of(policy.points.decimals)
    grouped = pl.col("outcome").is_in(["grouped", "comprehensive"])
    out = (
        stays.with_columns(rw, flat)
        .with_columns((grouped & pl.col("rw_e4").is_null()).alias("_no_weight"))
        .with_columns(
            pl.when("_no_weight")
            .then(pl.lit("ungrouped"))
            .otherwise(pl.col("outcome").cast(pl.String))
            .cast(stays["outcome"].dtype)
            .alias("outcome"),
            pl.when("_no_weight").then(pl.lit("no_weight")).otherwise("reason").alias("reason"),
        )
        .join(
            weights.coefficients.select("fixmedins_code", "coefficient_e4"),
            on="fixmedins_code",
            how="left",
            maintain_order="left",
        )
    )
    exempt = pl.col("_flat") if policy.coefficients.grassroots_exempt else pl.lit(False)
    coefficient = pl.when(exempt).then(SCALE).otherwise(pl.col("coefficient_e4").fill_null(SCALE))
    points = ratio_half_up(pl.col("rw_e4").cast(pl.Int128) * pl.col("coefficient_e4"), pl.lit(SCALE), step)
    return (
        out.with_columns(
            pl.when(grouped).then(coefficient).alias("coefficient_e4"),
            pl.when(grouped).then(pl.lit(SCALE, pl.Int64)).alias("auxiliary_e4"),
            pl.when(grouped).then("rw_e4").alias("rw_e4"),
        )
        .with_columns(
            pl.when(grouped)
            .then(points)
            .otherwise(_ungrouped_points(policy, weights, step))
            .alias("points_base_e4")
        )
        .drop("_flat", "_no_weight")
    )


def _ungrouped_points(policy: Policy, weights: Weights, step: int) -> pl.Expr:
    """Return points of stays without group: cost / mean of all x scale x factor, or nothing."""
    if policy.ungrouped.rule == "none":
        return pl.lit(0, pl.Int64)
    factor = Fraction(policy.ungrouped.factor) * policy.weights.scale * SCALE
    # Items paid apart can exceed the total of a faulty record; points never fall below zero.
    return ratio_half_up(
        pl.col("cost_fen").cast(pl.Int128) * factor.numerator,
        pl.lit(weights.mean_fen * factor.denominator),
        step,
    ).clip(lower_bound=0)


def _references(stays: pl.DataFrame, weights: Weights) -> pl.DataFrame:
    """Add the references of the deviation test: payment standard, last year's mean of the level and of all levels.

    ``stays`` has points_base_e4, opening_value_e4, group_idx and fixmedins_code.
    """
    levels = weights.coefficients.select("fixmedins_code", "level")
    return (
        stays.join(levels, on="fixmedins_code", how="left", maintain_order="left")
        .join(
            weights.level_means.select("group_idx", "level", pl.col("mean_fen").alias("same_level_mean")),
            on=["group_idx", "level"],
            how="left",
            maintain_order="left",
        )
        .with_columns(_per_group(stays["group_idx"], weights.groups["last_mean_fen"]).alias("all_level_mean"))
        .with_columns(
            pl.coalesce("same_level_mean", "all_level_mean").alias("same_level_mean"),
            standard_fen(pl.col("points_base_e4"), pl.col("opening_value_e4")).alias("payment_standard"),
        )
    )


def score(
    stays: pl.DataFrame, weights: Weights, policy: Policy, grassroots: pl.Series, opening_values: pl.DataFrame
) -> pl.DataFrame:
    """Score stays that are paid by points: base points, deviation band, reference and final points.

    ``stays``: outcome, reason, group_idx, fixmedins_code, pool, cost_fen. ``opening_values``: pool, opening_value_e4.
    Returns the stays in the same order with rw_e4, coefficient_e4, auxiliary_e4, points_base_e4, deviation,
    reference_fen, points_e4.
    """
    based = base_points(stays, weights, policy, grassroots)
    with_value = based.join(
        opening_values.select("pool", "opening_value_e4"), on="pool", how="left", maintain_order="left"
    )
    grouped = pl.col("outcome").is_in(["grouped", "comprehensive"])
    referenced = _references(with_value, weights).with_columns(
        pl.when(grouped).then(pl.col(policy.deviation.test_reference)).alias("reference_fen"),
        pl.when(grouped).then(pl.col(policy.deviation.factor_reference)).alias("_factor_fen"),
    )
    band, points = banded_points(policy.deviation, step_of(policy.points.decimals))
    return (
        referenced.with_columns(band.alias("deviation"))
        .with_columns(points.alias("points_e4"))
        .drop(
            "_factor_fen",
            "same_level_mean",
            "all_level_mean",
            "payment_standard",
            "level",
            "opening_value_e4",
        )
    )
