"""How many may be approved, and who goes first. docs/rules.md, section 4."""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from fenzhi.policy.review import SpecialReview
from fenzhi.review.eligibility import BY_DISEASE, REGION

_COLUMNS = {
    "cost_multiple": "cost_multiple_e4",
    "amount_over": "over_fen",
    "cost": "cost_fen",
    "los": "act_ipt_days",
    "applied_at": "applied_at",
}
APPROVED = ("fee_for_service", "adjusted_standard", "coefficient", "expert_points")


def discharges(stays: pl.DataFrame, hospitals: pl.DataFrame) -> pl.DataFrame:
    """Return level, discharges: the stays that by-disease payment took, by the level of their hospital.

    ``stays``: fixmedins_code, outcome. ``hospitals``: fixmedins_code, level. Counts of parts of the stays add up.
    """
    counts = (
        stays.filter(pl.col("outcome").is_in(BY_DISEASE))
        .group_by("fixmedins_code")
        .agg(pl.len().cast(pl.Int64).alias("discharges"))
        .join(hospitals.select("fixmedins_code", "level"), on="fixmedins_code", how="left")
    )
    return counts.group_by("level").agg(pl.col("discharges").sum())


def quotas(counts: pl.DataFrame, rules: SpecialReview) -> pl.DataFrame:
    """Return unit, discharges, quota: how many may be approved, rounded down.

    ``counts``: of :func:`discharges`. One unit, the region, or one per level.
    """
    unit = pl.col("level").fill_null("-") if rules.level_quotas else pl.lit(REGION)
    found = counts.filter(pl.col("discharges") != 0).group_by(unit.alias("unit"))
    units = found.agg(pl.col("discharges").sum()).sort("unit")
    rates = [Fraction(rules.level_quotas.get(name, rules.quota)) for name in units["unit"]]
    allowed = [int(rate * n) for rate, n in zip(rates, units["discharges"], strict=True)]
    return units.with_columns(pl.Series("quota", allowed, dtype=pl.Int64))


def ranked(
    assessed: pl.DataFrame, decisions: pl.DataFrame, units: pl.DataFrame, rules: SpecialReview
) -> pl.DataFrame:
    """Add review (the outcome decided), quota, rank and state to assessed applications.

    ``decisions``: setl_id, review, one row per stay. Eligible applications that are not refused are ranked within
    their unit: approved ones hold their place, then ``rank_by``, then the smaller setl_id. state: approved, refused,
    not_eligible, over_quota (rank above the quota), else eligible.
    """
    both = assessed.join(decisions, on="setl_id", how="left", maintain_order="left").join(
        units.select("unit", "quota"), on="unit", how="left", maintain_order="left"
    )
    approved = pl.col("review").is_in(APPROVED).fill_null(False)
    refused = (pl.col("review") == "refused").fill_null(False)
    by = [*(_COLUMNS[name] for name in rules.rank_by), "setl_id"]
    order = (
        both.filter(pl.col("eligible") & ~refused)
        .sort(
            [~approved, *by],
            descending=[False, *(name != "applied_at" for name in rules.rank_by), False],
            nulls_last=True,
        )
        .select("setl_id", pl.int_range(1, pl.len() + 1).over("unit").alias("rank"))
    )
    state = (
        pl.when(approved)
        .then(pl.lit("approved"))
        .when(refused)
        .then(pl.lit("refused"))
        .when(~pl.col("eligible"))
        .then(pl.lit("not_eligible"))
        .when(pl.col("rank") > pl.col("quota"))
        .then(pl.lit("over_quota"))
        .otherwise(pl.lit("eligible"))
    )
    return both.join(order, on="setl_id", how="left", maintain_order="left").with_columns(
        state.alias("state")
    )
