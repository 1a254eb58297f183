"""Points of one case: weight x institution coefficient, then the deviation of its cost. docs/rules.md, section 4."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import polars as pl

from fenzhi.money import SCALE, ratio_half_up, standard_fen, step_of, to_e4
from fenzhi.points.add_ons import with_add_ons
from fenzhi.points.auxiliary import auxiliary_points, with_auxiliary
from fenzhi.points.bed_day import bed_day_points
from fenzhi.points.deviation import auxiliary_weight, banded_points, is_paid_directly
from fenzhi.points.incomplete import INCOMPLETE, incomplete_points, is_incomplete
from fenzhi.points.readmission import readmitted_points
from fenzhi.points.top_share import in_top_share
from fenzhi.policy.models import Policy
from fenzhi.weights import Weights

PAID = ("grouped", "comprehensive", "ungrouped", "bed_day")
UNSTABLE = "unstable"
_GROUPED = pl.col("outcome").is_in(["grouped", "comprehensive"])
# Set for stays whose group is not stable and paid by cost; they are no regular stays of their group.
_REGULAR = _GROUPED & ~pl.col("_unstable")


# The class of a hospital matters where coefficients differ from class to class inside a group.
_CLASS = {"group": ("class",)}


def flat_coefficient(policy: Policy) -> int | None:
    """Return the coefficient that all hospitals have in grassroots groups, None if they keep their own."""
    if policy.grassroots is not None and policy.grassroots.coefficient is not None:
        return to_e4(policy.grassroots.coefficient)
    return SCALE if policy.coefficients.grassroots_exempt else None


def _per_group(index: pl.Series, column: pl.Series) -> pl.Series:
    """Look a group's value up by dense index; -1 gives null."""
    return column.gather(index.set(index < 0, None))


def base_points(stays: pl.DataFrame, weights: Weights, policy: Policy, grassroots: pl.Series) -> pl.DataFrame:
    """Add rw_e4, coefficient_e4, auxiliary_e4 and points_base_e4 to stays that are paid by points.

    ``stays``: outcome, reason, group_idx, fixmedins_code, cost_fen; act_ipt_days for bed-days. A group without
    weight turns the stay to ungrouped, reason
    ``no_weight``. ``grassroots``: Boolean per catalogue group. Ungrouped stays get their points here; they
    have no coefficient. With auxiliary types the stays bring their marks.
    """
    return _based(stays, weights, policy, grassroots, named=False).drop("level", "_unstable")


def _based(
    stays: pl.DataFrame, weights: Weights, policy: Policy, grassroots: pl.Series, named: bool = True
) -> pl.DataFrame:
    """Return :func:`base_points` with two more columns: ``level`` of the hospital and ``_unstable``.

    ``named``: with auxiliary types family and level are added too.
    """
    step = step_of(policy.points.decimals)
    out = _with_coefficients(_with_weights(stays, weights, policy), weights, policy, grassroots, named)
    weight, unit = auxiliary_weight(policy)
    points = ratio_half_up(weight * pl.col("coefficient_e4"), pl.lit(unit * SCALE), step)
    if policy.stability is not None:
        share = _share_of_cost(policy.stability.factor, weights, policy, step)
        points = pl.when("_unstable").then(share).otherwise(points)
    without = _ungrouped_points(policy, weights, step)
    if policy.bed_day is not None:
        bed_day = pl.col("outcome") == "bed_day"
        without = pl.when(bed_day).then(bed_day_points(policy.bed_day, step)).otherwise(without)
    return out.with_columns(pl.when(_GROUPED).then(points).otherwise(without).alias("points_base_e4"))


def _with_weights(stays: pl.DataFrame, weights: Weights, policy: Policy) -> pl.DataFrame:
    """Add rw_e4 and ``_unstable``; a stay whose group has no weight becomes ungrouped."""
    unstable = pl.lit(False).alias("_unstable")
    if policy.stability is not None and policy.stability.rule == "share_of_cost":
        stable = _per_group(stays["group_idx"], weights.groups["stable"]).alias("_stable")
        stays = stays.with_columns(stable)
        unstable = (~pl.col("_stable").fill_null(True)).alias("_unstable")
    rw = _per_group(stays["group_idx"], weights.groups["rw_e4"]).alias("rw_e4")
    return (
        stays.with_columns(rw, unstable)
        .with_columns((_GROUPED & pl.col("rw_e4").is_null()).alias("_no_weight"))
        .with_columns(
            pl.when("_no_weight")
            .then(pl.lit("ungrouped"))
            .otherwise(pl.col("outcome").cast(pl.String))
            .cast(stays["outcome"].dtype)
            .alias("outcome"),
            pl.when("_no_weight").then(pl.lit("no_weight")).otherwise("reason").alias("reason"),
        )
        .with_columns(
            pl.when(_GROUPED).then("rw_e4").alias("rw_e4"),
            (_GROUPED & pl.col("_unstable")).alias("_unstable"),
        )
        .drop("_no_weight", "_stable", strict=False)
    )


def _with_coefficients(
    stays: pl.DataFrame, weights: Weights, policy: Policy, grassroots: pl.Series, named: bool
) -> pl.DataFrame:
    """Add level, coefficient_e4 and auxiliary_e4; null where a stay's points do not follow from its group."""
    rules, index = policy.coefficients, stays["group_idx"]
    out = stays.join(
        weights.coefficients.select("fixmedins_code", "level", "coefficient_e4", *_CLASS.get(rules.form, ())),
        on="fixmedins_code",
        how="left",
        maintain_order="left",
    )
    coefficient = pl.col("coefficient_e4")
    if rules.form in ("cost", "group"):
        table = weights.costs if rules.form == "cost" else weights.by_class
        keys = ["fixmedins_code" if rules.form == "cost" else "class", "group_idx"]
        inside = table.select(*keys, pl.col("coefficient_e4").alias("_inside_e4"))
        out = out.join(inside, on=keys, how="left", maintain_order="left")
        # A hospital with a given coefficient has no class, and its own comes before the costs.
        order = ("coefficient_e4", "_inside_e4") if rules.form == "cost" else ("_inside_e4", "coefficient_e4")
        coefficient = pl.coalesce(*order)
    coefficient = coefficient.fill_null(SCALE)
    if weights.exempt is not None:
        coefficient = pl.when(_per_group(index, weights.exempt)).then(SCALE).otherwise(coefficient)
    flat = flat_coefficient(policy)
    if flat is not None:
        coefficient = pl.when(_per_group(index, grassroots)).then(flat).otherwise(coefficient)
    bed_day = policy.bed_day is not None and policy.bed_day.coefficient
    out = out.with_columns(
        pl.when(_REGULAR | ((pl.col("outcome") == "bed_day") & bed_day))
        .then(coefficient)
        .alias("coefficient_e4"),
    ).drop("_inside_e4", "class", strict=False)
    if policy.auxiliary is not None:
        return with_auxiliary(out, weights, policy.auxiliary, _REGULAR, named)
    return out.with_columns(pl.when(_REGULAR).then(pl.lit(SCALE, pl.Int64)).alias("auxiliary_e4"))


def _share_of_cost(factor: Decimal, weights: Weights, policy: Policy, step: int) -> pl.Expr:
    """Return points that follow the cost alone: cost / mean of all x scale x factor."""
    times = Fraction(factor) * policy.weights.scale * SCALE
    # Items paid apart can exceed the total of a faulty record; points never fall below zero.
    return ratio_half_up(
        pl.col("cost_fen").cast(pl.Int128) * times.numerator,
        pl.lit(weights.mean_fen * times.denominator),
        step,
    ).clip(lower_bound=0)


def _ungrouped_points(policy: Policy, weights: Weights, step: int) -> pl.Expr:
    """Return points of stays without group: a share of their cost, or nothing."""
    if policy.ungrouped.rule != "share_of_cost":
        return pl.lit(0, pl.Int64)
    return _share_of_cost(policy.ungrouped.factor, weights, policy, step)


def _paid_directly(policy: Policy) -> pl.Expr:
    """Return which rule pays a stay directly, null if points do. Needs outcome, deviation, rw_e4."""
    direct = pl.lit("ungrouped") if policy.ungrouped.rule == "fee_for_service" else pl.lit(None, pl.String)
    rule = pl.when(pl.col("outcome") == "ungrouped").then(direct)
    return rule.when(is_paid_directly(policy.deviation)).then(pl.lit("deviation"))


def _references(stays: pl.DataFrame, weights: Weights) -> pl.DataFrame:
    """Add the references of the deviation test: payment standard, last year's mean of the level and of all levels.

    ``stays`` has points_base_e4, opening_value_e4, group_idx and level.
    """
    return (
        stays.join(
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

    ``stays``: outcome, reason, group_idx, fixmedins_code, pool, cost_fen; dscg_way and act_ipt_days for incomplete
    stays, readmitted_days for readmission, ``_add_ons`` for add-ons, setl_id for a top share (of the stays that are
    scored together). ``opening_values``: pool, opening_value_e4.
    Returns the stays in the same order with rw_e4, coefficient_e4, auxiliary_e4, points_base_e4, deviation,
    reference_fen, points_e4, and ``paid_directly``: by which rule the fund pays a stay directly (``ungrouped``,
    ``deviation``; null = by points); with add-ons add_ons and add_on_e4, which points_e4 includes; with
    auxiliary types auxiliary_points_e4, which points_base_e4 includes.
    """
    step = step_of(policy.points.decimals)
    based = _based(stays, weights, policy, grassroots)
    if policy.auxiliary is not None:
        based = based.with_columns(auxiliary_points(step))
    with_value = based.join(
        opening_values.select("pool", "opening_value_e4"), on="pool", how="left", maintain_order="left"
    )
    test = pl.col(policy.deviation.test_reference)
    incomplete = pl.lit(False)
    if policy.incomplete is not None:
        incomplete = _REGULAR & is_incomplete(policy.incomplete)
        test = pl.when("_incomplete").then(policy.incomplete.reference).otherwise(test)
    referenced = (
        _references(with_value, weights)
        .with_columns(incomplete.alias("_incomplete"))
        .with_columns(
            pl.when(_REGULAR).then(test).alias("reference_fen"),
            pl.when(_REGULAR).then(pl.col(policy.deviation.factor_reference)).alias("_factor_fen"),
        )
    )
    if (top := policy.deviation.top_share) is not None:
        tested = _REGULAR & ~pl.col("_incomplete") & (pl.col("reference_fen") > 0).fill_null(False)
        referenced = referenced.with_columns(in_top_share(referenced, tested, top).alias("_top"))
    band, points = banded_points(policy, step)
    if policy.incomplete is not None:
        points = pl.when("_incomplete").then(incomplete_points(policy, step)).otherwise(points)
    scored = referenced.with_columns(
        pl.when("_unstable")
        .then(pl.lit(UNSTABLE))
        .when("_incomplete")
        .then(pl.lit(INCOMPLETE))
        .otherwise(band)
        .alias("deviation")
    ).with_columns(points.alias("points_e4"))
    if policy.readmission is not None:
        scored = scored.with_columns(
            pl.when(_GROUPED).then("readmitted_days").alias("readmitted_days")
        ).with_columns(
            pl.when(pl.col("readmitted_days").is_not_null())
            .then(readmitted_points(policy.readmission, step))
            .otherwise("points_e4")
            .alias("points_e4")
        )
    scored = scored.with_columns(_paid_directly(policy).alias("paid_directly"))
    if policy.add_ons is not None:
        scored = with_add_ons(scored, policy.add_ons, step)
    return scored.drop("_top", strict=False).drop(
        "_factor_fen",
        "_unstable",
        "_incomplete",
        "same_level_mean",
        "all_level_mean",
        "payment_standard",
        "level",
        "opening_value_e4",
    )
