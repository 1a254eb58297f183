"""Sums over the cases, against plain Python."""

from __future__ import annotations

import dataclasses
from collections import Counter

import polars as pl

from fenzhi.reports import RunTables
from fenzhi.reports.facts import Facts, by_band, by_level, gather, hospital_totals


def test_every_row_has_one_outcome(tables: RunTables, facts: Facts) -> None:
    rows = tables.cases.collect()
    assert facts.outcomes["rows"].sum() == rows.height
    counted = Counter(rows.select("fixmedins_code", "outcome").iter_rows())
    found: Counter[tuple[str, str]] = Counter()
    for code, outcome, count in facts.outcomes.select("fixmedins_code", "outcome", "rows").iter_rows():
        found[code, outcome] += count
    assert found == counted


def test_paid_cases_are_insured_and_have_points(tables: RunTables, facts: Facts) -> None:
    paid = [c for c in tables.cases.collect().to_dicts() if c["pool"] and c["points_e4"] is not None]
    assert facts.paid["cases"].sum() == facts.outcomes["paid"].sum() == len(paid)
    for column in ("points_e4", "payable_fen", "booked_fen", "cost_fen"):
        whole = sum(c[column] for c in paid)
        assert facts.paid[column].sum() == facts.groups[column].sum() == whole
    assert facts.deviation["points_e4"].sum() == sum(c["points_e4"] for c in paid)


def test_groups_carry_name_and_balance(facts: Facts) -> None:
    balance = facts.groups["payable_fen"] - facts.groups["booked_fen"]
    assert facts.groups["balance_fen"].to_list() == balance.to_list()
    assert facts.groups.filter(pl.col("group_id") == "JC-I63")["name"].unique().to_list() == ["脑梗死,内科"]


def test_split_by_hospital_loses_nothing(facts: Facts) -> None:
    parts = facts.by_hospital()
    for name in ("paid", "outcomes", "deviation", "groups"):
        assert sum(getattr(part, name).height for part in parts.values()) == getattr(facts, name).height
    one = parts["H36040000002"]
    assert one.groups.equals(facts.of("H36040000002").groups)


def test_rejected_rows_outside_the_cases_are_counted_once(tables: RunTables, facts: Facts) -> None:
    """If the case table holds no rejected rows, they come from ``rejected``: a row with two rules once."""
    apart = dataclasses.replace(tables, cases=tables.cases.filter(pl.col("outcome") != "rejected"))
    found = gather(apart).outcomes.filter(pl.col("outcome") == "rejected").sort("fixmedins_code", "reason")
    assert found.select("fixmedins_code", "reason", "rows").rows() == [
        ("H36040000001", "age_range", 1),
        ("H36040000001", "no_principal", 1),
        ("H99", "no_hospital", 1),
    ]


def test_bands_come_in_order_with_untested_last(tables: RunTables, facts: Facts) -> None:
    bands = by_band(facts.deviation)
    assert bands["deviation"].to_list() == ["low", "normal", "high", "none"]
    assert bands["cases"].sum() == facts.paid["cases"].sum()
    odd = by_band(pl.DataFrame({"deviation": ["none", "zeta", "high"], "cases": [1, 1, 1]}))
    assert odd["deviation"].to_list() == ["high", "zeta", "none"]
    assert by_level(tables, facts.deviation)["cases"].sum() == facts.paid["cases"].sum()


def test_hospital_totals_are_sums_over_pools(tables: RunTables) -> None:
    totals = hospital_totals(tables)
    assert totals["level"].to_list() == ["3", "2", "1"]
    for column in ("cases", "points_e4", "payable_fen", "clearing_fen"):
        assert totals[column].sum() == tables.hospitals[column].sum()
