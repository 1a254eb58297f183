"""Stays on the pathway of a TCM-advantage group: what its conditions ask for, as far as treatment can give it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import polars as pl

from fenzhi.catalogs import TcmTables
from fenzhi.money import ratio_half_up
from fenzhi.policy.fields import nearest
from fenzhi.policy.tcm import Tcm
from fenzhi.simulation.base import Base
from fenzhi.simulation.draft import refused, with_days
from fenzhi.simulation.scenario import Move


def on_pathway(rows: pl.DataFrame, base: Base, part: Move, field: str) -> pl.DataFrame:
    """Return stays with a TCM diagnosis, operations, days and fees that the first row of the group asks for.

    The principal diagnosis stays: whether a stay enters the group is found by grouping it anew.
    """
    setting = base.frozen.parts[0].setting
    rules, tables = setting.region.policy.tcm, setting.catalog.tcm
    known = tables.groups["group_id"].to_list()
    if rules is None or part.tcm not in known:
        near = nearest(str(part.tcm), known)
        raise refused(
            "the policy has no such TCM-advantage group" + (f"; nearest is {near!r}" if near else ""),
            f"{field}.tcm",
            part.tcm,
            f"use one of: {', '.join(known)}" if known and rules is not None else "leave [[move]] tcm out",
        )
    row = tables.conditions.filter(pl.col("group_id") == part.tcm).row(0, named=True)
    listed = tables.codes(row["tcm_diag"])
    if listed:
        rows = rows.with_columns(
            pl.lit(pl.Series([listed[:1]], dtype=pl.List(pl.String))).first().alias("tcm_diag_codes")
        )
    for code in _operations(row, tables):
        have = pl.col("oprn_codes").list.contains(code)
        rows = rows.with_columns(
            pl.when(have).then("oprn_codes").otherwise(pl.concat_list("oprn_codes", pl.lit(code)))
        )
    if row["los_min_days"]:
        short = pl.max_horizontal(pl.lit(0), row["los_min_days"] - pl.col("act_ipt_days"))
        longest = int(rows.select(short.max()).item() or 0)
        parts = [with_days(rows.filter(short == more), more) for more in range(longest + 1)]
        rows = pl.concat(parts)
    return _with_fees(rows, rules, Fraction(part.tcm_share or rules.ratio_limit), field)


def _operations(row: dict[str, Any], tables: TcmTables) -> list[str]:
    """Return operations of as many classes, and as many, as the row asks for."""
    if not row["classes"]:
        return []
    by_class: dict[str, list[str]] = {}
    for code, name in tables.operations.select("code", "class").iter_rows():
        by_class.setdefault(name, []).append(code)
    classes = [name for name in row["classes"].split("|") if by_class.get(name)]
    found = [by_class[name][0] for name in classes[: max(1, row["min_classes"] or 1)]]
    further = [code for name in classes for code in by_class[name] if code not in found]
    return found + further[: max(0, (row["min_operations"] or 1) - len(found))]


def _with_fees(rows: pl.DataFrame, rules: Tcm, share: Fraction, field: str) -> pl.DataFrame:
    """Return stays with the fees that are compared divided by a share; their sum stays."""
    one, two = ([f"{fee}_fen" for fee in fees] for fees in (rules.tcm_fees, rules.western_fees))
    missing = [name for name in (*one, *two) if name not in rows.columns]
    if missing:
        raise refused(
            f"the records have no {missing[0]}", f"{field}.tcm", remedy="give the fees in the records"
        )
    total = pl.sum_horizontal(pl.col(name).fill_null(0) for name in (*one, *two))
    tcm = ratio_half_up(total.cast(pl.Int128) * share.numerator, pl.lit(share.denominator))
    zero = pl.lit(0, pl.Int64)
    return rows.with_columns(
        tcm.alias(one[0]),
        *(zero.alias(name) for name in one[1:]),
        *((total - tcm).alias(name) for name in two[:1]),
        *(zero.alias(name) for name in two[1:]),
    )
