"""Opening and settlement point values, worked by hand."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.budget import Budget, opening_values, pool_totals
from fenzhi.budget import price as price_units
from fenzhi.budget.opening import point_value
from fenzhi.errors import RegionError
from fenzhi.policy.models import PointValue
from twins.profile import examples

RATIO, DIFFERENCE = PointValue(settlement="ratio"), PointValue(settlement="difference")
YEARS = {2024: 1, 2025: 2, 2026: 7}


def budget(**funds_yuan: str) -> Budget:
    pools = [
        {"id": pool, "lines": [{"name": "fund", "kind": "income", "amount": amount}]}
        for pool, amount in funds_yuan.items()
    ]
    return Budget.model_validate({"year": 2027, "pool": pools})


def price(stays: pl.DataFrame, money: Budget, values: pl.DataFrame, rules: PointValue) -> pl.DataFrame:
    """Price a year as one period; under a fixed rate all points are fixed, else none."""
    fixed = pl.col("points_e4") if rules.rate == "fixed" else pl.lit(0, pl.Int64)
    units = stays.with_columns(pl.lit(0, pl.Int8).alias("period"), fixed.alias("fixed_points_e4"))
    return pool_totals(price_units(units, money, values, rules), money)


def opening(**values_e4: int | None) -> pl.DataFrame:
    schema = {"pool": pl.String, "opening_value_e4": pl.Int64}
    return pl.DataFrame(list(values_e4.items()), schema=schema, orient="row")


def scored(*rows: tuple[str, int, int, int]) -> pl.DataFrame:
    """Stays as (pool, cost in fen, booked in fen, points at 1/10,000)."""
    names = ["cost_fen", "booked_fen", "points_e4"]
    return pl.DataFrame(
        list(rows), schema={"pool": pl.String, **dict.fromkeys(names, pl.Int64)}, orient="row"
    )


def history(*rows: tuple[str | None, int, int, int]) -> pl.DataFrame:
    """Stays of the years before as (pool, year, cost in yuan, points)."""
    frame = [(pool, year, cost * 100, points * 10_000) for pool, year, cost, points in rows]
    schema = {"pool": pl.String, "year": pl.Int32, "cost_fen": pl.Int64, "points_base_e4": pl.Int64}
    return pl.DataFrame(frame, schema=schema, orient="row")


# --- settlement value ---


# 800,000,000 / 0.70 / 120,000,000 = 9.52380...
def test_the_printed_point_value() -> None:
    stays = scored(("E", 100_000_000_000, 70_000_000_000, 1_200_000_000_000))
    row = price(stays, budget(E="800000000"), opening(E=None), RATIO).row(0, named=True)
    assert row["settlement_value_e4"] == 95_238
    assert row["payment_ratio_e4"] == 7_000


@pytest.mark.parametrize(
    ("decimals", "value"), [(4, 95_238), (3, 95_240), (2, 95_200), (1, 95_000), (0, 100_000)]
)
def test_the_value_is_rounded_to_the_decimals_of_the_policy(decimals: int, value: int) -> None:
    exact = Fraction(80_000_000_000) / Fraction(7, 10)
    assert point_value(exact, 1_200_000_000_000, PointValue(decimals=decimals)) == value


# Fund 600 yuan, cost 1,000, booked 500, 120 points.
# Ratio: 600 / 0.5 / 120 = 10. Difference: (600 + 500) / 120 = 9.1667.
def test_ratio_and_difference() -> None:
    stays = scored(("E", 60_000, 20_000, 800_000), ("E", 40_000, 30_000, 400_000))
    by_ratio = price(stays, budget(E="600"), opening(E=81_000), RATIO).row(0, named=True)
    assert by_ratio == {
        "pool": "E",
        "cases": 2,
        "cost_fen": 100_000,
        "booked_fen": 50_000,
        "points_e4": 1_200_000,
        "fixed_points_e4": 0,
        "income_fen": 60_000,
        "carved_out_fen": 0,
        "reserve_fen": 0,
        "outside_care_fen": 0,
        "fund_fen": 60_000,
        "payment_ratio_e4": 5_000,
        "opening_value_e4": 81_000,
        "settlement_value_e4": 100_000,
        "value_limit": None,
        "direct_cases": 0,
        "direct_fen": 0,
        "others_fen": 50_000,
    }
    by_difference = price(stays, budget(E="600"), opening(E=81_000), DIFFERENCE).row(0, named=True)
    assert by_difference == {**by_ratio, "settlement_value_e4": 91_667}


def test_the_payment_ratio_is_not_rounded_before_it_divides() -> None:
    # B / C = 1/3: 100 / (1/3) / 300 = 1 exactly; with 0.3333 it would be 1.0001.
    stays = scored(("E", 30_000, 10_000, 3_000_000))
    row = price(stays, budget(E="100"), opening(E=None), RATIO).row(0, named=True)
    assert (row["settlement_value_e4"], row["payment_ratio_e4"]) == (10_000, 3_333)


def test_nothing_booked_counts_as_a_ratio_of_one() -> None:
    stays = scored(("E", 30_000, 0, 1_000_000))
    row = price(stays, budget(E="250"), opening(E=None), RATIO).row(0, named=True)
    assert (row["settlement_value_e4"], row["payment_ratio_e4"]) == (25_000, 10_000)


def test_without_points_there_is_no_value() -> None:
    stays = scored(("E", 30_000, 10_000, 0))
    rows = price(stays, budget(E="250", R="10"), opening(E=None, R=7), RATIO).rows(named=True)
    assert [row["settlement_value_e4"] for row in rows] == [None, None]
    assert [row["cases"] for row in rows] == [1, 0]
    assert [row["fund_fen"] for row in rows] == [25_000, 1_000]
    assert [row["payment_ratio_e4"] for row in rows] == [3_333, 10_000]


def test_pools_come_in_the_order_of_the_opening_values() -> None:
    stays = scored(("A", 1, 1, 10_000), ("B", 1, 1, 20_000))
    got = price(stays, budget(A="1", B="1"), opening(B=None, A=None), RATIO)
    assert got["pool"].to_list() == ["B", "A"]
    assert got["points_e4"].to_list() == [20_000, 10_000]


def test_a_pool_without_budget_is_named() -> None:
    with pytest.raises(RegionError, match="pool R has no budget"):
        price(scored(), budget(E="1"), opening(E=None, R=None), RATIO)


# --- opening value ---


# (1 x 900 + 2 x 1,000 + 7 x 1,100) / (1 x 100 + 2 x 100 + 7 x 100) = 10,600 / 1,000 = 10.6.
def test_years_are_weighted() -> None:
    past = history(("E", 2024, 900, 100), ("E", 2025, 1_000, 100), ("E", 2026, 400, 60), ("E", 2026, 700, 40))
    got = opening_values(past, YEARS, {"E": None}, RATIO)
    assert got.rows() == [("E", 106_000)]


def test_a_stated_value_replaces_the_computed_one() -> None:
    past = history(("E", 2026, 900, 100))
    assert opening_values(past, YEARS, {"E": 123_456}, RATIO).rows() == [("E", 123_456)]


# E has 9 yuan per point; R none, so all pools: (900 + 2,100) / (100 + 200) = 10; stays of no pool count nowhere.
def test_a_pool_without_history_takes_the_value_over_all_pools() -> None:
    past = history(("E", 2026, 900, 100), ("O", 2026, 2_100, 200), (None, 2026, 99_999, 1))
    got = opening_values(past, YEARS, {"E": None, "R": None, "O": None}, RATIO)
    assert got.rows() == [("E", 90_000), ("R", 100_000), ("O", 105_000)]


def test_a_pool_without_points_takes_the_value_over_all_pools() -> None:
    past = history(("E", 2026, 900, 100), ("R", 2026, 100, 0))
    got = opening_values(past, YEARS, {"E": None, "R": None}, RATIO)
    assert got.rows() == [("E", 90_000), ("R", 100_000)]


def test_without_any_points_there_is_no_opening_value() -> None:
    assert opening_values(history(), YEARS, {"E": None}, RATIO).rows() == [("E", None)]
    nothing = history(("E", 2026, 900, 0))
    assert opening_values(nothing, YEARS, {"E": None}, RATIO).rows() == [("E", None)]


def test_the_opening_value_is_rounded_half_up() -> None:
    # 1 yuan / 8 points = 0.125; with two decimals 0.13.
    past = history(("E", 2026, 1, 8))
    assert opening_values(past, YEARS, {"E": None}, PointValue(decimals=2)).rows() == [("E", 1_300)]
    assert opening_values(past, YEARS, {"E": None}, RATIO).rows() == [("E", 1_250)]


@examples(100)
@given(
    fen=st.integers(0, 10**15),
    points=st.integers(1, 10**15),
    decimals=st.integers(0, 4),
    factor=st.integers(1, 9),
)
def test_a_value_depends_on_the_proportion_only_and_is_off_by_half_a_step_at_most(
    fen: int, points: int, decimals: int, factor: int
) -> None:
    rules = PointValue(decimals=decimals)
    value = point_value(fen, points, rules)
    assert value == point_value(fen * factor, points * factor, rules)
    exact = Fraction(fen * 1_000_000, points)
    step = 10 ** (4 - decimals)
    assert value % step == 0
    assert -Fraction(step, 2) < value - exact <= Fraction(step, 2)


# --- fixed rate ---

FIXED = {method: PointValue(settlement=method, rate="fixed") for method in ("ratio", "difference")}


@pytest.mark.parametrize("method", FIXED)
def test_a_fixed_rate_is_the_opening_value_whatever_the_fund(method: str) -> None:
    stays = scored(("E", 1_000, 700, 120_000), ("R", 1_000, 700, 0))
    rows = price(stays, budget(E="123.45", R="5"), opening(E=56_789, R=56_789), FIXED[method])
    # A pool without points has no value; its fund goes to the reserve.
    assert rows["settlement_value_e4"].to_list() == [56_789, None]
    assert rows["payment_ratio_e4"].to_list() == [7_000, 7_000]


def test_a_fixed_rate_without_opening_value_is_refused() -> None:
    with pytest.raises(RegionError, match="pool E no opening value") as caught:
        price(scored(("E", 1_000, 700, 1)), budget(E="1"), opening(E=None), FIXED["ratio"])
    assert (caught.value.code, caught.value.field) == ("BUDGET_OPENING", "pool.opening_value")
    empty = price(scored(("E", 1_000, 700, 0)), budget(E="1"), opening(E=None), FIXED["ratio"])
    assert empty["settlement_value_e4"].to_list() == [None]


@pytest.mark.parametrize(
    ("fund", "value", "limit"),
    [
        # 1,000 points at an opening value of 10.00, between 9.0 and 12.0, one decimal; patients pay nothing.
        ("12000.00", 120_000, None),
        # 12.01 rounds to 12.0 and is above it all the same: 0.01 x 1,000 = 10.00 stay with the reserve.
        ("12010.00", 120_000, "ceiling"),
        ("9000.00", 90_000, None),
        # 8.99 rounds to 9.0 and is below it: the reserve would have to give 10.00 and holds nothing, so 8.9.
        ("8990.00", 89_000, "reserve"),
    ],
)
def test_the_exact_value_is_compared_with_floor_and_ceiling(fund: str, value: int, limit: str | None) -> None:
    rules = PointValue(floor="0.9", ceiling="1.2", decimals=1)
    stays = scored(("E", 1_000_000, 1_000_000, 10_000_000))
    units = stays.with_columns(
        pl.lit(0, pl.Int8).alias("period"), pl.lit(0, pl.Int64).alias("fixed_points_e4")
    )
    row = price_units(units, budget(E=fund), opening(E=100_000), rules).row(0, named=True)
    assert (row["settlement_value_e4"], row["value_limit"]) == (value, limit)
    # What points take moves with the fund and does not jump at the ceiling.
    takes = {None: int(fund.replace(".", "")), "ceiling": 1_200_000, "reserve": 890_000}
    assert row["floating_fen"] == takes[limit]
