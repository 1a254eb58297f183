"""Amounts per hospital and stay: largest remainders, the reserve, both methods, assessment, conservation."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import policy

from fenzhi.budget import price
from fenzhi.errors import ConservationError
from fenzhi.settlement.annual import account_sums, assess, gross_amounts, of_accounts, stay_amounts, unit_sums
from fenzhi.settlement.settle import settle
from twins.profile import examples

from . import tiny
from .tiny import by, fund, inputs, settled, table

DIFFERENCE = {"point_value": {"settlement": "difference"}}
RESERVE = {"settlement": {"residual": "reserve"}}


# 120,001 fen over 16 : 4 points: 96,000.8 and 24,000.2, so the fen left goes to H1. Its 96,001 over 10 : 5 : 1:
# 60,000.625, 30,000.3125 and 6,000.0625, so the fen left goes to S1. Value: 1,200.01 / 0.6 / 20 = 100.00083.
def test_the_fund_is_split_by_largest_remainder_first_over_hospitals_then_over_stays() -> None:
    got = settled()
    assert by(got.hospitals, "gross_fen") == {"H1": 96_001, "H2": 24_000}
    assert by(got.stays, "payable_fen", "setl_id") == {"S1": 60_001, "S2": 30_000, "S3": 6_000, "S4": 24_000}
    assert got.stays["point_value_e4"].to_list() == [1_000_008] * 4
    # Standard = points x 100.0008 yuan: 1,000.008, 500.004, 100.0008 and 400.0032.
    assert got.stays["standard_fen"].to_list() == [100_001, 50_000, 10_000, 40_000]
    pool = got.pools.row(0, named=True)
    assert (pool["fund_fen"], pool["gross_fen"], pool["residual_fen"]) == (120_001, 120_001, 0)


def test_sums_per_hospital() -> None:
    row = settled().hospitals.row(0, named=True)
    names = ["cases", "grouped_cases", "comprehensive_cases", "ungrouped_cases", "cost_fen", "booked_fen"]
    assert [row[name] for name in names] == [3, 1, 1, 1, 160_000, 100_000]
    points = [row[f"points_{kind}_e4"] for kind in ("core", "comprehensive", "grassroots", "ungrouped")]
    assert points == [100_000, 50_000, 0, 10_000]
    assert row["points_e4"] == 160_000
    # Weights 8 and 5 over two stays and a scale of 1,000: 0.0065.
    assert row["cmi_e4"] == 65
    # S4 is in a core group, but a grassroots one: its points stand there and nowhere else.
    other = settled().hospitals.row(1, named=True)
    points = [other[f"points_{kind}_e4"] for kind in ("core", "comprehensive", "grassroots", "ungrouped")]
    assert points == [0, 0, 40_000, 0]
    assert other["cmi_e4"] == 40


def test_equal_remainders_go_to_the_smaller_code_whatever_the_order() -> None:
    rows = [
        ("S9", "H2", "E", 1, "grouped", False, 100, 50, 1, 10_000),
        ("S3", "H1", "E", 1, "grouped", False, 50, 25, 1, 5_000),
        ("S2", "H1", "E", 1, "grouped", False, 50, 25, 1, 5_000),
    ]
    # 0.03 yuan over equal points: 2 fen to H1, of which S2 and S3 get one each; then 0.01: to H1, and there to S2.
    for order in (rows, rows[::-1]):
        got = settled(rows=order, lines=fund("0.03"), year=inputs("H2", "H1"))
        assert by(got.hospitals, "gross_fen") == {"H2": 1, "H1": 2}
        assert by(got.stays, "payable_fen", "setl_id") == {"S9": 1, "S3": 1, "S2": 1}
        one = settled(rows=order, lines=fund("0.01"), year=inputs("H2", "H1"))
        assert by(one.stays, "payable_fen", "setl_id") == {"S9": 0, "S3": 0, "S2": 1}


# Value without decimals: 100. H1: 16 x 100 x 0.6 = 960.00, H2 240.00; the fund has a fen over, or lacks one.
@pytest.mark.parametrize(("yuan", "residual"), [("1200.01", 1), ("1200", 0), ("1199.99", -1)])
def test_the_reserve_takes_what_a_rounded_value_leaves(yuan: str, residual: int) -> None:
    rules = policy(**RESERVE, point_value={"decimals": 0})
    got = settled(lines=fund(yuan), rules=rules)
    assert by(got.hospitals, "gross_fen") == {"H1": 96_000, "H2": 24_000}
    assert by(got.stays, "payable_fen", "setl_id") == {"S1": 60_000, "S2": 30_000, "S3": 6_000, "S4": 24_000}
    assert got.pools["residual_fen"].to_list() == [residual]
    moved = got.ledger.filter(pl.col("kind") == "residual").select("debit", "credit", "amount_fen").rows()
    there = ("reserve:E", "by_disease:E")
    assert moved == ([] if not residual else [(*(there if residual > 0 else there[::-1]), 1)])


# O = 2,000 - 1,200 = 800.00. Value (1,200.01 + 800) / 20 = 100.0005. 200,001 fen over 16 : 4: 160,001 and 40,000;
# minus own O (600.00, 200.00): 100,001 and 20,000. S1: 100,001 - 40,000, S2: 50,000 - 20,000, S3: 10,000 - 0.
def test_the_difference_method_subtracts_what_others_paid() -> None:
    got = settled(rules=policy(**DIFFERENCE))
    assert got.pools["settlement_value_e4"].to_list() == [1_000_005]
    assert by(got.hospitals, "gross_fen") == {"H1": 100_001, "H2": 20_000}
    assert by(got.stays, "payable_fen", "setl_id") == {"S1": 60_001, "S2": 30_000, "S3": 10_000, "S4": 20_000}


# Value 100.0005 without decimals: 100. H1: 16 x 100 - 600 = 1,000.00; H2: 4 x 100 - 200 = 200.00; one fen is left.
def test_difference_with_the_reserve() -> None:
    rules = policy(**RESERVE, point_value={"settlement": "difference", "decimals": 0})
    got = settled(rules=rules)
    assert by(got.hospitals, "gross_fen") == {"H1": 100_000, "H2": 20_000}
    assert got.pools["residual_fen"].to_list() == [1]


# Patients paid 220.00 at H1 and 390.00 of 400.00 at H2: (100 + 610) / 20 = 35.5 per point.
# H1 568.00 - 220.00 = 348.00, H2 142.00 - 390.00 = -248.00.
def test_a_hospital_whose_patients_paid_more_than_its_points_owes_money() -> None:
    rows = [row if row[0] != "S4" else (*row[:7], 1_000, *row[8:]) for row in tiny.STAYS]
    rows = [row if row[0] != "S1" else (*row[:7], 98_000, *row[8:]) for row in rows]
    got = settled(
        rows=rows,
        lines=fund("100"),
        rules=policy(**DIFFERENCE),
        year=inputs(assessment=table(tiny.ASSESSED, ("H1", 9_000), ("H2", 9_000))),
    )
    assert by(got.hospitals, "gross_fen") == {"H1": 34_800, "H2": -24_800}
    # A tenth is withheld from H1, nothing from an amount that is negative already.
    assert by(got.hospitals, "assessed_fen") == {"H1": 3_480, "H2": 0}
    assert by(got.hospitals, "payable_fen") == {"H1": 31_320, "H2": -24_800}


def test_nothing_booked_prices_the_whole_cost() -> None:
    rows = [(*row[:7], 0, *row[8:]) for row in tiny.STAYS]
    got = settled(rows=rows, rules=policy(**RESERVE))
    # 1,200.01 / 20 = 60.0005; H1 960.008 -> 960.01, H2 240.002 -> 240.00.
    assert by(got.hospitals, "gross_fen") == {"H1": 96_001, "H2": 24_000}


@pytest.mark.parametrize("sections", [{}, RESERVE, DIFFERENCE])
def test_without_points_the_fund_goes_to_the_reserve(sections: dict[str, dict[str, str]]) -> None:
    rows = [(*row[:9], 0) for row in tiny.STAYS]
    got = settled(rows=rows, rules=policy(**sections))
    assert got.hospitals["gross_fen"].to_list() == [0, 0]
    assert got.stays["payable_fen"].to_list() == [0] * 4
    assert got.stays["point_value_e4"].to_list() == [None] * 4
    pool = got.pools.row(0, named=True)
    assert (pool["settlement_value_e4"], pool["residual_fen"]) == (None, 120_001)


def test_a_hospital_without_stays_has_zeros_and_no_case_mix() -> None:
    got = settled(year=inputs("H0", "H1", "H2"))
    row = got.hospitals.row(0, named=True)
    assert row["fixmedins_code"] == "H0"
    for name in ("cases", "points_e4", "cost_fen", "gross_fen", "payable_fen", "clearing_fen", "advance_fen"):
        assert row[name] == 0, name
    assert row["cmi_e4"] is None
    assert row["assessment_e4"] == 10_000


# 96,001 x 0.98 = 94,080.98 -> 94,081 stays, 1,920 is withheld; then 100.00 is deducted. H2: 240.00 - 1,000.00.
def test_assessment_and_deductions() -> None:
    year = inputs(
        assessment=table(tiny.ASSESSED, ("H1", 9_800)),
        deductions=table(
            tiny.DEDUCTION,
            ("H1", "E", 1, 9_000, "audit"),
            ("H1", "E", 12, 1_000, "carried"),
            ("H2", "E", 2, 100_000, "audit"),
        ),
    )
    got = settled(year=year)
    assert by(got.hospitals, "assessed_fen") == {"H1": 1_920, "H2": 0}
    assert by(got.hospitals, "deduction_fen") == {"H1": 10_000, "H2": 100_000}
    assert by(got.hospitals, "payable_fen") == {"H1": 84_081, "H2": -76_000}
    assert by(got.hospitals, "balance_fen") == {"H1": -15_919, "H2": -96_000}
    pool = got.pools.row(0, named=True)
    assert (pool["payable_fen"], pool["returned_fen"]) == (8_081, 111_920)


def test_an_assessment_above_one_adds() -> None:
    accounts = pl.DataFrame(
        {"fixmedins_code": ["H1"], "pool": ["E"], "gross_fen": [1_005], "booked_fen": [0]}
    )
    got = assess(accounts, table(tiny.ASSESSED, ("H1", 11_000)), table(tiny.DEDUCTION), policy().settlement)
    # 1,005 x 1.1 = 1,105.5 -> 1,106.
    assert got.select("assessed_fen", "payable_fen").row(0) == (-101, 1_106)


def test_pools_are_settled_apart() -> None:
    rows = [(*row[:2], "E" if row[0] in ("S1", "S4") else "R", *row[3:]) for row in tiny.STAYS]
    got = settled(rows=rows, lines=fund("140"), pools=("E", "R"))
    rows_of = got.hospitals.select("fixmedins_code", "pool", "gross_fen").rows()
    # E: 10 and 4 of 14 points, 100.00 and 40.00; R: everything at H1.
    assert rows_of == [("H1", "E", 10_000), ("H1", "R", 14_000), ("H2", "E", 4_000), ("H2", "R", 0)]


# --- conservation ---


def test_stays_that_do_not_add_up_stop_the_run() -> None:
    rules = policy()
    stays = tiny.with_fixed(tiny.scored(), rules)
    prices = price(stays, tiny.budget(), tiny.opening(), rules.point_value)
    units = gross_amounts(unit_sums(stays), prices, rules)
    tampered = units.with_columns(pl.col("gross_fen") + (pl.col("fixmedins_code") == "H2"))
    with pytest.raises(ConservationError, match="do not add up to its amount") as caught:
        stay_amounts(stays, tampered, prices, rules)
    assert caught.value.code == "CONSERVATION"
    assert "'H2', 'E'" in str(caught.value)


def test_a_lost_stay_stops_the_run() -> None:
    rules = policy()
    stays = tiny.with_fixed(tiny.scored(), rules)
    prices = price(stays, tiny.budget(), tiny.opening(), rules.point_value)
    units = gross_amounts(unit_sums(stays), prices, rules)
    with pytest.raises(ConservationError):
        stay_amounts(
            stays.filter(pl.col("setl_id") != "S2").with_columns(points_e4=pl.lit(0)), units, prices, rules
        )


def test_a_stay_of_a_hospital_without_account_stops_the_run() -> None:
    rules = policy()
    stays = tiny.with_fixed(tiny.scored(), rules)
    prices = price(stays, tiny.budget(), tiny.opening(), rules.point_value)
    with pytest.raises(ConservationError):
        settle(stays, prices, tiny.budget(), rules, inputs("H1"))


# --- properties ---

AMOUNT = st.integers(0, 10**9)
DRAWN = st.lists(
    st.tuples(st.sampled_from(["H1", "H2", "H3"]), AMOUNT, st.integers(0, 100), st.integers(0, 10**7)),
    min_size=1,
    max_size=25,
)


@examples(80)
@given(
    drawn=DRAWN, fen=AMOUNT, residual=st.sampled_from(["apportion", "reserve"]), by_difference=st.booleans()
)
def test_no_fen_is_lost(
    drawn: list[tuple[str, int, int, int]], fen: int, residual: str, by_difference: bool
) -> None:
    rows = [
        (f"S{i}", code, "E", 1 + i % 12, "grouped", False, cost, cost * share // 100, points, points)
        for i, (code, cost, share, points) in enumerate(drawn)
    ]
    rules = policy(
        settlement={"residual": residual},
        point_value={"settlement": "difference" if by_difference else "ratio"},
    )
    got = settled(
        rows=rows, lines=fund(f"{fen // 100}.{fen % 100:02d}"), rules=rules, year=inputs("H1", "H2", "H3")
    )
    pool = got.pools.row(0, named=True)
    assert got.hospitals["gross_fen"].sum() == got.stays["payable_fen"].sum() == fen - pool["residual_fen"]
    if residual == "apportion" and pool["points_e4"]:
        assert pool["residual_fen"] == 0
    assert (
        got.hospitals["payable_fen"] == got.hospitals["clearing_fen"] + got.hospitals["advance_fen"]
    ).all()


# Four stays of 10 points each by the deviation. H1: 3 more by its type; paid directly: not counted; approved at 25
# points instead: its type does not count, its points do. H2: refused, 4 less by its type, 2 of an add-on.
def test_parts_of_the_points() -> None:
    rows = [
        ("H1", 100_000, 30_000, None, None, None),
        ("H1", 0, 50_000, None, 700, None),
        ("H1", 250_000, 20_000, "expert_points", None, None),
        ("H2", 120_000, -40_000, "refused", None, 20_000),
    ]
    names = ["fixmedins_code", "points_e4", "auxiliary_points_e4", "review", "direct_fen", "add_on_e4"]
    given = pl.DataFrame(rows, schema=names, orient="row").with_columns(
        pl.lit("E").alias("pool"),
        pl.lit("grouped").alias("outcome"),
        pl.lit(False).alias("grassroots"),
        *(pl.lit(1, pl.Int64).alias(name) for name in ("cost_fen", "booked_fen", "rw_e4", "fixed_points_e4")),
        pl.col("direct_fen", "add_on_e4").cast(pl.Int64),
    )
    accounts = pl.DataFrame({"fixmedins_code": ["H1", "H2", "H3"], "pool": ["E"] * 3})
    parts = ("points_e4", "auxiliary_points_e4", "points_review_e4", "add_on_e4")
    assert of_accounts(account_sums(given), accounts).select("fixmedins_code", *parts).rows() == [
        ("H1", 350_000, 30_000, 250_000, 0),
        ("H2", 120_000, -40_000, 0, 20_000),
        ("H3", 0, 0, 0, 0),
    ]
    plain = of_accounts(account_sums(given.drop("auxiliary_points_e4", "review", "add_on_e4")), accounts)
    assert plain.select(parts[1:]).sum().row(0) == (0, 0, 0)
