"""Which groups become grassroots groups: every criterion for every candidate. docs/rules.md, section 3."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import polars as pl

from fenzhi.catalogs import DrgCatalog
from fenzhi.catalogs.models import COMPREHENSIVE
from fenzhi.errors import PolicyError
from fenzhi.policy.grassroots import Grassroots
from fenzhi.policy.models import Policy
from fenzhi.weights.given import Grouped
from fenzhi.weights.measure import coefficients_of_variation, kept_stays
from fenzhi.weights.stability import calm_groups

REPORT: dict[str, pl.DataType] = {
    "group_id": pl.String(),
    "name": pl.String(),
    "layer": pl.String(),
    "in_catalog": pl.Boolean(),
    "core": pl.Boolean(),
    "cases": pl.Int64(),
    "cases_met": pl.Boolean(),
    "primary_cases": pl.Int64(),
    "primary_share": pl.Float64(),
    "share_met": pl.Boolean(),
    "cv": pl.Float64(),
    "cv_met": pl.Boolean(),
    "flagged": pl.Boolean(),
    "selected": pl.Boolean(),
}
CRITERIA = ("in_catalog", "core", "cases_met", "share_met", "cv_met")


def _rules(policy: Policy, hospitals: pl.DataFrame) -> Grassroots:
    """Return the section of the policy, or raise if it cannot choose groups."""
    rules = policy.grassroots
    if rules is None or not rules.primary_levels:
        raise PolicyError(
            "the policy does not say which levels of hospitals count as primary",
            code="POLICY_GRASSROOTS",
            field="grassroots.primary_levels",
            remedy="add a section [grassroots] with primary_levels, the levels of hospitals.csv that count",
        )
    levels = sorted(set(hospitals["level"].drop_nulls()))
    if not set(levels) & set(rules.primary_levels):
        raise PolicyError(
            "no hospital of the region has one of the levels that count as primary",
            code="POLICY_GRASSROOTS",
            field="grassroots.primary_levels",
            value=", ".join(rules.primary_levels),
            remedy=f"the levels of hospitals.csv are: {', '.join(levels)}",
        )
    return rules


def _core(catalog: Grouped) -> pl.Series:
    """Return per group whether it is one that can be flagged: no comprehensive group; DRG: one of the table of DRGs."""
    if isinstance(catalog, DrgCatalog):
        return catalog.groups["group_id"].is_in(catalog.tables["drg"]["drg"].to_list())
    return catalog.groups["layer"] != COMPREHENSIVE


def _measured(
    history: pl.DataFrame, catalog: Grouped, policy: Policy, primary: list[str], rules: Grassroots
) -> pl.DataFrame:
    """Return the criteria of every group of the catalogue, in its order; ``primary``: codes of hospitals."""
    inside = history.filter(pl.col("group_idx") >= 0)
    kept = kept_stays(inside, policy.weights.trim, catalog.groups.height)
    counts = inside.group_by("group_idx").agg(
        pl.len().cast(pl.Int64).alias("cases"),
        pl.col("fixmedins_code").is_in(primary).sum().cast(pl.Int64).alias("primary_cases"),
    )
    share = Fraction(rules.share_min)
    calm = sorted(calm_groups(kept, rules.cv_max))
    return (
        catalog.groups.select("group_id", "name", "layer", pl.col("grassroots").alias("flagged"))
        .with_columns(
            pl.int_range(pl.len(), dtype=pl.Int32).alias("group_idx"),
            _core(catalog).alias("core"),
            pl.lit(True).alias("in_catalog"),
        )
        .join(counts, on="group_idx", how="left", maintain_order="left")
        .join(coefficients_of_variation(kept), on="group_idx", how="left", maintain_order="left")
        .with_columns(pl.col("cases", "primary_cases").fill_null(0))
        .with_columns(
            (pl.col("cases") >= rules.min_cases).alias("cases_met"),
            pl.when(pl.col("cases") > 0)
            .then(pl.col("primary_cases") / pl.col("cases"))
            .alias("primary_share"),
            (
                (pl.col("cases") > 0)
                & (
                    pl.col("primary_cases").cast(pl.Int128) * share.denominator
                    >= pl.col("cases").cast(pl.Int128) * share.numerator
                )
            ).alias("share_met"),
            pl.col("group_idx").is_in(calm).alias("cv_met"),
        )
    )


def choose_grassroots(
    history: pl.DataFrame,
    catalog: Grouped,
    policy: Policy,
    hospitals: pl.DataFrame,
    candidates: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Return one row per candidate with the columns of :data:`REPORT`: what it has, what it meets, if it is chosen.

    ``history``: group_idx, year, fixmedins_code, cost_fen of all stays that count. ``candidates``: group codes (those
    the catalogue lacks come last); without them every group is one. Only shares and CVs that are shown are floats:
    the tests compare integers. Raises :class:`PolicyError` (POLICY_GRASSROOTS) if the policy names no primary levels,
    or none that a hospital has.
    """
    rules = _rules(policy, hospitals)
    primary = hospitals.filter(pl.col("level").is_in(list(rules.primary_levels)))["fixmedins_code"].to_list()
    found = _measured(history, catalog, policy, primary, rules)
    if candidates is not None:
        found = found.filter(pl.col("group_id").is_in(list(candidates)))
        known = set(found["group_id"])
        missing = [code for code in dict.fromkeys(candidates) if code not in known]
        strange = pl.DataFrame({"group_id": missing}, schema={"group_id": pl.String})
        found = pl.concat([found, strange], how="diagonal").with_columns(
            pl.col("in_catalog").fill_null(False)
        )
    chosen = pl.all_horizontal(pl.col(name).fill_null(False) for name in CRITERIA)
    return found.with_columns(chosen.alias("selected")).select(
        pl.col(name).cast(dtype) for name, dtype in REPORT.items()
    )
