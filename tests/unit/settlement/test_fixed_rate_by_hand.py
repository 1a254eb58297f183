"""A fixed rate and bed-day stays: what the fund has over or lacks is the reserve's, to the fen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import policy

from fenzhi.settlement import balances
from twins.profile import examples

from . import tiny
from .tiny import by, fund, settled


def fixed(method: str = "ratio") -> dict[str, object]:
    return {
        "point_value": {"settlement": method, "rate": "fixed"},
        "settlement": {"residual": "reserve"},
    }


# 16 and 4 points x 90 yuan x 0.6: 864.00 and 216.00 of a fund of 1,200.01; 120.01 stay in the reserve.
def test_what_the_fund_has_over_goes_to_the_reserve() -> None:
    got = settled(rules=policy(**fixed()))
    assert by(got.hospitals, "gross_fen") == {"H1": 86_400, "H2": 21_600}
    pool = got.pools.row(0, named=True)
    assert (pool["settlement_value_e4"], pool["gross_fen"], pool["residual_fen"]) == (
        900_000,
        108_000,
        12_001,
    )
    assert by(balances(got.ledger), "balance_fen", "account")["reserve:E"] == 9_999 + 12_001


# A fund of 1,000 yuan lacks 80: the reserve pays them.
def test_what_the_fund_lacks_comes_out_of_the_reserve() -> None:
    got = settled(rules=policy(**fixed()), lines=fund("1000"))
    pool = got.pools.row(0, named=True)
    assert (pool["gross_fen"], pool["residual_fen"]) == (108_000, -8_000)
    left = by(balances(got.ledger), "balance_fen", "account")
    assert (left["reserve:E"], left["by_disease:E"]) == (-8_000, 0)


# 1,440.00 and 360.00 minus what others paid, 600.00 and 200.00: 840.00 and 160.00 of 1,200.01.
def test_a_fixed_rate_under_the_difference_method() -> None:
    got = settled(rules=policy(**fixed("difference")))
    assert by(got.hospitals, "gross_fen") == {"H1": 84_000, "H2": 16_000}
    assert got.pools["residual_fen"].to_list() == [20_001]


@examples(60)
@given(
    value=st.integers(1, 10**7),
    yuan=st.integers(0, 10**9),
    method=st.sampled_from(["ratio", "difference"]),
    points=st.lists(st.integers(0, 10**9), min_size=4, max_size=4),
)
def test_no_fen_is_lost_at_any_rate(value: int, yuan: int, method: str, points: list[int]) -> None:
    rows = [(*row[:-1], mine) for row, mine in zip(tiny.STAYS, points, strict=True)]
    got = settled(rules=policy(**fixed(method)), rows=rows, lines=fund(str(yuan)), value_e4=value)
    pool = got.pools.row(0, named=True)
    assert pool["gross_fen"] + pool["residual_fen"] == yuan * 100
    assert got.stays["payable_fen"].sum() == pool["gross_fen"]


def test_bed_day_stays_are_counted_apart() -> None:
    rows = [*tiny.STAYS, ("S5", "H2", "E", 2, "bed_day", False, 5_000, 2_000, None, 60_000)]
    got = settled(rows=rows)
    columns = ["cases", "grouped_cases", "bed_day_cases", "points_e4", "points_bed_day_e4", "points_core_e4"]
    assert got.hospitals.select(columns).rows() == [
        (3, 1, 0, 160_000, 0, 100_000),
        (2, 1, 1, 100_000, 60_000, 0),
    ]
    # The weight of a bed-day stay is none: the case mix of H2 stays that of S4.
    assert got.hospitals["cmi_e4"].to_list() == [65, 40]


@pytest.mark.parametrize("kind", ["grouped", "comprehensive", "ungrouped", "bed_day"])
def test_the_kinds_add_up_to_all(kind: str) -> None:
    rows = [(*row[:4], kind, *row[5:]) for row in tiny.STAYS]
    got = settled(rows=rows).hospitals
    kinds = ("core", "comprehensive", "grassroots", "ungrouped", "bed_day")
    assert got.select(sum(got[f"points_{name}_e4"] for name in kinds)).to_series().to_list() == [
        160_000,
        40_000,
    ]
    cases = ("grouped", "comprehensive", "ungrouped", "bed_day")
    assert sum(got[f"{name}_cases"] for name in cases).to_list() == got["cases"].to_list()
