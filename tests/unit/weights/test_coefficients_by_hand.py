"""Institution coefficients: class means over the region's mean, floors, caps, given ones, classes without history."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from worked import catalog, hospitals, policy, row

from fenzhi.weights import Weights, weigh

CATALOG = catalog(row("G0", "K35"))
PLACES = (
    ("A", "3", "general", None),
    ("B", "3", "general", None),
    ("C", "2", "general", None),
    ("D", "2", "tcm", None),
)
# Year 2026 only. A 3,000, B 5,000: class 3|general 4,000; C 1,000; D no stay. M = 9,000 / 3 = 3,000.
STAYS = [("A", 2026, 3_000), ("B", 2026, 5_000), ("C", 2026, 1_000)]


def measured(
    stays: list[tuple[str, int, int]] = STAYS,
    places: tuple[tuple[str, str, str, str | None], ...] = PLACES,
    weights: dict[str, Any] | None = None,
    **rules: Any,
) -> Weights:
    frame = pl.DataFrame(
        [(0, year, code, cost * 100) for code, year, cost in stays],
        schema={"group_idx": pl.Int32, "year": pl.Int32, "fixmedins_code": pl.String, "cost_fen": pl.Int64},
        orient="row",
    )
    sections = policy(coefficients=rules, weights={"trim": {"method": "none"}, **(weights or {})})
    return weigh(frame, CATALOG, sections, hospitals(*places))


def coefficients(found: Weights) -> dict[str, tuple[int, str]]:
    columns = found.coefficients.select("fixmedins_code", "coefficient_e4", "coefficient_source")
    return {code: (value, source) for code, value, source in columns.iter_rows()}


# 4,000 / 3,000 = 1.3333; 1,000 / 3,000 = 0.3333; D's class has no history.
def test_a_class_is_level_and_type() -> None:
    found = measured()
    assert coefficients(found) == {
        "A": (13_333, "class"),
        "B": (13_333, "class"),
        "C": (3_333, "class"),
        "D": (10_000, "none"),
    }
    assert found.classes.rows() == [
        ("2|general", 1, 100_000, 3_333, "class"),
        ("2|tcm", 0, None, 10_000, "none"),
        ("3|general", 2, 400_000, 13_333, "class"),
    ]


@pytest.mark.parametrize(
    ("by", "values"),
    [
        (["level"], {"A": 13_333, "B": 13_333, "C": 3_333, "D": 3_333}),
        # general: all stays, so exactly the mean; tcm: none.
        (["type"], {"A": 10_000, "B": 10_000, "C": 10_000, "D": 10_000}),
        ([], {"A": 10_000, "B": 10_000, "C": 10_000, "D": 10_000}),
    ],
)
def test_a_class_may_be_one_column_or_none(by: list[str], values: dict[str, int]) -> None:
    found = coefficients(measured(by=by))
    assert {code: value for code, (value, _) in found.items()} == values


def test_floor_and_cap() -> None:
    found = coefficients(measured(floor="0.5", cap="1.25"))
    assert [value for value, _ in found.values()] == [12_500, 12_500, 5_000, 10_000]


def test_decimals() -> None:
    found = coefficients(measured(decimals=1))
    assert [value for value, _ in found.values()] == [13_000, 13_000, 3_000, 10_000]


def test_a_given_coefficient_replaces_the_classes_one_and_is_not_bounded() -> None:
    places = (PLACES[0], ("B", "3", "general", "1.5"), PLACES[2], ("D", "2", "tcm", "0.85"))
    found = coefficients(measured(places=places, cap="1.2", floor="0.9"))
    assert found == {
        "A": (12_000, "class"),
        "B": (15_000, "given"),
        "C": (9_000, "class"),
        "D": (8_500, "given"),
    }


# Class 2|general: 2025 1,000, 2026 2,000 -> (2 x 1,000 + 7 x 2,000) / 9 = 1,777.78; 3|general: 2026 4,000.
# Region: 2025 1,000; 2026 (2,000 + 4,000) / 2 = 3,000 -> (2 x 1,000 + 7 x 3,000) / 9 = 2,555.56.
def test_classes_are_weighted_over_their_years() -> None:
    found = measured([("C", 2025, 1_000), ("C", 2026, 2_000), ("A", 2026, 4_000)])
    values = coefficients(found)
    assert found.mean_fen == 255_556
    # 16,000 / 23,000 = 0.69565; 4,000 x 9 / 23,000 = 1.56522.
    assert (values["C"][0], values["A"][0]) == (6_957, 15_652)


# Pooled by cases: region (2 x 1,000 + 7 x 6,000) / (2 + 14) = 2,750; class 2: (2,000 + 14,000) / (2 + 7) = 1,777.78.
def test_classes_pool_as_the_weights_do() -> None:
    rules = {"pooling": "cases"}
    values = coefficients(
        measured([("C", 2025, 1_000), ("C", 2026, 2_000), ("A", 2026, 4_000)], weights=rules)
    )
    assert values["C"][0] == 6_465
    assert values["A"][0] == 14_545


def test_stays_of_hospitals_that_are_gone_count_in_the_region_only() -> None:
    # X is no longer listed: M = (9,000 + 3,000) / 4 = 3,000, the classes stay as they are.
    assert coefficients(measured([*STAYS, ("X", 2026, 3_000)])) == coefficients(measured())


def test_a_hospital_without_level_makes_a_class_of_its_own() -> None:
    frame = hospitals(("A", "3", "general", None), ("E", "", "general", None)).with_columns(
        pl.when(pl.col("level") != "").then("level").alias("level")
    )
    history = pl.DataFrame(
        {"group_idx": [0, 0], "year": [2026, 2026], "fixmedins_code": ["A", "E"], "cost_fen": [300, 100]},
        schema_overrides={"group_idx": pl.Int32, "year": pl.Int32},
    )
    found = weigh(history, CATALOG, policy(), frame)
    assert coefficients(found) == {"A": (15_000, "class"), "E": (5_000, "class")}
