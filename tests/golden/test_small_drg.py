"""The small DRG region's year by points and by a fixed rate, every figure worked by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fenzhi.money import format_e4, format_fen
from fenzhi.pipeline import Run, explain_stay, run

from .small_drg import RATE, REGION, write_region


def rows(year: Run, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return year.tables[table].select(columns).rows()


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(write_region(tmp_path_factory.mktemp("points")), reports=False)


@pytest.fixture(scope="module")
def rate(tmp_path_factory: pytest.TempPathFactory) -> Run:
    stated = REGION.replace('insutype = ["310"]', 'insutype = ["310"]\nopening_value = 9575.25')
    return run(write_region(tmp_path_factory.mktemp("rate"), RATE, stated), reports=False)


# --- the points method: the pack jinhua-drg-2017 ---


# GD29: 12,600, 11,400 twice: mean 12,000. GU25: 9,000, 7,000 twice: 8,000. ES29: 10,000. M = 90,000 / 9 = 10,000.
def test_base_points_are_the_mean_of_the_group_over_the_mean_of_all(points: Run) -> None:
    assert rows(points, "groups", "group_id", "history_cases", "mean_cost_fen", "rw_e4") == [
        ("ES29", 1, 1_000_000, 1_000_000),
        ("GD29", 4, 1_200_000, 1_200_000),
        ("GU23", 0, None, None),
        ("GU25", 4, 800_000, 800_000),
    ]
    assert points.manifest["mean_cost_fen"] == 1_000_000


# H1: 12,600 / 12,000 and 9,000 / 8,000; H2: 11,400 / 12,000 and 7,000 / 8,000.
def test_cost_coefficients(points: Run) -> None:
    assert rows(points, "coefficients", "fixmedins_code", "group_id", "cases", "coefficient_e4") == [
        ("H1", "ES29", 1, 10_000),
        ("H1", "GD29", 2, 10_500),
        ("H1", "GU25", 2, 11_250),
        ("H2", "GD29", 2, 9_500),
        ("H2", "GU25", 2, 8_750),
    ]


# s01 to s03 are the printed figures of Jinhua: base 120, coefficient 1.05: 126; 4,000 of 12,000: 40; at most 120.
# s04: a new group for H3: 120. s05, s06: 80 x 0.875 = 70; s06 came back to H2 six days later: 35; s07 went to H1: 90.
# s08: 30 x 6 + 5 x 5 = 205. s09: GU23 has no history: 5,000 / 10,000 x 100 x 0.7. s10: no chapter: 14.
CASES = [
    ("s01", "grouped", "GD29", "MDCG", "GD2", 10_500, 1_260_000, "normal", None, 1_260_000),
    ("s02", "grouped", "GD29", "MDCG", "GD2", 10_500, 1_260_000, "incomplete", None, 400_000),
    ("s03", "grouped", "GD29", "MDCG", "GD2", 10_500, 1_260_000, "incomplete", None, 1_200_000),
    ("s04", "grouped", "GD29", "MDCG", "GD2", 10_000, 1_200_000, "normal", None, 1_200_000),
    ("s05", "grouped", "GU25", "MDCG", "GU2", 8_750, 700_000, "normal", None, 700_000),
    ("s06", "grouped", "GU25", "MDCG", "GU2", 8_750, 700_000, "normal", 6, 350_000),
    ("s07", "grouped", "GU25", "MDCG", "GU2", 11_250, 900_000, "normal", None, 900_000),
    ("s08", "bed_day", None, None, None, None, 2_050_000, None, None, 2_050_000),
    ("s09", "ungrouped", "GU23", "MDCG", "GU2", None, 350_000, None, None, 350_000),
    ("s10", "ungrouped", None, "0000", "00", None, 140_000, None, None, 140_000),
    ("s11", "rejected", None, "0000", "00", None, None, None, None, None),
]


def test_points_of_every_stay(points: Run) -> None:
    columns = ["setl_id", "outcome", "group_id", "mdc", "adrg", "coefficient_e4", "points_base_e4"]
    columns += ["deviation", "readmitted_days", "points_e4"]
    found = [
        (*row[:2], None if row[2] == "0000" else row[2], *row[3:]) for row in rows(points, "cases", *columns)
    ]
    assert found == CASES


def test_reasons_and_layers(points: Run) -> None:
    found = {row[0]: row[1:] for row in rows(points, "cases", "setl_id", "reason", "layer", "scheme")}
    assert found["s01"] == (None, "surgical", "drg")
    assert found["s08"] == (None, None, "drg")
    assert found["s09"][0] == "no_weight"
    assert found["s11"][0] == "age_unknown"


# History: 2 x (126 + 114 + 90 + 70) + 100 + 30 x 6 = 1,080 points for 90,000 + 9,000 yuan: 91.66667.
# Year: 855 points; fund 52,700 and 32,800 paid by others: 85,500 / 855 = 100.
def test_values(points: Run) -> None:
    columns = ["cases", "points_e4", "fund_fen", "opening_value_e4", "settlement_value_e4", "residual_fen"]
    assert rows(points, "pools", *columns) == [(10, 8_550_000, 5_270_000, 916_667, 1_000_000, 0)]


# Points x 100 yuan minus 40 % of the cost, which others paid.
PAID = {
    "s01": 780_000,
    "s02": 240_000,
    "s03": 600_000,
    "s04": 720_000,
    "s05": 420_000,
    "s06": 70_000,
    "s07": 540_000,
    "s08": 1_690_000,
    "s09": 150_000,
    "s10": 60_000,
}


def test_amounts(points: Run) -> None:
    paid = rows(points, "cases", "setl_id", "payable_fen")
    assert {name: amount for name, amount in paid if amount is not None} == PAID
    columns = ["fixmedins_code", "gross_fen", "bed_day_cases", "points_core_e4", "points_ungrouped_e4"]
    assert rows(points, "hospitals", *columns, "points_bed_day_e4") == [
        ("H1", 2_370_000, 0, 3_760_000, 490_000, 0),
        ("H2", 2_180_000, 1, 1_050_000, 0, 2_050_000),
        ("H3", 720_000, 0, 1_200_000, 0, 0),
    ]


# --- a fixed rate ---


# Level 3: 53,200 / 5 = 10,640 over M = 10,000; level 2: 36,800 / 4 = 9,200; level 1 has no history.
# Weights 1.2 and 0.8: 1.2768, 1.2, 0.736, 0.8512; 5,000 / 10,000 x 0.7 = 0.35; 0.14.
def test_weights_times_coefficient(rate: Run) -> None:
    found = dict(rows(rate, "cases", "setl_id", "points_e4"))
    assert found == {
        **dict.fromkeys(("s01", "s02", "s03"), 12_768),
        "s04": 12_000,
        **dict.fromkeys(("s05", "s06"), 7_360),
        "s07": 8_512,
        "s08": None,
        "s09": 3_500,
        "s10": 1_400,
        "s11": None,
    }


# A public program prints 9,575.25 x 0.92 = 8,809.23 for a weight of 1: 0.8 of it is 7,047.384.
def test_the_standard_of_a_stay_is_weight_times_rate_times_coefficient(rate: Run) -> None:
    found = dict(rows(rate, "cases", "setl_id", "standard_fen"))
    assert found["s05"] == 704_738
    assert set(rate.tables["cases"]["point_value_e4"].drop_nulls()) == {95_752_500}


# 60 % was booked. H1: 5.1716 x 9,575.25 x 0.6 = 29,711.61774; H2: 1.472: 8,456.8608; H3: 1.2: 6,894.18.
# The fund of 52,700 has 52,700 - 45,062.66 = 7,637.34 over: to the reserve.
def test_the_reserve_takes_what_a_fixed_rate_leaves(rate: Run) -> None:
    assert rows(rate, "hospitals", "fixmedins_code", "points_e4", "gross_fen") == [
        ("H1", 51_716, 2_971_162),
        ("H2", 14_720, 845_686),
        ("H3", 12_000, 689_418),
    ]
    assert rows(rate, "pools", "gross_fen", "residual_fen") == [(4_506_266, 763_734)]
    left = {one["account"]: one["balance_fen"] for one in rate.manifest["balances"]}
    assert left["reserve:E"] == 763_734


def test_weights_of_the_catalogue(tmp_path: Path) -> None:
    policy = RATE.replace("scale = 1\n", 'method = "given"\nscale = 1\n')
    stated = REGION.replace('insutype = ["310"]', 'insutype = ["310"]\nopening_value = 9575.25')
    year = run(write_region(tmp_path, policy, stated), reports=False)
    assert rows(year, "groups", "group_id", "rw_e4", "mean_cost_fen") == [
        ("ES29", 9_000, 1_000_000),
        ("GD29", 15_000, 1_200_000),
        ("GU23", None, None),
        ("GU25", 7_500, 800_000),
    ]
    # 0.75 x 0.92
    assert dict(rows(year, "cases", "setl_id", "points_e4"))["s05"] == 6_900


# --- both ---


@pytest.mark.parametrize("method", ["points", "rate"])
def test_every_explanation_ends_in_the_figures_of_the_run(
    method: str, request: pytest.FixtureRequest
) -> None:
    year: Run = request.getfixturevalue(method)
    for row in year.tables["cases"].filter(pl.col("points_e4").is_not_null()).iter_rows(named=True):
        found = explain_stay(year.folder, row["setl_id"])
        assert found.steps[-1].result == format_fen(row["payable_fen"])
        assert format_e4(row["points_e4"]) in [step.result for step in found.steps]
    assert year.tables["cases"].height == 11


@pytest.mark.parametrize("method", ["points", "rate"])
def test_nothing_is_lost(method: str, request: pytest.FixtureRequest) -> None:
    year: Run = request.getfixturevalue(method)
    cases, pool = year.tables["cases"], year.tables["pools"].row(0, named=True)
    assert cases["payable_fen"].sum() == pool["gross_fen"]
    assert pool["gross_fen"] + pool["residual_fen"] == pool["fund_fen"]
    assert cases["points_e4"].sum() == pool["points_e4"]
