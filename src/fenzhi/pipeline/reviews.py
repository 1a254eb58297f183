"""Special review inside the year: applications listed and ranked, decisions checked and applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from fenzhi.money import step_of
from fenzhi.pipeline.parts import Part, of_part
from fenzhi.policy.review import SpecialReview
from fenzhi.region import Region
from fenzhi.region.reviews import DECISIONS, latest
from fenzhi.results import shape
from fenzhi.review import (
    apply_decisions,
    assess,
    discharges,
    publication,
    quotas,
    ranked,
    require_fitting,
)
from fenzhi.review.eligibility import BY_DISEASE, REGION

_PAID = ("fixmedins_code", "review", "payable_fen")


@dataclass(frozen=True)
class Reviewed:
    """The stays after special review, the applications with rank and state, and the quota of each unit.

    ``parts``: the places of the parts that have special review; it concerns their by-disease stays.
    """

    scored: pl.DataFrame
    listed: pl.DataFrame
    units: pl.DataFrame
    parts: tuple[int, ...]


def _facts(scored: pl.DataFrame, region: Region, opening: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Return the stays with an application that by-disease payment took, with everything a criterion may ask for."""
    names = ("setl_id", "fixmedins_code", "pool", "group_idx", "outcome", "cost_fen", "act_ipt_days", "age")
    figures = ("rw_e4", "coefficient_e4", "points_base_e4", "reference_fen")
    department = "dscg_caty" if "dscg_caty" in scored.columns else pl.lit(None, pl.String).alias("dscg_caty")
    return (
        scored.filter(pl.col("outcome").is_in(BY_DISEASE))
        .select(*names, *figures, department)
        .join(region.reviews.applications.select("setl_id"), on="setl_id", how="semi")
        .join(region.hospitals.select("fixmedins_code", "level"), on="fixmedins_code", how="left")
        .join(opening.select("pool", "opening_value_e4"), on="pool", how="left")
        .join(days, on="group_idx", how="left")
    )


def _reviewed_parts(parts: Sequence[Part]) -> list[tuple[int, Part, SpecialReview, pl.DataFrame]]:
    """Return place, part, rules and days of the groups' history of the parts that have special review."""
    return [
        (at, part, rules, part.days)
        for at, part in enumerate(parts)
        if (rules := part.policy.special_review) is not None and part.days is not None
    ]


def applied_facts(
    scored: pl.DataFrame, region: Region, opening: pl.DataFrame, parts: Sequence[Part]
) -> dict[int, pl.DataFrame]:
    """Return for each part that has special review what is known of its stays with an application.

    ``scored``: before decisions take effect. Facts of some of the stays and of the others are those of all.
    """
    return {
        at: _facts(of_part(scored, at), region, opening, days) for at, _, _, days in _reviewed_parts(parts)
    }


def discharged(scored: pl.DataFrame, region: Region, parts: Sequence[Part]) -> pl.DataFrame:
    """Return level, discharges: the stays that the quota of special review is a share of."""
    counts = [discharges(of_part(scored, at), region.hospitals) for at, *_ in _reviewed_parts(parts)]
    return pl.concat(counts).group_by("level").agg(pl.col("discharges").sum())


def ranked_applications(
    facts: Mapping[int, pl.DataFrame], counts: pl.DataFrame, region: Region, parts: Sequence[Part]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the applications with rank and state, and the quota of each unit, after checking the decisions.

    ``facts``: of :func:`applied_facts`; ``counts``: of :func:`discharged`. Raises
    :class:`fenzhi.errors.RegionError` for a decision that cannot hold, or that is over the quota.
    """
    rules = region.review_rules
    assert rules is not None
    applications, listed = region.reviews.applications, []
    for at, _, own, _ in _reviewed_parts(parts):
        mine = applications.join(facts[at], on="setl_id", how="semi", maintain_order="left")
        listed.append(assess(mine, facts[at], own))
    together = pl.concat(list(facts.values()))
    strange = applications.join(together, on="setl_id", how="anti", maintain_order="left")
    listed.append(assess(strange, together.clear(), rules))
    units = quotas(counts, rules)
    if region.published is not None:
        # The quota is a share of all hospitals' stays, which are not here.
        units = units.with_columns(pl.lit(applications.height, pl.Int64).alias("quota"))
    decisions = latest(region.reviews.decisions)
    said = decisions.drop("value", "standard_fen", "review_e4", "source_row")
    assessed = pl.concat(listed, how="vertical_relaxed").sort("setl_id")
    ranks = ranked(assessed, said, units, rules)
    require_fitting(decisions, ranks, rules, region.folder / DECISIONS)
    return ranks, units


def decided(
    scored: pl.DataFrame, region: Region, opening: pl.DataFrame, parts: Sequence[Part]
) -> pl.DataFrame:
    """Return scored stays, or some of them, after what special review decided of them."""
    step = step_of(parts[0].policy.points.decimals)
    return apply_decisions(scored, latest(region.reviews.decisions), opening, step)


def review_year(
    scored: pl.DataFrame, region: Region, opening: pl.DataFrame, parts: Sequence[Part]
) -> Reviewed | None:
    """List the region's applications, check its decisions and let the approved ones take effect.

    The criteria are those of a stay's part, the quota is one over all parts that have special review; None without
    any. Raises :class:`fenzhi.errors.RegionError` for a decision that cannot hold, or that is over the quota.
    """
    if region.review_rules is None:
        return None
    facts = applied_facts(scored, region, opening, parts)
    ranks, units = ranked_applications(facts, discharged(scored, region, parts), region, parts)
    return Reviewed(decided(scored, region, opening, parts), ranks, units, tuple(facts))


def review_tables(reviewed: Reviewed, settled: pl.DataFrame, region: Region) -> dict[str, pl.DataFrame]:
    """Return the tables ``applications`` (one row each) and ``review`` (what is published)."""
    rules = region.review_rules
    assert rules is not None
    unit = pl.col("level").fill_null("-") if rules.level_quotas else pl.lit(REGION)
    concerned = [of_part(settled, at).select(*_PAID, "outcome") for at in reviewed.parts]
    paid = (
        pl.concat(concerned)
        .filter(pl.col("outcome").is_in(BY_DISEASE))
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
