"""Surplus and overrun, deposit, quarterly clearing, kinds of deductions: worked by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import policy

from fenzhi.policy.values import Settlement, Sharing
from fenzhi.settlement.calendar import clearing_facts, legal_date
from fenzhi.settlement.sharing import wanted
from twins.profile import examples

from . import tiny
from .tiny import by, inputs, settled, table

SURPLUS = [
    {"above": "0", "upto": "0.8", "share": "0"},
    {"above": "0.8", "upto": "1", "share": "1"},
]
OVERRUN = [{"above": "1", "upto": "1.1", "share": "0.7"}, {"above": "1.1", "share": "0"}]


def sharing(**sides: list[dict[str, Any]]) -> Sharing:
    return Sharing.model_validate(sides)


BOTH = sharing(surplus=SURPLUS, overrun=OVERRUN)


# Payable 1,000. Booked 700: the surplus of 300 lies from 0.7 to 1, of it 0.8 to 1 is kept, 100 goes back.
@pytest.mark.parametrize(
    ("booked", "moves"),
    [(0, -800), (700, -100), (800, 0), (900, 0), (1_000, 0), (1_080, 56), (1_100, 70), (1_300, 70)],
)
def test_tiers_of_parts(booked: int, moves: int) -> None:
    assert wanted(1_000, booked, BOTH) == moves


# Whole: below 0.85 nothing of the surplus is kept (the actual amount is paid), from there on all of it.
@pytest.mark.parametrize(("booked", "moves"), [(849, -151), (850, -150), (851, 0), (1_100, 70), (1_101, 10)])
def test_tiers_of_the_whole_difference(booked: int, moves: int) -> None:
    rules = sharing(
        surplus=[
            {"above": "0", "upto": "0.85", "share": "0", "base": "whole"},
            {"above": "0.85", "upto": "1", "share": "1", "base": "whole"},
        ],
        overrun=[
            {"above": "1", "upto": "1.1", "share": "0.7", "base": "whole"},
            {"above": "1.1", "share": "0.1", "base": "whole"},
        ],
    )
    # 101 x 0.1 = 10.1.
    assert wanted(1_000, booked, rules) == moves


# Where more payable can mean less in the end. Rising shares: of an overrun of 500 the part above 1,200 is borne, 300;
# with 1,100 payable the part above 1,320, 180. Whole: 900 of 1,000 is 0.9, all is kept; 900 of 1,010 is less, nothing.
def test_rising_or_whole_shares_can_turn_more_into_less() -> None:
    rising = sharing(overrun=[{"above": "1", "upto": "1.2", "share": "0"}, {"above": "1.2", "share": "1"}])
    assert [payable + wanted(payable, 1_500, rising) for payable in (1_000, 1_100)] == [1_300, 1_280]
    part = {"above": "0.9", "above_included": True, "upto": "1", "share": "1", "base": "whole"}
    below = {"above": "0", "upto": "0.9", "upto_included": False, "share": "0", "base": "whole"}
    whole = sharing(surplus=[below, part])
    assert [payable + wanted(payable, 900, whole) for payable in (1_000, 1_010)] == [1_000, 900]


def test_without_tiers_a_surplus_is_kept_and_an_overrun_not_paid() -> None:
    assert (wanted(1_000, 500, None), wanted(1_000, 2_000, None)) == (0, 0)
    only = sharing(overrun=OVERRUN)
    assert (wanted(1_000, 500, only), wanted(1_000, 1_050, only)) == (0, 35)
    # Nothing payable, nothing shared.
    assert (wanted(0, 500, BOTH), wanted(-5, 500, BOTH), wanted(1_000, -1, BOTH)) == (0, 0, 0)


# H1: gross 960.01, booked 1,000.00: x = 1.0417; 39.99 x 0.7 = 27.993 -> 27.99. H2: 240.00, booked 200.00: kept.
def test_sharing_moves_money_between_reserve_and_hospital() -> None:
    got = settled(rules=policy(sharing={"surplus": SURPLUS, "overrun": OVERRUN}))
    assert by(got.hospitals, "shared_fen") == {"H1": 2_799, "H2": 0}
    assert by(got.hospitals, "final_fen") == {"H1": 98_800, "H2": 24_000}
    pool = got.pools.row(0, named=True)
    assert (pool["shared_fen"], pool["reserve_left_fen"]) == (2_799, 9_999 - 2_799)
    moved = got.ledger.filter(pl.col("kind") == "sharing").select("debit", "credit", "amount_fen").rows()
    assert moved == [("hospital:H1:E", "reserve:E", 2_799)]


# Fund 900.00 and a reserve of 1.00: H1 gets 720.00 of 1,000.00 booked, H2 180.00 of 200.00. The fund should bear half
# of 280.00 and of 20.00, 150.00; the reserve has 1.00: 0.9333 and 0.0667 of it.
def test_a_reserve_that_runs_out_is_split() -> None:
    lines = [
        {"name": "fund", "kind": "income", "amount": "901"},
        {"name": "r", "kind": "reserve", "amount": "1"},
    ]
    half = {"overrun": [{"above": "1", "share": "0.5"}]}
    got = settled(lines=lines, rules=policy(sharing=half))
    assert by(got.hospitals, "shared_fen") == {"H1": 93, "H2": 7}
    assert by(got.hospitals, "short_fen") == {"H1": 13_907, "H2": 993}
    assert got.pools["reserve_left_fen"].to_list() == [0]


# Opening value 90. January of H1: due 15 x 90 - 600.00 = 750.00; 5 % is 37.50, and 90 % is 675.00. March: 1 x 90 - 0.
def test_a_deposit_is_withheld_and_released_by_assessment() -> None:
    year = inputs(assessment=table(tiny.ASSESSED, ("H1", 9_000)))
    got = settled(year=year, rules=policy(settlement={"deposit_ratio": "0.05"}))
    months = got.months.filter(pl.col("fixmedins_code") == "H1")
    assert months["deposit_fen"].to_list()[:3] == [3_750, 0, 450]
    row = got.hospitals.row(0, named=True)
    # 42.00 x 0.9 = 37.80 go back.
    assert (row["deposit_fen"], row["released_fen"], row["forfeited_fen"]) == (4_200, 3_780, 420)
    # 960.01 x 0.9 = 864.009 -> 864.01; advances 675.00 and 81.00, working capital 0: 864.01 - 756.00 - 42.00.
    assert (row["final_fen"], row["advance_fen"], row["clearing_fen"]) == (86_401, 75_600, 6_601)
    full = settled(year=year, rules=policy(settlement={"deposit_ratio": "0.05", "deposit_release": "full"}))
    assert by(full.hospitals, "released_fen")["H1"] == 4_200


# H1's first quarter: due 750.00 + 90.00, advanced 675.00 + 81.00: 84.00 more in March, H2: due 160.00, 16.00 more.
def test_a_quarter_pays_what_was_not_advanced() -> None:
    got = settled(rules=policy(settlement={"clearing": "quarter"}))
    march = got.months.filter(pl.col("month") == 3)
    assert by(march, "quarter_fen") == {"H1": 8_400, "H2": 1_600}
    assert got.months["quarter_fen"].sum() == 10_000
    assert by(got.hospitals, "clearing_fen") == {"H1": 96_001 - 84_000, "H2": 24_000 - 16_000}


def test_deductions_of_several_kinds() -> None:
    rows = [("H1", "E", 1, 100, "audit"), ("H1", "E", 2, 1_001, "violation"), ("H1", "E", 2, 30, "fine")]
    year = inputs(deductions=table(tiny.DEDUCTION, *rows, ("H1", "E", 3, 7, "carried")))
    got = settled(year=year, rules=policy(settlement={"next_year_violation_share": "0.5"}))
    row = got.hospitals.row(0, named=True)
    assert (row["deduction_fen"], row["violation_fen"], row["fine_fen"]) == (1_138, 1_001, 30)
    # 10.01 x 0.5 = 5.005 -> 5.01 next year; now nothing more than the deductions.
    assert (row["next_year_fen"], row["payable_fen"]) == (501, 96_001 - 1_138)
    moved = got.ledger.filter(
        pl.col("debit").is_in(["reserve:E", "fines:E"]) & (pl.col("credit") == "hospital:H1:E")
    )
    assert moved.select("debit", "amount_fen", "kind").rows() == [
        ("reserve:E", 107, "audit_deduction"),
        ("reserve:E", 1_001, "violation"),
        ("fines:E", 30, "fine"),
    ]
    # Fines are no money of the fund.
    assert got.pools["reserve_left_fen"].to_list() == [9_999 + 1_108]


def test_the_clearing_and_its_day() -> None:
    frame = pl.DataFrame(
        {"clearing_fen": [300, -100], "final_fen": [9_000, 1_100], "forfeited_fen": [100, 0]}
    )
    facts = clearing_facts(frame, Settlement(), 2026)
    assert facts == {
        "pays_fen": 300,
        "returns_fen": 100,
        "year_fen": 10_000,
        "share": 0.03,
        "due_date": "2027-03-31",
    }
    assert clearing_facts(frame.clear(), Settlement(), 2026)["share"] is None
    assert legal_date(Settlement(clear_by="02-31"), 2027) == date(2028, 2, 29)


TIER = st.tuples(st.integers(0, 100), st.integers(0, 100))


@examples(200)
@given(
    payable=st.integers(1, 10**10), one=st.integers(0, 2 * 10**10), more=st.integers(0, 10**9), shares=TIER
)
def test_what_a_hospital_gets_lies_between_booked_and_payable_and_never_falls(
    payable: int, one: int, more: int, shares: tuple[int, int]
) -> None:
    rules = sharing(
        surplus=[
            {"above": "0", "upto": "0.8", "share": str(shares[0] / 100)},
            {"above": "0.8", "upto": "1", "share": str(shares[1] / 100)},
        ],
        overrun=[
            {"above": "1", "upto": "1.2", "share": str(max(shares) / 100)},
            {"above": "1.2", "share": str(min(shares) / 100)},
        ],
    )
    paid = payable + wanted(payable, one, rules)
    assert min(one, payable) <= paid <= max(one, payable)
    # Shares of parts are monotone: who booked more, for the same points, gets no less (but for one fen of rounding).
    assert payable + wanted(payable, one + more, rules) >= paid - 1
    # And where the shares of overruns fall, more that is payable never lowers what is paid.
    assert payable + more + wanted(payable + more, one, rules) >= paid - 1
