"""Cost deviation with a pocket calculator: the printed tables, every band formula, every kind of limit."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from worked import banded, policy, weights

from fenzhi.points import score
from fenzhi.policy import load_policy

NATIONAL = [
    {"name": "low", "upto": "0.5", "upto_included": False, "points": "ratio"},
    {"name": "normal", "above": "0.5", "above_included": True, "upto": "2", "points": "normal"},
    {"name": "high", "above": "2", "upto": "5", "points": "excess"},
    {"name": "extreme", "above": "5", "points": "review"},
]
JINING = [
    {"name": "low", "upto": "0.5", "points": "ratio_without_coefficient"},
    {"name": "normal", "above": "0.5", "upto": "2", "points": "normal"},
    {"name": "high", "above": "2", "upto": "5", "points": "excess_plus_coefficient"},
    {"name": "extreme", "above": "5", "points": "normal"},
]
COSTS = [4_999, 5_000, 5_001, 20_000, 20_001, 25_000, 50_000, 50_001]


def scored(
    costs_yuan: list[int],
    bands: list[dict[str, Any]],
    *,
    points: int = 100,
    coefficient_e4: int = 11_000,
    mean_yuan: int = 10_000,
    opening_e4: int = 100_000,
    references: dict[str, str] | None = None,
    decimals: int = 4,
    level_mean_yuan: int | None = None,
) -> pl.DataFrame:
    """Score stays of one hospital (level 2) in one group of ``points`` and last year's mean ``mean_yuan``."""
    level = [] if level_mean_yuan is None else [(0, "2", level_mean_yuan * 100)]
    measured = weights(
        [{"rw_e4": points * 10_000, "last_mean_fen": mean_yuan * 100}],
        level_means=level,
        coefficients=[("H1", "2", coefficient_e4)],
    )
    frame = pl.DataFrame(
        {
            "outcome": "grouped",
            "reason": pl.Series([None] * len(costs_yuan), dtype=pl.String),
            "group_idx": pl.Series([0] * len(costs_yuan), dtype=pl.Int32),
            "fixmedins_code": "H1",
            "pool": "E",
            "cost_fen": [cost * 100 for cost in costs_yuan],
        }
    )
    opening = pl.DataFrame({"pool": ["E"], "opening_value_e4": [opening_e4]})
    rules = policy(deviation=banded(*bands, **(references or {})), points={"decimals": decimals})
    return score(frame, measured, rules, pl.Series([False]), opening)


def e4(*points: float | str) -> list[int]:
    """Points as printed (two or four decimals) at 1/10,000."""
    return [round(float(each) * 10_000) for each in points]


# Mean 10,000 yuan, S = 100. The national table is printed for a hospital with coefficient 1.
def test_the_printed_table_of_national_1_0() -> None:
    got = scored(COSTS, NATIONAL, coefficient_e4=10_000)
    assert got["points_e4"].to_list() == e4(49.99, 100, 100, 100, 100.01, 150, 400, 100)
    assert got["deviation"].to_list() == ["low"] + ["normal"] * 3 + ["high"] * 3 + ["extreme"]


def test_the_national_pack_has_these_bands() -> None:
    shipped = load_policy("national-dip-1.0").deviation
    mine = policy(deviation=banded(*NATIONAL)).deviation
    assert [b.model_dump(exclude={"title"}) for b in shipped.bands] == [
        b.model_dump(exclude={"title"}) for b in mine.bands
    ]
    assert (shipped.test_reference, shipped.factor_reference) == ("same_level_mean", "same_level_mean")


# h = 1.1: 4,999 gives 100 x 0.4999 without h; 20,001 gives 100 x (2.0001 - 2 + 1.1).
def test_the_printed_table_of_jining() -> None:
    got = scored(COSTS, JINING)
    assert got["points_e4"].to_list() == e4(49.99, 50, 110, 110, 110.01, 160, 410, 110)
    assert got["deviation"].to_list() == ["low"] * 2 + ["normal"] * 2 + ["high"] * 3 + ["extreme"]


# Jinhua: base 120, coefficient 1.05. Complete: 120 x 1.05; incomplete, 4,000 of 12,000: 120 x 1/3 without coefficient.
def test_the_printed_figures_of_jinhua_that_a_band_of_cost_can_say() -> None:
    bands = [
        {"upto": "0.5", "points": "ratio_without_coefficient"},
        {"above": "0.5", "points": "normal"},
    ]
    got = scored([12_000, 4_000], bands, points=120, coefficient_e4=10_500, mean_yuan=12_000)
    assert got["points_e4"].to_list() == e4(126, 40)


# S = 100, h = 1.1, mean 10,000. Opening value 10: the payment standard is 110 x 10 = 1,100 yuan.
@pytest.mark.parametrize(
    ("points", "cost", "expected"),
    [
        ("normal", 30_000, 110),  # 100 x 1.1
        ("review", 30_000, 110),  # like normal until it is decided
        ("ratio", 30_000, 330),  # 100 x 1.1 x 3
        ("ratio_without_coefficient", 30_000, 300),  # 100 x 3
        ("excess", 30_000, 220),  # 100 x 1.1 x (3 - 2 + 1)
        ("excess_plus_coefficient", 30_000, 210),  # 100 x (3 - 2 + 1.1)
        ("actual_cost", 30_000, 3_000),  # 110 x 30,000 / 1,100
    ],
)
def test_each_formula_above_a_limit_of_two(points: str, cost: int, expected: int) -> None:
    bands = [{"upto": "2", "points": "normal"}, {"above": "2", "points": points}]
    got = scored([cost, 20_000], bands)
    assert got["points_e4"].to_list() == e4(expected, 110)


# Paid by actual cost at its own opening value a stay is worth its cost: 110 x 437 / 1,100 = 43.7 points x 10 yuan.
def test_actual_cost_pays_the_cost_at_the_opening_value() -> None:
    bands = [{"upto": "0.5", "upto_included": False, "points": "actual_cost"}, {"above": "0.5"}]
    bands[1] |= {"above_included": True, "points": "normal"}
    references = {"test_reference": "payment_standard", "factor_reference": "payment_standard"}
    got = scored([437, 549, 550, 1_100], bands, references=references)
    assert got["reference_fen"].to_list() == [110_000] * 4
    assert got["points_e4"].to_list() == e4(43.7, 54.9, 110, 110)


@pytest.mark.parametrize(
    ("included", "at_limit"),
    [(True, "b0"), (False, "b1")],
)
def test_a_limit_belongs_to_the_band_that_includes_it(included: bool, at_limit: str) -> None:
    bands = [
        {"upto": "0.4", "upto_included": included, "points": "normal"},
        {"above": "0.4", "above_included": not included, "points": "normal"},
    ]
    got = scored([3_999, 4_000, 4_001], bands)
    assert got["deviation"].to_list() == ["b0", at_limit, "b1"]


def test_a_limit_is_exact_where_a_division_is_not() -> None:
    # 1/3 of 30,000.00 is 10,000.00 and 0.3333 x 30,000.00 = 9,999.00: one fen apart decides.
    bands = [{"upto": "0.3333", "points": "ratio"}, {"above": "0.3333", "points": "normal"}]
    got = scored([9_999, 10_000], bands, mean_yuan=30_000, coefficient_e4=10_000)
    assert got["deviation"].to_list() == ["b0", "b1"]
    assert got["points_e4"].to_list() == e4(33.33, 100)


def test_the_first_band_includes_zero() -> None:
    got = scored([0], NATIONAL)
    assert got.select("deviation", "points_e4").row(0) == ("low", 0)


# Test by the level's mean (8,000), factor by the mean of all levels (10,000).
def test_test_and_factor_may_have_different_references() -> None:
    bands = [{"upto": "2", "points": "normal"}, {"above": "2", "points": "excess"}]
    references = {"test_reference": "same_level_mean", "factor_reference": "all_level_mean"}
    got = scored([16_000, 24_000], bands, references=references, level_mean_yuan=8_000)
    # 24,000 / 8,000 = 3 is above 2; q = 24,000 / 10,000 = 2.4; 110 x (2.4 - 2 + 1) = 154.
    assert got["reference_fen"].to_list() == [800_000, 800_000]
    assert got["points_e4"].to_list() == e4(110, 154)


def test_points_never_fall_below_zero() -> None:
    # r = 21,000 / 10,000 is above 2; q = 21,000 / 100,000 = 0.21; 0.21 - 2 + 1 and 0.21 - 2 + 1.1 are negative.
    references = {"test_reference": "same_level_mean", "factor_reference": "all_level_mean"}
    for formula in ("excess", "excess_plus_coefficient"):
        bands = [{"upto": "2", "points": "normal"}, {"above": "2", "points": formula}]
        got = scored([21_000], bands, references=references, mean_yuan=100_000, level_mean_yuan=10_000)
        assert got["points_e4"].to_list() == [0], formula


# 100 x 1.1 x 1,234 / 10,000 = 13.574.
@pytest.mark.parametrize(("decimals", "expected"), [(4, 13.574), (2, 13.57), (1, 13.6), (0, 14)])
def test_points_are_rounded_once_to_the_decimals_of_the_policy(decimals: int, expected: float) -> None:
    got = scored([1_234], NATIONAL, decimals=decimals)
    assert got["points_e4"].to_list() == e4(expected)


def test_a_half_goes_up() -> None:
    # One point x 5,000 / 100,000,000 = 0.00005, half of the last decimal; 4,999 is less than half.
    bands = [{"upto": "0.5", "points": "ratio"}, {"above": "0.5", "points": "normal"}]
    got = scored([5_000, 4_999], bands, points=1, coefficient_e4=10_000, mean_yuan=100_000_000)
    assert got["points_e4"].to_list() == [1, 0]


def test_large_amounts_do_not_overflow() -> None:
    # 10^6 points x 9.9999 x (10^7 / 10^4) fits, but S x h x cost in fen, 10^10 x 99,999 x 10^9, is beyond 64 bits.
    got = scored(
        [10_000_000], [{"points": "ratio"}], points=1_000_000, coefficient_e4=99_999, mean_yuan=10_000
    )
    assert got["points_e4"].to_list() == [1_000_000 * 99_999 * 1_000]
