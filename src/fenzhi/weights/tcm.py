"""Weights of TCM-advantage groups that do not follow from their own history. docs/rules.md, section 3."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import polars as pl

from fenzhi.catalogs import TcmTables, with_tcm_rows
from fenzhi.errors import RegionError
from fenzhi.money import SCALE, round_half_up, step_of
from fenzhi.policy.models import Policy, Weights
from fenzhi.weights.given import Grouped


def all_groups(catalog: Grouped, policy: Policy) -> pl.DataFrame:
    """Return all groups, row = group_idx; TCM-advantage groups stand last, if the policy lets stays enter them."""
    groups = catalog.groups
    if policy.tcm is None or catalog.tcm.conditions.is_empty():
        return groups
    return with_tcm_rows(groups, catalog.tcm)


def stated(tcm: TcmTables) -> pl.Series:
    """Return per TCM-advantage group whether the catalogue states what it is paid by."""
    return tcm.groups.select(
        pl.col("weight").is_not_null() | pl.col("reference_group").is_not_null()
    ).to_series()


def refuse_negotiated(tcm: TcmTables, overrides: pl.DataFrame) -> None:
    """Raise :class:`RegionError` if a weight was negotiated for a group whose weight the catalogue states."""
    groups = tcm.groups.filter(stated(tcm))["group_id"]
    twice = overrides.filter(pl.col("group_id").is_in(groups.implode()))
    if twice.height:
        row = twice.row(0, named=True)
        raise RegionError(
            "the catalogue states the weight of this TCM-advantage group",
            code="WEIGHT_OVERRIDES",
            file=row["source_file"],
            row=row["source_row"],
            field="group_id",
            value=row["group_id"],
            remedy="change it in tcm_groups.csv, or leave weight and reference_group empty there",
        )


def without_stated(groups: pl.DataFrame, tcm: TcmTables) -> pl.DataFrame:
    """Return ``Weights.groups`` with no rw_e4 for groups whose weight is stated, so that no total counts them."""
    first = groups.height - tcm.groups.height
    mine = pl.concat([pl.select(pl.repeat(False, first, dtype=pl.Boolean)).to_series(), stated(tcm)])
    return groups.with_columns(pl.when(~pl.lit(mine)).then("rw_e4").alias("rw_e4"))


def with_stated(groups: pl.DataFrame, group_ids: pl.Series, tcm: TcmTables, rules: Weights) -> pl.DataFrame:
    """Return ``Weights.groups`` with the stated weights: weight x scale, or share x weight of the reference group.

    ``groups``: one row per group of ``group_ids``, the TCM-advantage groups last. Rounded half up once. A reference
    group without weight gives none.
    """
    weights = groups["rw_e4"].to_list()
    at = {name: number for number, name in enumerate(group_ids)}
    step = step_of(rules.decimals)
    for row in tcm.groups.iter_rows(named=True):
        if row["weight"] is not None:
            exact: Fraction | None = Fraction(Decimal(row["weight"])) * rules.scale * SCALE
        elif row["reference_group"] is not None:
            base = weights[at[row["reference_group"]]]
            exact = None if base is None else base * Fraction(Decimal(row["share"] or "1"))
        else:
            continue
        weights[at[row["group_id"]]] = None if exact is None else round_half_up(exact, step)
    return groups.with_columns(pl.Series("rw_e4", weights, dtype=pl.Int64))
