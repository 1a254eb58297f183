"""Trimming, means over years, RW, CV and last year's means, each worked by hand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import catalog, hospitals, policy, row

from fenzhi.errors import CatalogError, PolicyError, RegionError
from fenzhi.policy.models import Trim
from fenzhi.policy.models import Weights as WeightsPolicy
from fenzhi.weights import Weights, weigh
from fenzhi.weights.measure import coefficients_of_variation, trim_bounds
from fenzhi.weights.years import weighted_mean, year_weights
from twins.profile import examples

CATALOG = catalog(row("G0", "K35"), row("G1", "K36"), row("G2", "K37"))
HOSPITALS = hospitals(("H1", "3", "general", None), ("H2", "1", "general", None))
KEEP_ALL = {"method": "none"}


def stays(*rows: tuple[int, int, int], hospital: str = "H1") -> pl.DataFrame:
    """History as (group index, year, cost in yuan) at one hospital."""
    fen = [(group, year, hospital, cost * 100) for group, year, cost in rows]
    schema = {"group_idx": pl.Int32, "year": pl.Int32, "fixmedins_code": pl.String, "cost_fen": pl.Int64}
    return pl.DataFrame(fen, schema=schema, orient="row")


def measure(history: pl.DataFrame, **rules: Any) -> Weights:
    """Weigh under a weights section without trimming, unless ``rules`` say otherwise."""
    return weigh(history, CATALOG, policy(weights={"trim": KEEP_ALL, **rules}), HOSPITALS)


def group(history: pl.DataFrame, number: int = 0, **rules: Any) -> dict[str, Any]:
    return measure(history, **rules).groups.row(number, named=True)


def bounds(costs: Sequence[int], **trim: Any) -> tuple[int, int, int]:
    """Return n and the kept bounds of one group; costs and bounds in fen."""
    frame = pl.DataFrame({"group_idx": pl.Series([0] * len(costs), dtype=pl.Int32), "cost_fen": costs})
    rules = Trim.model_validate(trim)
    return trim_bounds(frame, rules).select("n", "low_fen", "high_fen").row(0)


# --- trimming ---


# 25 costs 1,000, 2,000 ... 25,000. Position 0.025 x 24 = 0.6: 1,000 + 0.6 x 1,000 = 1,600. Position 23.4: 24,400.
def test_percentiles_are_interpolated_in_a_group_of_25() -> None:
    costs = list(range(25_000, 0, -1_000))
    assert bounds(costs) == (25, 1_600, 24_400)
    frame = stays(*[(0, 2026, cost) for cost in costs])
    found = group(frame, trim={"method": "percentile"})
    assert (found["history_cases"], found["trimmed_cases"]) == (25, 2)
    assert (found["low_fen"], found["high_fen"]) == (160_000, 2_440_000)
    assert found["mean_cost_fen"] == 1_300_000


def test_the_tail_that_is_cut_changes_the_mean() -> None:
    # 24 x 1,000 and once 100,000: position 23.4 lies between 1,000 and 100,000: 1,000 + 0.4 x 99,000 = 40,600.
    costs = [1_000] * 24 + [100_000]
    assert bounds(costs) == (25, 1_000, 40_600)
    found = group(stays(*[(0, 2026, cost) for cost in costs]), trim={"method": "percentile"})
    assert (found["mean_cost_fen"], found["trimmed_cases"], found["cv"]) == (100_000, 1, 0.0)


def test_a_group_of_24_is_not_trimmed() -> None:
    costs = [1_000] * 23 + [100_000]
    assert bounds(costs) == (24, 1_000, 100_000)
    found = group(stays(*[(0, 2026, cost) for cost in costs]), trim={"method": "percentile"})
    # (23 x 1,000 + 100,000) / 24 = 5,125.
    assert (found["mean_cost_fen"], found["trimmed_cases"]) == (512_500, 0)


def test_years_are_trimmed_together() -> None:
    # 12 + 13 stays make 25; each year alone would be too small.
    rows = [(0, 2025, 1_000)] * 12 + [(0, 2026, 1_000)] * 12 + [(0, 2026, 100_000)]
    assert group(stays(*rows), trim={"method": "percentile"})["trimmed_cases"] == 1


def test_a_bound_that_is_a_cost_stays_in() -> None:
    # Quartiles of 5 costs are at positions 1 and 3 exactly.
    assert bounds([1, 2, 3, 4, 9], method="percentile", low="0.25", high="0.75", min_cases=5) == (5, 2, 4)


def test_a_bound_between_two_fen_keeps_what_lies_inside() -> None:
    # Position 0.6 between 100 and 101 is 100.6, so 101 is the smallest cost inside; 23.4 between 110 and 111 is 110.4.
    assert bounds([100, *[101] * 10, *[110] * 13, 111]) == (25, 101, 110)


@examples(80)
@given(
    costs=st.lists(st.integers(1, 10**6), min_size=1, max_size=80),
    low=st.integers(0, 499),
    high=st.integers(501, 1000),
)
def test_percentiles_agree_with_numpy(costs: list[int], low: int, high: int) -> None:
    trim = {"low": Decimal(low) / 1000, "high": Decimal(high) / 1000, "min_cases": 1}
    _, first, last = bounds(costs, **trim)
    exact = np.quantile(np.array(costs, dtype=np.float64), [low / 1000, high / 1000])
    assert first - 1 - 1e-6 < exact[0] <= first + 1e-6
    assert last - 1e-6 <= exact[1] < last + 1 + 1e-6


# 9 x 1,000 and 20,000: mean 2,900; squares 9 x 1,900^2 + 17,100^2 = 324,900,000; SD = root of a tenth = 5,700.
@pytest.mark.parametrize(
    ("k", "low", "high"),
    [("3", -14_200, 20_000), ("2.9999", -14_199, 19_999), ("1", -2_800, 8_600), ("0.3333", 1_001, 4_799)],
)
def test_mean_and_standard_deviations_include_their_bounds(k: str, low: int, high: int) -> None:
    assert bounds([1_000] * 9 + [20_000], method="mean_sd", k=k, min_cases=10) == (10, low, high)


def test_mean_sd_in_a_group() -> None:
    history = stays(*[(0, 2026, 1_000)] * 9, (0, 2026, 20_000))
    kept = group(history, trim={"method": "mean_sd", "k": 3, "min_cases": 2})
    assert (kept["trimmed_cases"], kept["mean_cost_fen"]) == (0, 290_000)
    cut = group(history, trim={"method": "mean_sd", "k": 2, "min_cases": 2})
    assert (cut["trimmed_cases"], cut["mean_cost_fen"]) == (1, 100_000)


def test_equal_costs_have_no_deviation_and_stay() -> None:
    assert bounds([777] * 5, method="mean_sd", k="0.1", min_cases=1) == (5, 777, 777)


# 500, 1,000, 1,500, 5,000: mean 2,000.
@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [("0.25", "2.5", (500, 5_000)), ("0.2501", "2.4999", (501, 4_999)), ("0.3333", "1", (667, 2_000))],
)
def test_a_factor_of_the_mean(low: str, high: str, expected: tuple[int, int]) -> None:
    costs = [500, 1_000, 1_500, 5_000]
    assert bounds(costs, method="factor", low=low, high=high, min_cases=4) == (4, *expected)
    # One stay too few: nothing is cut.
    assert bounds(costs, method="factor", low=low, high=high, min_cases=5) == (4, 500, 5_000)


def test_a_group_that_is_cut_empty_has_no_weight() -> None:
    # Mean 10,500: a factor of 0.9 to 1.1 keeps neither 1,000 nor 20,000.
    history = stays((0, 2026, 1_000), (0, 2026, 20_000), (1, 2026, 500))
    found = group(history, trim={"method": "factor", "low": "0.9", "high": "1.1", "min_cases": 2})
    assert (found["history_cases"], found["mean_cost_fen"], found["rw_e4"]) == (2, None, None)


# --- means over years ---


# (1 x 9,000 + 2 x 10,000 + 7 x 11,000) / 10 = 10,600.
def test_the_printed_mean_of_three_years() -> None:
    history = stays((0, 2024, 9_000), (0, 2025, 10_000), (0, 2026, 11_000))
    assert group(history)["mean_cost_fen"] == 1_060_000
    assert measure(history).mean_fen == 1_060_000


# 5,364,931,772.57 / 674,366 = 7,955.52...: all stays but one cost 7,955.52, one bears the rest.
def test_the_printed_mean_of_a_whole_city() -> None:
    n, total, usual = 674_366, 536_493_177_257, 795_552
    costs = pl.repeat(usual, n - 1, dtype=pl.Int64, eager=True).append(pl.Series([total - usual * (n - 1)]))
    history = pl.DataFrame({"cost_fen": costs}).with_columns(
        group_idx=pl.lit(-1, pl.Int32), year=pl.lit(2026, pl.Int32), fixmedins_code=pl.lit("H1")
    )
    assert history["cost_fen"].sum() == total
    assert measure(history).mean_fen == 795_552


# The group has no stay in 2025: (1 x 9,000 + 7 x 11,000) / 8 = 10,750.
def test_a_missing_year_gives_its_weight_to_the_others() -> None:
    history = stays((0, 2024, 9_000), (0, 2026, 11_000), (1, 2025, 5_000))
    assert group(history)["mean_cost_fen"] == 1_075_000
    assert group(history, pooling="cases")["mean_cost_fen"] == 1_075_000
    assert group(history, 1)["mean_cost_fen"] == 500_000


# 2024: 3 stays of 1,000; 2026: one of 2,000. Means: (1 x 1,000 + 7 x 2,000) / 8 = 1,875.
# Cases: (1 x 3,000 + 7 x 2,000) / (1 x 3 + 7 x 1) = 1,700.
@pytest.mark.parametrize(("pooling", "fen"), [("yearly_means", 187_500), ("cases", 170_000)])
def test_pooling(pooling: str, fen: int) -> None:
    history = stays(*[(0, 2024, 1_000)] * 3, (0, 2026, 2_000), (-1, 2025, 1))
    assert group(history, pooling=pooling)["mean_cost_fen"] == fen


def test_year_weights_are_aligned_to_the_newest() -> None:
    rules = WeightsPolicy()
    assert year_weights(rules, [2024, 2025, 2026]) == {2024: 1, 2025: 2, 2026: 7}
    assert year_weights(rules, [2026, 2025]) == {2025: 2, 2026: 7}
    assert year_weights(rules, [2026]) == {2026: 7}
    # A gap between the years does not shift them.
    assert year_weights(rules, [2022, 2026]) == {2022: 2, 2026: 7}


def test_more_years_than_weights_are_an_error() -> None:
    history = stays(*[(0, year, 100) for year in (2023, 2024, 2025, 2026)])
    with pytest.raises(PolicyError, match=r"4 years \(2023, 2024, 2025, 2026\).*weights for 3") as caught:
        measure(history)
    assert (caught.value.code, caught.value.field) == ("POLICY_YEAR_WEIGHTS", "weights.year_weights")
    assert measure(history, year_weights=[1, 1, 1, 1]).years == (2023, 2024, 2025, 2026)


def test_no_stays_no_mean() -> None:
    assert weighted_mean({}, {}, "cases") is None
    assert weighted_mean({2026: (0, 0)}, {2026: 7}, "yearly_means") is None
    assert weighted_mean({2025: (0, 0), 2026: (10, 4)}, {2025: 2, 2026: 7}, "yearly_means") == Fraction(5, 2)


# --- weights ---

# G0: 3,000 and 5,000, mean 4,000; G1: 1,000; without group: 3,000. M = 12,000 / 4 = 3,000.
SMALL = stays((0, 2026, 3_000), (0, 2026, 5_000), (1, 2026, 1_000), (-1, 2026, 3_000))


def test_a_weight_is_the_groups_mean_over_the_mean_of_all() -> None:
    found = measure(SMALL)
    assert found.mean_fen == 300_000
    # 4/3 and 1/3 x 1,000; the third group has no history.
    assert found.groups["rw_e4"].to_list() == [13_333_333, 3_333_333, None]
    assert found.groups["mean_cost_fen"].to_list() == [400_000, 100_000, None]
    assert found.groups["history_cases"].to_list() == [2, 1, 0]
    assert found.groups["trimmed_cases"].to_list() == [0, 0, 0]


def test_scale_and_decimals() -> None:
    assert measure(SMALL, scale=100, decimals=2).groups["rw_e4"].to_list() == [1_333_300, 333_300, None]
    # 2 x 4/3 = 2.67 and 2 x 1/3 = 0.67 as whole numbers.
    assert measure(SMALL, scale=2, decimals=0).groups["rw_e4"].to_list() == [30_000, 10_000, None]


def test_the_mean_of_all_is_not_trimmed() -> None:
    # 24 x 1,000 and 100,000: the group's mean is 1,000, that of all 124,000 / 25 = 4,960; RW = 201.6129.
    history = stays(*[(0, 2026, 1_000)] * 24, (0, 2026, 100_000))
    found = measure(history, trim={"method": "percentile"})
    assert found.mean_fen == 496_000
    assert found.groups["rw_e4"][0] == 2_016_129


def test_a_benchmark_group_has_the_scale_as_its_weight() -> None:
    found = measure(SMALL, method="benchmark", benchmark_group="G1")
    assert found.groups["rw_e4"].to_list() == [40_000_000, 10_000_000, None]


def test_a_standard_amount() -> None:
    # 4,000 / 800 x 1 and 1,000 / 800 x 1.
    found = measure(SMALL, method="standard_amount", standard_yuan="800", scale=1)
    assert found.groups["rw_e4"].to_list() == [50_000, 12_500, None]


@pytest.mark.parametrize(
    ("name", "message"),
    [("G2", "the benchmark group has no stays"), ("G9", "the benchmark group does not exist")],
)
def test_a_benchmark_that_is_not_there_is_an_error(name: str, message: str) -> None:
    with pytest.raises(CatalogError, match=message) as caught:
        measure(SMALL, method="benchmark", benchmark_group=name)
    error = caught.value
    assert (error.code, error.field, error.value) == ("WEIGHT_BENCHMARK", "weights.benchmark_group", name)


def test_a_weight_of_zero_is_an_error() -> None:
    # 1 of 3,000 x scale 1 is 0.0003; with no decimals it is nothing.
    history = stays((0, 2026, 6_000), (1, 2026, 1))
    with pytest.raises(CatalogError, match="weight of zero") as caught:
        measure(history, scale=1, decimals=0)
    assert (caught.value.code, caught.value.value) == ("WEIGHT_ZERO", "G1")
    assert "decimals" in (caught.value.remedy or "")
    assert measure(history, scale=1).groups["rw_e4"][1] == 3


def test_an_empty_history_is_an_error() -> None:
    for history in (stays(), stays((0, 2026, 0), (-1, 2025, 0))):
        with pytest.raises(RegionError) as caught:
            measure(history)
        assert caught.value.code == "HISTORY_EMPTY"


@examples(80)
@given(
    rows=st.lists(st.tuples(st.integers(0, 1), st.integers(2024, 2026), st.integers(1, 10**6)), min_size=1)
)
def test_weights_times_stays_give_the_scale_back(rows: list[tuple[int, int, int]]) -> None:
    # Untrimmed, every stay in a group and one year: sum(RW x stays) = scale x stays, up to the rounding of each RW.
    history = stays(*[(number, 2026, cost) for number, _, cost in rows])
    found = measure(history, scale=1_000_000).groups
    total = sum((w or 0) * n for w, n in found.select("rw_e4", "history_cases").iter_rows())
    assert abs(total - 1_000_000 * 10_000 * len(rows)) <= len(rows)


# --- variation, last year's means ---


@pytest.mark.parametrize(
    ("costs", "cv"),
    [
        # mean 2,900, SD 5,700
        ([1_000] * 9 + [20_000], 1.9655),
        # mean 5,450, SD = 100 x root of (10^2 - 1) / 12 = 287.23
        (list(range(5_000, 6_000, 100)), 0.0527),
        ([300], 0.0),
    ],
)
def test_the_printed_coefficients_of_variation(costs: list[int], cv: float) -> None:
    found = group(stays(*[(0, 2026, cost) for cost in costs]))
    assert round(found["cv"], 4) == cv


def test_a_group_of_zero_cost_has_no_variation() -> None:
    frame = pl.DataFrame({"group_idx": [0, 0], "cost_fen": [0, 0]})
    assert coefficients_of_variation(frame)["cv"].to_list() == [None]


def test_large_costs_do_not_lose_their_variation() -> None:
    # 10^12 fen and one fen more: SD 0.5, mean 10^12 + 0.5; floats of sums of squares would say 0.
    frame = pl.DataFrame({"group_idx": [0, 0], "cost_fen": [10**12, 10**12 + 1]})
    assert coefficients_of_variation(frame)["cv"][0] == pytest.approx(5e-13, rel=1e-9)


def test_last_years_means_per_level_and_over_all() -> None:
    history = pl.concat(
        [
            stays((0, 2025, 100), (0, 2026, 1_000), (0, 2026, 1_001), (1, 2025, 400)),
            stays((0, 2026, 401), hospital="H2"),
        ]
    )
    found = measure(history)
    # 2,001 / 2 = 1,000.50 at level 3, 401 at level 1; all: 2,402 / 3 = 800.6667.
    assert found.level_means.select("group_idx", "level", "cases", "mean_fen").rows() == [
        (0, "1", 1, 40_100),
        (0, "3", 2, 100_050),
    ]
    # G1 has no stay in the newest year: its mean over the years stands in.
    assert found.groups["last_mean_fen"].to_list() == [80_067, 40_000, None]
