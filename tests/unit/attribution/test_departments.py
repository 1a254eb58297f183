"""Departments by hand, and drawn against plain fractions: the causes add up in every row of every table."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhi.attribution.department_columns import CAUSES, DEPARTMENT_TABLES, cause
from fenzhi.attribution.departments import (
    benchmark,
    department_cells,
    department_tables,
    history_quotas,
    watch_list,
    with_quotas,
)

SCHEMA = {
    "setl_id": pl.String,
    "fixmedins_code": pl.String,
    "dscg_caty": pl.String,
    "doctor": pl.String,
    "group_id": pl.String,
    "name": pl.String,
    "outcome": pl.String,
    "act_ipt_days": pl.Int32,
    "cost_fen": pl.Int64,
    "booked_fen": pl.Int64,
    "payable_fen": pl.Int64,
    "rw_e4": pl.Int64,
    "points_base_e4": pl.Int64,
    "points_e4": pl.Int64,
    "point_value_e4": pl.Int64,
    "drug_fen": pl.Int64,
    "consumable_fen": pl.Int64,
    "flagged": pl.Boolean,
}


def stay(setl_id="S1", **more) -> dict:
    """A stay of group G: weight 100, coefficient 1.1, 110 points at 100.0000 yuan; 10 days for 10,000.00."""
    return {
        "setl_id": setl_id,
        "fixmedins_code": "A1",
        "dscg_caty": "A03",
        "doctor": None,
        "group_id": "G",
        "name": "病种",
        "outcome": "grouped",
        "act_ipt_days": 10,
        "cost_fen": 1_000_000,
        "booked_fen": 700_000,
        "payable_fen": 650_000,
        "rw_e4": 1_000_000,
        "points_base_e4": 1_100_000,
        "points_e4": 1_100_000,
        "point_value_e4": 1_000_000,
        "drug_fen": 300_000,
        "consumable_fen": 100_000,
        "flagged": False,
    } | more


def frame(*rows) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


def test_what_made_a_balance_is_worked_by_hand():
    """The region: two stays, 10,000 and 8,000 yuan: mean 9,000; days 10 and 8: mean 9; drugs 3,000 and 2,000: mean
    2,500; consumables 1,000 and 500: mean 750; so other cost 6,000 and 5,500 = 11,500 in 18 days.

    The hospital's stay: price 100 x 100 - 9,000 = 1,000. Coefficient 11,000 - 10,000 = 1,000. Deviation: 105 points:
    10,500 - 11,000 = -500. Income 6,500 + 10,000 - 7,000 = 9,500: settlement 9,500 - 10,500 = -1,000. Length: one day
    more than the mean, -1 x 11,500 / 18 = -638.89 (638.888...). Drugs 2,500 - 3,000 = -500. Consumables 750 - 1,000 =
    -250. Other: 5,750 - 6,000 = -250, less the length: +388.89. Together -500 = 6,500 - 7,000.
    """
    mine = stay(points_e4=1_050_000)
    other = stay(
        "S2", fixmedins_code="B2", act_ipt_days=8, cost_fen=800_000, drug_fen=200_000, consumable_fen=50_000
    )
    [cell] = department_cells(frame(mine), benchmark(frame(mine, other))).rows(named=True)
    assert {name: cell[cause(name)] for name in CAUSES} == {
        "price": 100_000,
        "coefficient": 100_000,
        "deviation": -50_000,
        "settlement": -100_000,
        "length": -63_889,
        "drugs": -50_000,
        "consumables": -25_000,
        "other_cost": 38_889,
    }
    assert (cell["income_fen"], cell["balance_fen"]) == (950_000, -50_000)


def test_a_stay_without_weight_is_worth_its_points_before_deviation():
    """An ungrouped stay: 70 points, no weight: 7,000 - its own cost of 10,000 (it is all such stays) = -3,000."""
    mine = stay(group_id=None, outcome="ungrouped", rw_e4=None, points_base_e4=700_000, points_e4=700_000)
    [cell] = department_cells(frame(mine), benchmark(frame(mine))).rows(named=True)
    assert (cell[cause("price")], cell[cause("coefficient")], cell[cause("deviation")]) == (-300_000, 0, 0)


QUOTAS = pl.DataFrame(
    [("A03", 250_000, "set")],
    schema={"dscg_caty": pl.String, "quota_fen": pl.Int64, "quota_source": pl.String},
    orient="row",
)


@pytest.mark.parametrize(
    ("cost", "lists"),
    [
        # Quota 2,500.00: above from 10,000.01; below to 2,999.99.
        (1_000_000, []),
        (1_000_001, ["above_quota"]),
        (300_000, []),
        (299_999, ["below"]),
    ],
)
def test_the_lists_begin_at_their_limits(cost, lists):
    rows = with_quotas(frame(stay(cost_fen=cost)), QUOTAS)
    assert watch_list(rows, 40_000, 300_000)["list"].to_list() == lists


def test_a_department_without_quota_has_nothing_above_it():
    rows = with_quotas(frame(stay(dscg_caty="B01", cost_fen=10**9), stay("S2", dscg_caty=None)), QUOTAS)
    assert watch_list(rows, 40_000, 300_000).is_empty()


def test_the_watch_list_says_how_many_times_the_quota():
    """10,250.01 / 2,500.00 = 4.100004 -> 4.1000."""
    [row] = watch_list(with_quotas(frame(stay(cost_fen=1_025_001)), QUOTAS), 40_000, 0).rows(named=True)
    assert (row["multiple_e4"], row["quota_fen"], row["balance_fen"]) == (41_000, 250_000, -50_000)


def test_quotas_of_the_history_are_means():
    """10.00, 10.00, 10.01 yuan: 30.01 / 3 = 10.00333 -> 10.00; 0.01 and 0.02: 0.015 -> 0.02."""
    rows = [("A03", 1_000), ("A03", 1_000), ("A03", 1_001), ("A04", 1), ("A04", 2), (None, 9)]
    past = pl.DataFrame(rows, schema={"dscg_caty": pl.String, "cost_fen": pl.Int64}, orient="row")
    assert history_quotas(past).rows() == [("A03", 1_000, "history"), ("A04", 2, "history")]


def tables(*rows) -> dict[str, pl.DataFrame]:
    mine = with_quotas(frame(*rows), QUOTAS)
    return department_tables(mine, benchmark(frame(*rows)), above_e4=40_000, below_fen=300_000)


def test_the_tables_of_a_hospital():
    found = tables(
        stay("S1", doctor="D1", cost_fen=1_100_000, flagged=True),
        stay("S2", doctor="D2", dscg_caty="A04", payable_fen=800_000),
        stay("S3", doctor="D1", cost_fen=200_000, booked_fen=100_000, payable_fen=100_000),
    )
    assert {name: table.columns for name, table in found.items()} == {
        name: [column.name for column in columns] for name, columns in DEPARTMENT_TABLES.items()
    }
    one, two = found["departments"].rows(named=True)
    assert (one["dscg_caty"], one["cases"], one["balance_fen"]) == ("A03", 2, -50_000)
    # Quota 2,500.00 for two stays that cost 13,000.00: 8,000.00 over it.
    assert (one["quota_fen"], one["over_quota_fen"], one["above_quota_cases"], one["below_cases"]) == (
        250_000,
        800_000,
        1,
        1,
    )
    assert (one["flagged_cases"], one["flagged_balance_fen"]) == (1, -50_000)
    assert (two["dscg_caty"], two["quota_fen"], two["over_quota_fen"], two["balance_fen"]) == (
        "A04",
        None,
        None,
        100_000,
    )
    assert found["doctors"].select("dscg_caty", "doctor", "cases").rows() == [
        ("A03", "D1", 2),
        ("A04", "D2", 1),
    ]
    assert found["watch"].select("list", "setl_id").rows() == [("above_quota", "S1"), ("below", "S3")]


def test_without_doctors_there_is_no_table_of_them():
    assert tables(stay())["doctors"].is_empty()


AMOUNT = st.integers(0, 10**7)
DRAWN = st.fixed_dictionaries(
    {
        "dscg_caty": st.sampled_from(["A03", "A04", None]),
        "doctor": st.sampled_from(["D1", None]),
        "group_id": st.sampled_from(["G", "H", None]),
        "fixmedins_code": st.sampled_from(["A1", "B2"]),
        "act_ipt_days": st.integers(0, 40),
        "cost_fen": AMOUNT,
        "booked_fen": AMOUNT,
        "payable_fen": st.integers(-(10**6), 10**7),
        "rw_e4": st.one_of(st.none(), st.integers(1, 10**8)),
        "points_base_e4": st.integers(0, 10**8),
        "points_e4": st.integers(0, 10**8),
        "point_value_e4": st.one_of(st.none(), st.integers(0, 10**6)),
        "drug_fen": AMOUNT,
        "consumable_fen": AMOUNT,
        "flagged": st.booleans(),
    }
)


def half_up(value) -> int:
    return (Fraction(value) + Fraction(1, 2)).__floor__()


def twin(mine: list[dict], everybody: list[dict]) -> dict[str, int]:
    """The causes of the stays of one cell, from docs/rules.md."""
    n, m = len(mine), len(everybody)

    def usual(name):
        return half_up(Fraction(n * sum(row[name] for row in everybody), m))

    def total(name):
        return sum(row[name] for row in mine)

    def worth(points):
        return half_up(
            sum(Fraction((points(row) or 0) * (row["point_value_e4"] or 0), 10**6) for row in mine)
        )

    at_weight = worth(lambda row: row["points_base_e4"] if row["rw_e4"] is None else row["rw_e4"])
    at_base, at_points = worth(lambda row: row["points_base_e4"]), worth(lambda row: row["points_e4"])
    income = total("payable_fen") + total("cost_fen") - total("booked_fen")
    rest = sum(row["cost_fen"] - row["drug_fen"] - row["consumable_fen"] for row in mine)
    all_rest = sum(row["cost_fen"] - row["drug_fen"] - row["consumable_fen"] for row in everybody)
    all_days = sum(row["act_ipt_days"] for row in everybody)
    length = (
        half_up((Fraction(n * all_days, m) - total("act_ipt_days")) * Fraction(all_rest, all_days))
        if all_days
        else 0
    )
    usual_rest = usual("cost_fen") - usual("drug_fen") - usual("consumable_fen")
    return {
        "price": at_weight - usual("cost_fen"),
        "coefficient": at_base - at_weight,
        "deviation": at_points - at_base,
        "settlement": income - at_points,
        "length": length,
        "drugs": usual("drug_fen") - total("drug_fen"),
        "consumables": usual("consumable_fen") - total("consumable_fen"),
        "other_cost": usual_rest - rest - length,
    }


@settings(max_examples=40)
@given(st.lists(DRAWN, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_every_cell_is_the_twins_and_every_table_adds_up(rows, random):
    rows = [
        stay(f"S{at}", **row, outcome="ungrouped" if row["group_id"] is None else "grouped")
        for at, row in enumerate(rows)
    ]
    mine = [row for row in rows if row["fixmedins_code"] == "A1"] or rows
    for cell in department_cells(frame(*mine), benchmark(frame(*rows))).iter_rows(named=True):
        key = [cell[name] for name in ("dscg_caty", "doctor", "group_id")]
        own = [row for row in mine if [row[name] for name in ("dscg_caty", "doctor", "group_id")] == key]
        same = [row for row in rows if row["group_id"] == cell["group_id"]]
        assert {name: cell[cause(name)] for name in CAUSES} == twin(own, same)
    found = department_tables(
        with_quotas(frame(*mine), QUOTAS), benchmark(frame(*rows)), above_e4=40_000, below_fen=300_000
    )
    balance = sum(row["payable_fen"] - row["booked_fen"] for row in mine)
    for name in ("departments", "groups"):
        table = found[name]
        assert (table["cases"].sum(), table["balance_fen"].sum()) == (len(mine), balance)
    for name in ("departments", "groups", "doctors"):
        for row in found[name].iter_rows(named=True):
            assert (
                sum(row[cause(one)] for one in CAUSES)
                == row["balance_fen"]
                == row["income_fen"] - row["cost_fen"]
            )
    shuffled = list(mine)
    random.shuffle(shuffled)
    again = department_tables(
        with_quotas(frame(*shuffled), QUOTAS), benchmark(frame(*rows)), above_e4=40_000, below_fen=300_000
    )
    assert all(found[name].equals(again[name]) for name in found)
