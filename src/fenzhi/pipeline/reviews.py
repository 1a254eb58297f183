"""Special review inside the year: applications listed and ranked, decisions checked and applied."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fenzhi.money import step_of
from fenzhi.region import Region
from fenzhi.region.reviews import DECISIONS, latest
from fenzhi.results import shape
from fenzhi.review import apply_decisions, assess, publication, quotas, ranked, require_fitting
from fenzhi.review.eligibility import BY_DISEASE, REGION


@dataclass(frozen=True)
class Reviewed:
    """The stays after special review, the applications with rank and state, and the quota of each unit."""

    scored: pl.DataFrame
    listed: pl.DataFrame
    units: pl.DataFrame


def group_days(history: pl.DataFrame) -> pl.DataFrame:
    """Return group_idx, group_days, group_cases: the days and number of the groups' stays in the history."""
    return (
        history.filter((pl.col("outcome") != "bed_day") & (pl.col("group_idx") >= 0))
        .group_by("group_idx")
        .agg(
            pl.col("act_ipt_days").cast(pl.Int64).sum().alias("group_days"),
            pl.len().cast(pl.Int64).alias("group_cases"),
        )
    )


def _facts(scored: pl.DataFrame, region: Region, opening: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Return the stays that by-disease payment took with everything that a criterion may ask for."""
    names = ("setl_id", "fixmedins_code", "pool", "group_idx", "outcome", "cost_fen", "act_ipt_days", "age")
    figures = ("rw_e4", "coefficient_e4", "points_base_e4", "reference_fen")
    department = "dscg_caty" if "dscg_caty" in scored.columns else pl.lit(None, pl.String).alias("dscg_caty")
    return (
        scored.filter(pl.col("outcome").is_in(BY_DISEASE))
        .select(*names, *figures, department)
        .join(region.hospitals.select("fixmedins_code", "level"), on="fixmedins_code", how="left")
        .join(opening.select("pool", "opening_value_e4"), on="pool", how="left")
        .join(days, on="group_idx", how="left")
    )


def review_year(scored: pl.DataFrame, region: Region, opening: pl.DataFrame, days: pl.DataFrame) -> Reviewed:
    """List the region's applications, check its decisions and let the approved ones take effect.

    ``days``: what :func:`group_days` returned. Raises :class:`fenzhi.errors.RegionError` for a decision that cannot
    hold, or that is over the quota.
    """
    rules = region.policy.special_review
    assert rules is not None
    facts = _facts(scored, region, opening, days)
    units = quotas(facts, rules)
    decisions = latest(region.reviews.decisions)
    said = decisions.drop("value", "standard_fen", "review_e4", "source_row")
    listed = ranked(assess(region.reviews.applications, facts, rules), said, units, rules)
    require_fitting(decisions, listed, rules, region.folder / DECISIONS)
    step = step_of(region.policy.points.decimals)
    return Reviewed(apply_decisions(scored, decisions, opening, step), listed, units)


def review_tables(reviewed: Reviewed, settled: pl.DataFrame, region: Region) -> dict[str, pl.DataFrame]:
    """Return the tables ``applications`` (one row each) and ``review`` (what is published)."""
    rules = region.policy.special_review
    assert rules is not None
    unit = pl.col("level").fill_null("-") if rules.level_quotas else pl.lit(REGION)
    paid = (
        settled.filter(pl.col("outcome").is_in(BY_DISEASE))
        .join(region.hospitals.select("fixmedins_code", "level"), on="fixmedins_code", how="left")
        .select(unit.alias("unit"), "review", "payable_fen")
    )
    listed = reviewed.listed
    known = set(shape(pl.DataFrame(), "applications").columns)
    return {
        "applications": shape(
            listed.select(name for name in listed.columns if name in known), "applications"
        ),
        "review": shape(publication(listed, reviewed.units, paid).drop("payable_fen"), "review"),
    }
