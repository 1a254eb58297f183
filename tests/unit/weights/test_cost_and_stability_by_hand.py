"""Cost coefficients of a hospital in a group and stable groups, worked by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from worked import catalog, hospitals, policy, row

from fenzhi.policy.cases import Stability
from fenzhi.weights import Weights, weigh
from fenzhi.weights.stability import stable_groups

CATALOG = catalog(row("G0", "K35"), row("G1", "K36"), row("G2", "K37"))
PLACES = hospitals(("A", "3", "general", None), ("B", "3", "general", None), ("C", "2", "general", "1.2345"))


def measured(stays: list[tuple[int, int, str, int]], **sections: Any) -> Weights:
    """Weigh stays given as (group, year, hospital, cost in yuan)."""
    history = pl.DataFrame(
        [(group, year, code, cost * 100) for group, year, code, cost in stays],
        schema={"group_idx": pl.Int32, "year": pl.Int32, "fixmedins_code": pl.String, "cost_fen": pl.Int64},
        orient="row",
    )
    sections = {"weights": {"trim": {"method": "none"}}, **sections}
    return weigh(history, CATALOG, policy(**sections), PLACES)


def costs(found: Weights) -> dict[tuple[str, int], int]:
    table = found.costs.select("fixmedins_code", "group_idx", "coefficient_e4")
    return {(code, group): value for code, group, value in table.iter_rows()}


# --- cost coefficients ---

# G0, the two newest years: A 1,000, 2,000, B 4,000, X (gone) 1,000: region 8,000 / 4 = 2,000.
# A 3,000 / 2 = 1,500: 0.75; B 4,000: 2. The 9,000 of 2024 count nowhere. G1: only B, 500 / 500.
STAYS = [
    (0, 2024, "A", 9_000),
    (0, 2025, "A", 1_000),
    (0, 2026, "A", 2_000),
    (0, 2026, "B", 4_000),
    (0, 2025, "X", 1_000),
    (1, 2026, "B", 500),
    (-1, 2026, "B", 7_000),
]


def by_cost(**rules: Any) -> dict[tuple[str, int], int]:
    return costs(measured(STAYS, coefficients={"form": "cost", "min_cases": 1, **rules}))


def test_a_cost_coefficient_is_the_hospitals_mean_over_the_regions() -> None:
    assert by_cost() == {("A", 0): 7_500, ("B", 0): 20_000, ("B", 1): 10_000}


# Three years: A 12,000 / 3 = 4,000, region 17,000 / 5 = 3,400: 1.17647; B 4,000: the same.
# One year: A 2,000, B 4,000, region 3,000.
def test_the_years_that_count_are_the_newest_ones() -> None:
    assert by_cost(cost_years=3) == {("A", 0): 11_765, ("B", 0): 11_765, ("B", 1): 10_000}
    assert by_cost(cost_years=1) == {("A", 0): 6_667, ("B", 0): 13_333, ("B", 1): 10_000}


def test_few_stays_floor_cap_and_decimals() -> None:
    assert by_cost(min_cases=2) == {("A", 0): 7_500, ("B", 0): 10_000, ("B", 1): 10_000}
    assert by_cost(floor="0.8", cap="1.5") == {("A", 0): 8_000, ("B", 0): 15_000, ("B", 1): 10_000}
    assert by_cost(decimals=1) == {("A", 0): 8_000, ("B", 0): 20_000, ("B", 1): 10_000}


def test_stays_that_are_trimmed_count_neither_here_nor_there() -> None:
    # Costs 1, 10, 10, 10 and 1,000 yuan, mean 206.2: up to half of it, 103.1, is kept.
    stays = [(0, 2026, "A", cost) for cost in (1, 10, 1_000)] + [(0, 2026, "B", 10)] * 2
    trim = {"method": "factor", "low": "0", "high": "0.5", "min_cases": 1}
    found = measured(stays, weights={"trim": trim}, coefficients={"form": "cost", "min_cases": 1})
    # A (1 + 10) / 2 = 5.5, region 31 / 4 = 7.75: 0.70968; B 10 / 7.75 = 1.29032.
    assert costs(found) == {("A", 0): 7_097, ("B", 0): 12_903}


def test_hospitals_have_a_given_coefficient_or_none_and_there_are_no_classes() -> None:
    found = measured(STAYS, coefficients={"form": "cost"})
    rows = found.coefficients.select("fixmedins_code", "coefficient_e4", "coefficient_source").rows()
    assert rows == [("A", None, "cost"), ("B", None, "cost"), ("C", 12_345, "given")]
    assert found.classes.height == 0


def test_by_class_there_are_no_cost_coefficients() -> None:
    assert measured(STAYS).costs.height == 0


# --- stable groups ---

# G0: nine stays of 1,000 and one of 20,000: CV 1.9655. G1: 500 and 590: mean 545, SD 45, CV 0.0826. G2: none.
UNEVEN = (
    [(0, 2026, "A", 1_000)] * 9 + [(0, 2026, "A", 20_000)] + [(1, 2026, "A", cost) for cost in (500, 590)]
)


def stable(stays: list[tuple[int, int, str, int]] = UNEVEN, **rules: Any) -> list[bool | None]:
    return measured(stays, stability=rules).groups["stable"].to_list()


def test_without_the_section_nothing_is_said() -> None:
    assert measured(UNEVEN).groups["stable"].to_list() == [None] * 3


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, [True, True, False]),  # ten stays are enough, a CV of 0.08 is little
        ({"min_cases": 11}, [False, True, False]),
        ({"both": True}, [False, False, False]),
        ({"both": True, "cv_max": "1.97"}, [True, False, False]),
        ({"both": True, "cv_max": "1.96"}, [False, False, False]),
        ({"both": True, "min_cases": 2}, [False, True, False]),
        ({"min_cases": 10, "cv_max": "0.01"}, [True, False, False]),
    ],
)
def test_stable_by_spread_by_number_or_by_both(rules: dict[str, Any], expected: list[bool]) -> None:
    assert stable(**rules) == expected


def test_the_limit_belongs_to_the_stable_and_is_exact() -> None:
    # 1,000 and 3,000: mean 2,000, SD 1,000: a CV of exactly one half.
    half = [(0, 2026, "A", 1_000), (0, 2026, "A", 3_000)]
    assert stable(half, cv_max="0.5", min_cases=3)[0] is True
    assert stable(half, cv_max="0.4999999999999999999999", min_cases=3)[0] is False


def test_costs_that_add_up_to_nothing_are_no_sign_of_calm() -> None:
    kept = pl.DataFrame({"group_idx": [0, 0, 1, 1], "cost_fen": [0, 0, 5, 5]})
    rules = Stability(cv_max=1, min_cases=3)
    assert stable_groups(kept, pl.Series([2, 2]), rules).to_list() == [False, True]
