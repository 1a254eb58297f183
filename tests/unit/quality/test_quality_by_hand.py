"""Spread, stability, contradictions, coding and coverage, each worked by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from worked import catalog, policy, row

from fenzhi.catalogs import DrgCatalog
from fenzhi.policy.auxiliary import AuxiliaryFamily
from fenzhi.quality import (
    Gains,
    code_counts,
    contradictions,
    cost_spread,
    coverage_curve,
    group_measures,
    mapping_gains,
    measures,
    missing_codes,
    stability,
    unspecific_codes,
    yearly_weights,
)
from fenzhi.quality.coding import added_up
from fenzhi.quality.severity import ordered_levels


def history(*rows: tuple[int, int, int]) -> pl.DataFrame:
    """Stays as (group, year, cost in yuan)."""
    schema = {"group_idx": pl.Int32, "year": pl.Int32, "cost_fen": pl.Int64}
    return pl.DataFrame([(g, y, c * 100) for g, y, c in rows], schema=schema, orient="row")


def weighed(*rows: tuple[int, int | None]) -> pl.DataFrame:
    """Weights as (stays, weight at 1/10,000)."""
    schema = {"history_cases": pl.Int64, "rw_e4": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("group_idx")
    )


# --- coverage ---


def test_the_coverage_curve() -> None:
    # Combinations of 5, 5, 3 and 1 stays, 14 together: from 5 on two with 10, from 3 on three with 13, from 1 on all.
    found = coverage_curve(pl.Series([5, 3, 5, 1]))
    # 10 / 14 = 0.714286, 13 / 14 = 0.928571.
    assert found.rows() == [(1, 4, 14, 10_000), (3, 3, 13, 9_286), (5, 2, 10, 7_143)]


# --- groups ---

GROUPS = catalog(
    row("G0", "K35"), row("G1", "K36"), row("G2", "K37", "medical", layer="comprehensive"), row("G3", "K38")
).groups


def measured(stays: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    counts = dict(stays.group_by("group_idx").len().iter_rows())
    cv = {0: 0.25, 1: 2.0, 2: 0.75}
    table = pl.DataFrame(
        {
            "group_idx": pl.Series(range(4), dtype=pl.Int32),
            "history_cases": [counts.get(at, 0) for at in range(4)],
            "cv": [cv.get(at) for at in range(4)],
            "low_fen": [0] * 4,
            "high_fen": [10**9] * 4,
        }
    )
    return group_measures(stays, kept, GROUPS, table)


def test_figures_of_groups() -> None:
    # G0: 20 stays of 1,000 and 20 of 3,000; G1: 2 stays; G2 comprehensive: 4; G3 none; one stay without group.
    rows = [(0, 2026, 1_000)] * 20 + [(0, 2026, 3_000)] * 20 + [(1, 2026, 10), (1, 2026, 10)]
    stays = history(*rows, *[(2, 2026, 500)] * 4, (-1, 2026, 7))
    # Trimming is said to have left, of G1, costs of 0, 0, 0 and 100: mean 25, SD 43.3, CV 1.73.
    kept = history(*[(0, 2026, 1_000)] * 20, (1, 2026, 0), (1, 2026, 0), (1, 2026, 0), (1, 2026, 100))
    found = measured(stays, kept)
    # 1,000 and 3,000 in equal parts: SD 1,000, mean 2,000.
    assert found["cv_before"].to_list() == [0.5, 0.0, 0.0, None]
    assert found["scattered"].to_list() == [False, True, None, None]
    assert found["small"].to_list() == [False, True, True, True]
    figures = measures(found, stays.height)
    assert (figures["groups"], figures["groups_used"], figures["history_stays"]) == (4, 3, 47)
    assert (figures["stays_grouped"], figures["stays_core"]) == (46, 42)
    assert (figures["grouping_rate"], figures["share_core"]) == (46 / 47, 42 / 47)
    # CV 0.25, 2 and 0.75: mean 1, weighted by 40, 2 and 4 stays 17 / 46.
    assert figures["cv_mean"] == pytest.approx(1)
    assert figures["cv_mean_by_stays"] == pytest.approx((0.25 * 40 + 2 * 2 + 0.75 * 4) / 46)
    assert (figures["groups_even"], figures["groups_scattered"]) == (1, 1)
    assert figures["share_scattered"] == pytest.approx(1 / 3)
    assert (figures["groups_small"], figures["stays_small"]) == (2, 6)


def test_a_coefficient_of_variation_of_exactly_one_is_not_scattered() -> None:
    # 0 and 200: mean 100, SD 100.
    stays = history((0, 2026, 0), (0, 2026, 200))
    assert measured(stays, stays)["scattered"][0] is False


def test_costs_that_are_shown() -> None:
    stays = history(*[(0, 2026, cost) for cost in range(100, 2_101, 100)], (1, 2026, 5))
    found = cost_spread(stays, measured(stays, stays), {"largest": 3, "scattered": 3})
    # 21 costs, 100 to 2,100: the median is the eleventh, a quarter the sixth. G1 has too few stays to be shown.
    columns = ["why", "group_id", "min_fen", "p25_fen", "p50_fen", "p75_fen", "max_fen"]
    assert found.select(columns).rows() == [
        (why, "G0", 10_000, 60_000, 110_000, 160_000, 210_000) for why in ("largest", "scattered")
    ]


# --- years ---


def test_weights_of_single_years_and_their_change() -> None:
    rules = policy().weights
    # 2025: ten stays of 1,000 in G0, ten of 3,000 in G1: mean of all 2,000, weights 500 and 1,500.
    # 2026: ten of 1,500 and ten of 2,500: mean 2,000 again, weights 750 and 1,250. Changes + 50 % and - 16.67 %.
    rows = [(0, 2025, 1_000), (1, 2025, 3_000), (0, 2026, 1_500), (1, 2026, 2_500)]
    stays = history(*[one for one in rows for _ in range(10)], (3, 2024, 5))
    found = yearly_weights(stays, stays.filter(pl.col("group_idx") < 3), GROUPS, rules)
    assert found.select("group_id", "year", "rw_e4", "change_e4", "tested", "stable").rows() == [
        ("G0", 2025, 5_000_000, None, False, None),
        ("G0", 2026, 7_500_000, 5_000, True, False),
        ("G1", 2025, 15_000_000, None, False, None),
        ("G1", 2026, 12_500_000, -1_667, True, True),
    ]
    figures = stability(found)
    assert (figures["weights_tested"], figures["weights_stable"], figures["share_stable"]) == (2, 1, 0.5)
    # The middle of 0.5 and 0.1667.
    assert figures["change_median"] == pytest.approx((0.5 + 0.1667) / 2)


@pytest.mark.parametrize(("cost", "stable"), [(1_200, True), (1_201, False), (800, True), (799, False)])
def test_a_fifth_more_or_less_is_still_stable(cost: int, stable: bool) -> None:
    # G1 keeps the mean of all at 1,000 in both years.
    rows = [(0, 2025, 1_000), (1, 2025, 1_000), (0, 2026, cost), (1, 2026, 2_000 - cost)]
    stays = history(*[one for one in rows for _ in range(10)])
    found = yearly_weights(stays, stays, GROUPS, policy().weights)
    assert found.filter(group_id="G0", year=2026)["stable"].to_list() == [stable]


def test_nine_stays_are_too_few_to_test() -> None:
    stays = history(*[(0, 2025, 1_000)] * 9, *[(0, 2026, 1_000)] * 10)
    assert yearly_weights(stays, stays, GROUPS, policy().weights)["tested"].to_list() == [False, False]
    assert stability(yearly_weights(stays, stays, GROUPS, policy().weights))["share_stable"] is None


# --- severity ---

APP, ADH, SCOPE = "47.0100", "54.5100", "45.2300"
CATALOG = catalog(
    row("plain", "K35.8", "operation", main_oprn=APP),
    row("related", "K35.8", "operation", main_oprn=APP, related_oprn=ADH),
    row("look", "K35.8", "operation", main_oprn=SCOPE),
    row("rest", "K35.8", "conservative"),
    row("other", "K35.9", "conservative"),
    row("C-medical", "K35", "medical", layer="comprehensive"),
    row("C-therapeutic", "K35", "therapeutic", layer="comprehensive"),
    row("C-surgery", "K35", "surgery", layer="comprehensive"),
    operations={APP: "surgery", ADH: "surgery", SCOPE: "diagnostic"},
)


def test_what_is_tested_in_a_dip_catalogue() -> None:
    weights = weighed(*[(10, 5_000_000)] * 8)
    pairs, looked = contradictions(CATALOG, weights)
    # Equal weights contradict nothing. An endoscopy may be cheaper than a week of treatment: it is not tested.
    assert pairs.is_empty()
    assert looked == {
        "complication": 0,
        "related_operation": 1,
        "operation": 1,
        "comprehensive_kind": 2,
        "auxiliary_level": 0,
    }


def test_what_contradicts_severity() -> None:
    weights = weighed(
        (30, 8_000_000),
        (20, 7_000_000),
        (9, 1_000_000),
        (40, 10_000_000),
        (5, 1),
        (8, 3_000_000),
        (2, None),
        (6, 2_400_000),
    )
    pairs, looked = contradictions(CATALOG, weights)
    columns = ["test", "group_id", "cases", "other_id", "other_cases", "gap_e4"]
    # 8 / 7 - 1 = 0.142857; 10 / 8 - 1 = 0.25; without a weight of the therapeutic group surgery stands above medical.
    assert pairs.select(columns).rows() == [
        ("related_operation", "related", 20, "plain", 30, 1_429),
        ("operation", "plain", 30, "rest", 40, 2_500),
        ("comprehensive_kind", "C-surgery", 6, "C-medical", 8, 2_500),
    ]
    assert looked["comprehensive_kind"] == 1


def test_complications_of_a_drg_catalogue() -> None:
    groups = pl.DataFrame(
        {
            "group_id": ["GD21", "GD23", "GD25", "GE19"],
            "name": ["a", "b", "c", "d"],
            "adrg": ["GD2", "GD2", "GD2", "GE1"],
        }
    )
    drg = object.__new__(DrgCatalog)
    object.__setattr__(drg, "groups", groups)
    pairs, looked = contradictions(drg, weighed((5, 900), (6, 1_000), (7, 800), (8, 100)))
    assert looked["complication"] == 2
    # With MCC 900, with CC 1,000: 1,000 / 900 - 1 = 0.1111.
    assert pairs.select("group_id", "other_id", "gap_e4").rows() == [("GD21", "GD23", 1_111)]


FAMILIES: list[tuple[list[dict[str, Any]], list[str]]] = [
    # Death ends costs; of lists the first that fits is the gravest.
    (
        [
            {"name": "dead", "ways": [5]},
            {"name": "severe", "lists": ["S"]},
            {"name": "mild", "lists": ["M"]},
        ],
        ["other", "mild", "severe"],
    ),
    # Bands go by their lower limit.
    (
        [{"name": "high", "cci_from": 5}, {"name": "low", "cci_from": 1, "cci_upto": 2}],
        ["other", "low", "high"],
    ),
    (
        [{"name": "days2", "icu_days_from": 2, "icu_days_upto": 7}, {"name": "days8", "icu_days_from": 8}],
        ["other", "days2", "days8"],
    ),
    # Ages are no degrees.
    ([{"name": "old", "age_from": 80}], []),
]


@pytest.mark.parametrize(("levels", "order"), FAMILIES)
def test_which_levels_are_degrees(levels: list[dict[str, Any]], order: list[str]) -> None:
    assert ordered_levels(AuxiliaryFamily.model_validate({"name": "f", "levels": levels})) == order


def test_auxiliary_levels_that_contradict() -> None:
    rules = policy(
        auxiliary={
            "comorbidity": "c",
            "families": [
                {
                    "name": "f",
                    "levels": [{"name": "severe", "lists": ["S"]}, {"name": "mild", "lists": ["M"]}],
                }
            ],
        }
    ).auxiliary
    assert rules is not None
    table = pl.DataFrame(
        {
            "group_idx": [0, 0, 0, 1],
            "family": ["f"] * 4,
            "level": ["severe", "mild", "other", "severe"],
            "cases": [6, 8, 40, 9],
            "coefficient_e4": [12_000, 15_000, 9_000, 5_000],
            "status": ["chosen", "chosen", "chosen", "other_family"],
        }
    )
    pairs, looked = contradictions(CATALOG, weighed(*[(10, 5_000_000)] * 8), (table, rules))
    assert looked["auxiliary_level"] == 2
    columns = ["group_id", "level", "value_e4", "other_level", "other_value_e4", "gap_e4"]
    assert pairs.select(columns).rows() == [("plain", "f/severe", 12_000, "f/mild", 15_000, 2_500)]


# --- coding ---


def stays(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """Stays as (hospital, diagnoses, operations), codes joined by ``|``."""
    return pl.DataFrame(
        {
            "fixmedins_code": [hospital for hospital, _, _ in rows],
            "diag_codes": [diagnoses.split("|") for _, diagnoses, _ in rows],
            "oprn_codes": [operations.split("|") if operations else [] for _, _, operations in rows],
        },
        schema={
            "fixmedins_code": pl.String,
            "diag_codes": pl.List(pl.String),
            "oprn_codes": pl.List(pl.String),
        },
    )


CODED = [
    ("A", "K35.900|I10.x00", APP),
    ("A", "I10.x00x002", ""),
    ("A", "I10.x00", f"{APP}x001|99.9900"),
    ("B", "R50.900", ""),
    ("B", "A33.x00", ""),
    ("B", "K35.800", APP),
]


def test_unspecific_principal_diagnoses() -> None:
    by_code, by_hospital = unspecific_codes(code_counts(stays(*CODED)))
    # R50.9 is a symptom first; A33 has no finer code in the history, I10 has.
    assert by_code.rows() == [
        ("I10.x00", "residual", 1, 1),
        ("K35.900", "unspecified", 1, 1),
        ("R50.900", "symptom", 1, 1),
    ]
    assert by_hospital.rows() == [("A", 3, 2, 2 / 3), ("B", 3, 1, 1 / 3)]


def test_codes_that_the_version_does_not_have() -> None:
    counts = code_counts(stays(*CODED))
    known = {"diagnosis": frozenset({"K35.900", "K35.800", "A33.x00"}), "operation": frozenset({APP})}
    # An extension of a known operation is known.
    assert missing_codes(counts, known).rows() == [
        ("diagnosis", "I10.x00", 2, 1),
        ("diagnosis", "I10.x00x002", 1, 1),
        ("diagnosis", "R50.900", 1, 1),
        ("operation", "99.9900", 1, None),
    ]
    assert missing_codes(counts, {"diagnosis": None, "operation": None}).is_empty()


def test_counts_of_parts_add_up() -> None:
    whole = code_counts(stays(*CODED))
    parts = [code_counts(stays(*CODED[:2])), code_counts(stays(*CODED[2:]))]
    assert added_up(pl.concat(parts)).equals(whole)


def test_gains_of_mapping() -> None:
    before, after = pl.Series([-1, 3, 3, 3, -1]), pl.Series([2, -1, 4, 3, -1])
    assert mapping_gains(before, after) == Gains(5, 1, 1, 1)
    assert Gains(1, 1, 0, 0).plus(Gains(2, 0, 1, 1)) == Gains(3, 1, 1, 1)
