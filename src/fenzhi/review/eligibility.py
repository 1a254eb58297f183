"""Which applications fulfil the criteria. docs/rules.md, section 4."""

from __future__ import annotations

import polars as pl

from fenzhi.money import SCALE, ratio_half_up, standard_fen, to_e4
from fenzhi.policy.review import ReviewCriterion, SpecialReview

REGION = "region"
BY_DISEASE = ("grouped", "comprehensive", "ungrouped")


def _above(left: pl.Expr, limit: int, right: pl.Expr) -> pl.Expr:
    """Tell whether left / right > limit / 10^4; false where right is not positive or anything is unknown."""
    wide = (name.cast(pl.Int128) for name in (left, right))
    one, two = wide
    return ((right > 0) & (one * SCALE > two * limit)).fill_null(False)


def _holds(criterion: ReviewCriterion) -> pl.Expr:
    """Tell whether everything that a criterion states holds; what is not known does not."""
    days, age = pl.col("act_ipt_days").cast(pl.Int64), pl.col("age")
    found = pl.lit(True)
    if criterion.los_above_days is not None:
        found = found & (days > criterion.los_above_days)
    if criterion.los_multiple is not None:
        limit = to_e4(criterion.los_multiple)
        found = found & _above(days * pl.col("group_cases"), limit, pl.col("group_days"))
    if criterion.cost_multiple is not None:
        found = found & _above(pl.col("cost_fen"), to_e4(criterion.cost_multiple), pl.col("compared_fen"))
    if criterion.icu_above_hours is not None:
        found = found & (pl.col("icu_hours_e4") > to_e4(criterion.icu_above_hours))
    for listed, name in ((criterion.items, "items"), (criterion.departments, "departments")):
        if listed:
            found = found & pl.col(name).list.eval(pl.element().is_in(list(listed))).list.any()
    if criterion.age_from is not None:
        found = found & (age >= criterion.age_from)
    if criterion.age_upto is not None:
        found = found & (age <= criterion.age_upto)
    return found.fill_null(False)


def assess(applications: pl.DataFrame, stays: pl.DataFrame, rules: SpecialReview) -> pl.DataFrame:
    """Return the applications, sorted by stay, with what the criteria say of them.

    ``applications``: setl_id, applied_at, reason, icu_hours_e4, items, departments. ``stays``, the stays that
    by-disease payment took: setl_id, fixmedins_code, pool, level, cost_fen, points_base_e4, opening_value_e4,
    reference_fen, act_ipt_days, age, dscg_caty, group_days and group_cases (sum of days and number of the group's
    stays in the history, null without group).
    Adds unit (of the quota), compared_fen, cost_multiple_e4 (RH), over_fen, met (names of the criteria that hold)
    and eligible. An application for any other stay is not eligible, and nothing is known of it.
    """
    both = applications.join(stays, on="setl_id", how="left", maintain_order="left").sort("setl_id")
    standard = standard_fen(pl.col("points_base_e4"), pl.col("opening_value_e4"))
    compared = standard if rules.reference == "payment_standard" else pl.col("reference_fen")
    both = both.with_columns(
        compared.alias("compared_fen"),
        pl.concat_list("departments", pl.col("dscg_caty").fill_null("")).alias("departments"),
    )
    met = [
        pl.when(_holds(criterion)).then(pl.lit(criterion.name)).alias(criterion.name)
        for criterion in rules.criteria
    ]
    known = pl.col("fixmedins_code").is_not_null()
    needed = len(rules.criteria) if rules.match == "all" else 1
    positive = (pl.col("compared_fen") > 0).fill_null(False)
    multiple = ratio_half_up(pl.col("cost_fen").cast(pl.Int128) * SCALE, pl.col("compared_fen"))
    unit = pl.col("level").fill_null("-") if rules.level_quotas else pl.lit(REGION)
    return both.with_columns(
        pl.when(known).then(unit).alias("unit"),
        pl.when(positive).then(multiple).alias("cost_multiple_e4"),
        (pl.col("cost_fen") - pl.col("compared_fen")).alias("over_fen"),
        pl.when(known).then(pl.concat_str(met, separator=";", ignore_nulls=True)).alias("met"),
        (known & (pl.sum_horizontal(name.is_not_null() for name in met) >= needed)).alias("eligible"),
    )
