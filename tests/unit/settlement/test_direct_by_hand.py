"""Stays that the fund pays directly: amounts, point value, hospitals, months, ledger, worked by hand."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import policy

from fenzhi.budget import direct_amounts, price
from fenzhi.errors import RegionError
from fenzhi.settlement.settle import Settled, settle
from twins.profile import examples

from . import tiny
from .tiny import by, fund, inputs

# The tiny region, its ungrouped stay S3 and H2's only stay S4 without points: cost 2,000.00, booked 1,200.00.
ROWS = [
    *tiny.STAYS[:2],
    (*tiny.STAYS[2][:-1], 0),
    (*tiny.STAYS[3][:-1], 0),
]
RULES: list[str | None] = [None, None, "ungrouped", "deviation"]


def direct(
    rows: list[tuple] = ROWS,
    rules: list[str | None] | None = None,
    lines: list[dict[str, str]] | None = None,
    factor: str = "0.7",
    **sections: dict,
) -> Settled:
    pack = policy(**sections)
    marked = tiny.scored(rows).drop("direct_fen").with_columns(pl.Series("paid_directly", rules or RULES))
    stays = tiny.with_fixed(direct_amounts(marked, [Decimal(factor)]), pack)
    money = tiny.budget(lines)
    priced = price(stays, money, tiny.opening(), pack.point_value)
    return settle(stays, priced, money, pack, inputs())


# Ratio 0.6: S3 100.00 x 0.6 x 0.7 = 42.00; S4 400.00 x 0.6 = 240.00. The fund leaves 1,200.01 - 282.00 = 918.01
# for 15 points: value 918.01 / 0.6 / 15 = 102.00111; S1 gets 612.0067, S2 306.0033.
def test_direct_amounts_are_taken_off_the_fund_first():
    got = direct()
    assert by(got.stays, "direct_fen", "setl_id") == {"S1": None, "S2": None, "S3": 4_200, "S4": 24_000}
    assert by(got.stays, "payable_fen", "setl_id") == {"S1": 61_201, "S2": 30_600, "S3": 4_200, "S4": 24_000}
    pool = got.pools.row(0, named=True)
    names = ("direct_cases", "direct_fen", "others_fen", "settlement_value_e4", "gross_fen", "residual_fen")
    assert [pool[name] for name in names] == [2, 28_200, 60_000, 1_020_011, 120_001, 0]
    assert by(got.hospitals, "gross_fen") == {"H1": 96_001, "H2": 24_000}
    assert by(got.hospitals, "direct_fen") == {"H1": 4_200, "H2": 24_000}


# Difference: (918.01 + what others paid for S1 and S2, 400 + 200) / 15 = 101.20067. H1: 1,518.01 - 600 + 42.
def test_by_difference_only_stays_with_points_subtract_what_others_paid():
    got = direct(point_value={"settlement": "difference"})
    assert got.pools["settlement_value_e4"].to_list() == [1_012_007]
    assert by(got.hospitals, "gross_fen") == {"H1": 96_001, "H2": 24_000}
    # 1,518.01 over 10 : 5 is 1,012.0067 and 506.0033.
    assert by(got.stays, "payable_fen", "setl_id") == {"S1": 61_201, "S2": 30_600, "S3": 4_200, "S4": 24_000}


def test_the_reserve_bears_what_a_fixed_rate_leaves_even_where_direct_payments_exceed_the_fund():
    fixed = {"point_value": {"rate": "fixed"}, "settlement": {"residual": "reserve"}}
    got = direct(lines=fund("100"), **fixed)
    # 10 and 5 points x 90 x 0.6 = 810.00.
    assert by(got.hospitals, "gross_fen") == {"H1": 85_200, "H2": 24_000}
    assert got.pools["residual_fen"].to_list() == [10_000 - 85_200 - 24_000]


def test_without_points_what_is_left_goes_to_the_reserve():
    got = direct([(*row[:-1], 0) for row in ROWS], ["review", "review", "ungrouped", "deviation"])
    assert by(got.hospitals, "gross_fen") == {"H1": 60_000 + 30_000 + 4_200, "H2": 24_000}
    pool = got.pools.row(0, named=True)
    assert (pool["settlement_value_e4"], pool["residual_fen"]) == (None, 120_001 - 118_200)


# January: 15 points x 90 - (600 booked less) = 1,350 - 600. February: S4's 240. March: S3's 42.
def test_months_owe_the_direct_amount():
    months = direct().months.filter(pl.col("cases") > 0).sort("month")
    assert months["due_fen"].to_list() == [75_000, 24_000, 4_200]
    assert months["direct_fen"].to_list() == [0, 24_000, 4_200]


def test_the_ledger_has_a_line_of_its_own():
    entries = direct().ledger.filter(pl.col("kind").is_in(["direct_payment", "gross_payable"]))
    found = entries.select("kind", "debit", "amount_fen").rows()
    assert found == [
        ("direct_payment", "hospital:H1:E", 4_200),
        ("direct_payment", "hospital:H2:E", 24_000),
        ("gross_payable", "hospital:H1:E", 91_801),
    ]


def test_a_negative_cost_is_paid_nothing_and_nothing_booked_is_a_ratio_of_one():
    rows = [
        ("S1", "H1", "E", 1, "ungrouped", False, -100, 0, None, 0),
        ("S2", "H1", "E", 1, "grouped", False, 100, 0, 1, 0),
        ("S3", "H2", "E", 1, "grouped", False, 100, 0, 1, 100),
    ]
    got = direct(rows, ["ungrouped", "deviation", None], factor="1")
    assert by(got.stays, "direct_fen", "setl_id") == {"S1": 0, "S2": 100, "S3": None}


def test_a_fund_that_does_not_cover_them_is_refused():
    with pytest.raises(RegionError) as caught:
        direct(lines=fund("281.99"))
    assert caught.value.text() == (
        "[BUDGET_DIRECT] pool E pays 282.00 yuan directly, its by-disease fund is 281.99\n"
        "  where: budget.toml, field pool E\n"
        "  to do: raise the fund, or pay fewer stays directly (policy: ungrouped, deviation, special_review)"
    )


@examples(50)
@given(
    costs=st.lists(st.tuples(st.integers(0, 10**9), st.booleans(), st.integers(0, 10**6)), min_size=1),
    factor=st.decimals(0, 1, places=4),
    method=st.sampled_from(["ratio", "difference"]),
)
def test_no_fen_is_lost(costs, factor, method):
    rows, rules = [], []
    for i, (cost, paid, points) in enumerate(costs):
        rules.append(["ungrouped", "deviation"][i % 2] if paid else None)
        row = (f"S{i}", f"H{1 + i % 2}", "E", 1, "grouped", False, cost, cost // 2, 1, 0 if paid else points)
        rows.append(row)
    got = direct(rows, rules, fund("99999999999"), str(factor), point_value={"settlement": method})
    pool = got.pools.row(0, named=True)
    assert got.stays["payable_fen"].sum() == pool["gross_fen"]
    assert pool["gross_fen"] + pool["residual_fen"] == pool["fund_fen"]
    assert got.stays["direct_fen"].sum() == pool["direct_fen"]
