"""The three methods, shares of the income and changes within the year, with the arithmetic beside them."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from fenzhi.budget import Budget, PoolBudget
from fenzhi.settlement.ledger import _budget_entries

INCOME = {"name": "inpatient", "kind": "income", "amount": "1000.10"}
AWAY = {"name": "away", "kind": "out_of_region", "amount": "80"}
RISK = {"name": "risk", "kind": "reserve", "share": "0.05"}


def budget(lines: list[dict[str, str]], **keys: Any) -> PoolBudget:
    return Budget.model_validate({"year": 2027, "pool": [{"id": "E", "lines": lines, **keys}]}).of("E")


def test_items() -> None:
    # Income 100,010 fen. Reserve 5 %: 5,000.5, so 5,001. Adjustment 1.25 %: 1,250.125, so 1,250.
    # 100,010 - 5,001 - 1,250 - 8,000 - 2,005 - 10,000 = 73,754.
    lines = [
        INCOME,
        RISK,
        {"name": "year's end", "kind": "adjustment", "share": "0.0125"},
        AWAY,
        {"name": "apart", "kind": "paid_apart", "amount": "20.05"},
        {"name": "bed-day", "kind": "carve_out", "amount": "100", "track": "bed_day"},
    ]
    entry = budget(lines)
    assert entry.fund_fen == 73_754
    assert entry.reserve_fen == 5_001 + 1_250
    assert entry.carved_out_fen == 8_000 + 2_005 + 10_000
    kinds = ("income", "reserve", "adjustment", "out_of_region", "paid_apart", "carve_out")
    assert [entry.total_fen(kind) for kind in kinds] == [100_010, 5_001, 1_250, 8_000, 2_005, 10_000]


@pytest.mark.parametrize(
    ("last", "whole", "fund"),
    [
        # 100,010 x 700 / 900 = 77,785.55..
        ("700", "900", 77_786),
        # 100,010 / 4 = 25,002.5: a half goes up.
        ("1", "4", 25_003),
        # 100,010 x 0.85 = 85,008.5, so 85,009: one fen is left.
        ("85", "100", 85_009),
        ("0", "900", 0),
    ],
)
def test_share(last: str, whole: str, fund: int) -> None:
    # The lines leave 100,010 - 8,000 - 7,000 = 85,010; what lies above the total goes to the reserve.
    lines = [INCOME, AWAY, {"name": "apart", "kind": "paid_apart", "amount": "70"}]
    entry = budget(lines, method="share", last_by_disease=last, last_total=whole)
    assert entry.fund_fen == fund
    assert entry.reserve_fen == 85_010 - fund
    assert entry.carved_out_fen == 15_000


@pytest.mark.parametrize(
    ("rate", "fund"),
    # 70,001 x 1.035 = 72,451.035; x 0.9875 = 69,125.9875; x 1.5 / 100 = 1,050.015
    [("0.035", 72_451), ("-0.0125", 69_126), ("0", 70_001), ("-0.985", 1_050), ("-1", 0)],
)
def test_growth(rate: str, fund: int) -> None:
    # 100,010 - 8,000 - 5,001 = 87,009 are left by the lines.
    entry = budget([INCOME, AWAY, RISK], method="growth", last_by_disease="700.01", growth_rate=rate)
    assert entry.fund_fen == fund
    assert entry.reserve_fen == 5_001 + 87_009 - fund


CHANGES = [
    {
        "date": "2027-05-02",
        "reason": "more insured",
        "line": "inpatient",
        "amount": "200",
        "cite": "decree 7",
    },
    {"date": "2027-03-15", "reason": "more care elsewhere", "line": "away", "amount": "20", "from": "risk"},
]


def test_changes() -> None:
    # Plan: 100,010 - 8,000 - 5,001 = 87,009. In March 2,000 go from the reserve to care elsewhere.
    # In May the income is 120,010, its 5 % 6,000.5, so 6,001 - 2,000 = 4,001; 120,010 - 10,000 - 4,001 = 106,009.
    entry = budget([INCOME, AWAY, RISK], change=CHANGES)
    keys = ("inpatient", "away", "risk", "left_over", "by_disease")
    states = [tuple(entry.amounts(done)[key] for key in keys) for done in (0, 1, 2)]
    assert states == [
        (100_010, 8_000, 5_001, 0, 87_009),
        (100_010, 10_000, 3_001, 0, 87_009),
        (120_010, 10_000, 4_001, 0, 106_009),
    ]
    assert entry.amounts() == entry.amounts(2)
    assert (entry.fund_fen, entry.reserve_fen, entry.carved_out_fen) == (106_009, 4_001, 10_000)


def test_changes_of_the_total() -> None:
    # share: 100,010 x 3/4 = 75,007.5, so 75,008; 87,009 - 75,008 = 12,001 above it.
    # 1,000 fen more from what lies above, 500 less to the reserve: 75,508; 11,001 above; reserve 5,501.
    changes = [
        {
            "date": "2027-06-01",
            "reason": "a",
            "line": "by_disease",
            "amount": "10",
            "from": "left_over",
        },
        {"date": "2027-06-01", "reason": "b", "line": "by_disease", "amount": "-5", "to": "risk"},
    ]
    entry = budget([INCOME, AWAY, RISK], method="share", last_by_disease="3", last_total="4", change=changes)
    assert entry.amounts() == {
        "inpatient": 100_010,
        "away": 8_000,
        "risk": 5_501,
        "left_over": 11_001,
        "by_disease": 75_508,
    }
    # Under items the total is what the lines leave, and follows the other side: 87,009 - 500.
    entry = budget([INCOME, AWAY, RISK], change=changes[1:])
    assert (entry.fund_fen, entry.reserve_fen) == (86_509, 5_501)


def test_share_and_growth_when_the_income_changes() -> None:
    more = [{"date": "2027-07-01", "reason": "more", "line": "inpatient", "amount": "100"}]
    # share: 110,010 x 3/4 = 82,507.5, so 82,508.
    entry = budget([INCOME, AWAY], method="share", last_by_disease="3", last_total="4", change=more)
    assert (entry.fund_fen, entry.reserve_fen) == (82_508, 110_010 - 8_000 - 82_508)
    # growth: the total stays, all of it goes to the reserve.
    entry = budget([INCOME, AWAY], method="growth", last_by_disease="700", growth_rate="0", change=more)
    assert (entry.fund_fen, entry.reserve_fen) == (70_000, 32_010)


def test_the_ledger_has_the_plan_and_then_each_change() -> None:
    lines = [INCOME, AWAY, RISK]
    whole = Budget.model_validate({"year": 2027, "pool": [{"id": "E", "lines": lines, "change": CHANGES}]})
    entries = _budget_entries(whole, pl.DataFrame({"pool": ["E"]}), 2027)
    assert entries.drop("pool", "fixmedins_code").rows() == [
        ("2027", "fund:E", "source:E", 100_010, "budget_income", "inpatient"),
        ("2027", "carve_out:E", "fund:E", 8_000, "budget_out_of_region", "away"),
        ("2027", "reserve:E", "fund:E", 5_001, "budget_reserve", "risk"),
        ("2027", "by_disease:E", "fund:E", 87_009, "by_disease_fund", "budget.toml"),
        ("2027-03", "carve_out:E", "fund:E", 2_000, "budget_out_of_region", "more care elsewhere"),
        ("2027-03", "fund:E", "reserve:E", 2_000, "budget_reserve", "more care elsewhere"),
        ("2027-05", "fund:E", "source:E", 20_000, "budget_income", "more insured (decree 7)"),
        ("2027-05", "reserve:E", "fund:E", 1_000, "budget_reserve", "more insured (decree 7)"),
        ("2027-05", "by_disease:E", "fund:E", 19_000, "by_disease_fund", "more insured (decree 7)"),
    ]


def test_what_lies_above_the_total_is_a_movement_of_its_own() -> None:
    keys = {"method": "growth", "last_by_disease": "700", "growth_rate": "0.1"}
    whole = Budget.model_validate({"year": 2027, "pool": [{"id": "E", "lines": [INCOME, AWAY], **keys}]})
    entries = _budget_entries(whole, pl.DataFrame({"pool": ["E"]}), 2027)
    # 100,010 - 8,000 - 77,000 = 15,010
    assert entries.select("debit", "credit", "amount_fen", "kind").rows()[2:] == [
        ("reserve:E", "fund:E", 15_010, "budget_left_over"),
        ("by_disease:E", "fund:E", 77_000, "by_disease_fund"),
    ]
