"""A whole year by hand: files in, every figure of every result table out.

Weights. Yearly means 2025: 12,500 / 4 = 3,125; 2026: 17,000 / 4 = 4,250; two years weigh 2 : 7, so
M = (2 x 3,125 + 7 x 4,250) / 9 = 4,000. G1: (2 x 4,500 + 7 x 9,000) / 9 = 8,000, G2: 3,000, G3: 1,000,
C1: 4,000 (2025 only).
RW = m / 4,000 x 1,000: G1 2,000, G2 750, G3 250, C1 1,000.

Coefficients. Level 3: 8,000 / 4,000 = 2, capped at 1.2. Level 2: (3,000 + 4,000) / 2 in both years = 3,500, 0.875.
Level 1: 1,000 / 4,000 = 0.25, at least 0.8.

References: last year's mean of the level, else of all levels, else the mean: G1 9,000 (level 3), G2 3,000 (level 2),
G3 1,000 (level 1), C1 4,000.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fenzhi.errors import ConservationError
from fenzhi.pipeline import Run, run
from fenzhi.results import TABLES

from . import small_region
from .small_region import STAYS, write_region


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The year, run once; tests only read it."""
    return run(write_region(tmp_path_factory.mktemp("small")), reports=False)


def rows(year: Run, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return year.tables[table].select(columns).rows()


# --- groups, weights, coefficients ---


def test_weights(year: Run) -> None:
    columns = ("group_id", "history_cases", "mean_cost_fen", "cv", "trimmed_cases", "rw_e4")
    assert rows(year, "groups", *columns) == [
        # 4,500 and 9,000: mean 6,750, SD 2,250.
        ("G1", 2, 800_000, pytest.approx(1 / 3), 0, 20_000_000),
        ("G2", 2, 300_000, 0.0, 0, 7_500_000),
        ("G3", 2, 100_000, 0.0, 0, 2_500_000),
        ("C1", 1, 400_000, 0.0, 0, 10_000_000),
        ("G9", 0, None, None, 0, None),
    ]
    assert year.manifest["mean_cost_fen"] == 400_000
    assert year.manifest["history_years"] == [2025, 2026]


def test_coefficients(year: Run) -> None:
    found = (
        year.tables["hospitals"].select("fixmedins_code", "coefficient_e4").unique().sort("fixmedins_code")
    )
    assert found.rows() == [("H1", 12_000), ("H2", 8_750), ("H3", 8_000)]
    means = {one["class"]: (one["cases"], one["mean_fen"]) for one in year.manifest["classes"]}
    assert means == {"3": (2, 800_000), "2": (4, 350_000), "1": (2, 100_000)}


def test_groups_of_the_year(year: Run) -> None:
    columns = ("group_id", "cases", "cost_fen", "points_e4", "payable_fen", "booked_fen")
    assert rows(year, "groups", *columns) == [
        # s01 + s02 + s03; the stays that are not paid by points count nowhere.
        ("G1", 3, 2_260_000, 51_100_000, 832_178 + 332_871 + 606_797, 1_540_000),
        ("G2", 1, 300_000, 6_562_500, 154_260, 150_000),
        ("G3", 2, 240_000, 5_000_000, 58_766 + 58_766, 130_000),
        ("C1", 2, 1_260_000, 18_700_000, 606_796 + 28_208, 870_000),
        ("G9", 0, 0, 0, 0, 0),
    ]


# --- cases ---

# s01: 9,500 - 500 paid apart = 9,000, r = 1: 2,000 x 1.2.
# s02: 3,600 / 9,000 = 0.4: 2,400 x 0.4.
# s03: level 2 has no G1 last year, so all levels: 10,000 / 9,000: 2,000 x 0.875.
# s04: C1 has no stay last year, so its mean: 12,000 / 4,000 = 3: 1,000 x 0.875 x (3 - 2 + 1).
# s05: no group: 2,000 / 4,000 x 1,000 x 0.7.
# s07, s08: grassroots, coefficient 1; s08: level 3 has no G3, 1,400 / 1,000.
# s09: 600 / 4,000 = 0.15: 1,000 x 0.8 x 0.15.
POINTS = [
    ("s01", "E", 1, "G1", 900_000, 20_000_000, 12_000, 24_000_000, "normal", 900_000, 24_000_000),
    ("s02", "E", 1, "G1", 360_000, 20_000_000, 12_000, 24_000_000, "low", 900_000, 9_600_000),
    ("s03", "E", 2, "G1", 1_000_000, 20_000_000, 8_750, 17_500_000, "normal", 900_000, 17_500_000),
    ("s04", "E", 2, "C1", 1_200_000, 10_000_000, 8_750, 8_750_000, "high", 400_000, 17_500_000),
    ("s05", "E", 3, None, 200_000, None, None, 3_500_000, None, None, 3_500_000),
    ("s06", "R", 1, "G2", 300_000, 7_500_000, 8_750, 6_562_500, "normal", 300_000, 6_562_500),
    ("s07", "R", 2, "G3", 100_000, 2_500_000, 10_000, 2_500_000, "normal", 100_000, 2_500_000),
    ("s08", "R", 3, "G3", 140_000, 2_500_000, 10_000, 2_500_000, "normal", 100_000, 2_500_000),
    ("s09", "R", 12, "C1", 60_000, 10_000_000, 8_000, 8_000_000, "low", 400_000, 1_200_000),
]


def test_points_of_every_stay(year: Run) -> None:
    columns = [
        "setl_id",
        "pool",
        "month",
        "group_id",
        "cost_fen",
        "rw_e4",
        "coefficient_e4",
        "points_base_e4",
    ]
    columns += ["deviation", "reference_fen", "points_e4"]
    assert rows(year, "cases", *columns)[:9] == POINTS


def test_outcomes_of_every_row(year: Run) -> None:
    paid = ["grouped"] * 3 + ["comprehensive", "ungrouped"] + ["grouped"] * 3 + ["comprehensive"]
    assert rows(year, "cases", "setl_id", "outcome", "reason") == [
        *[
            (f"s{i:02d}", one, "no_group" if one == "ungrouped" else None)
            for i, one in enumerate(paid, start=1)
        ],
        ("s10", "excluded", "self_paying"),
        ("s11", "other_track", "bed_day"),
        ("s12", "excluded", "out_of_region"),
        ("s13", "rejected", "cost_zero"),
    ]
    counts = {
        name: n
        for name, n in year.manifest["counts"].items()
        if name.startswith("outcome_") or name == "rows"
    }
    assert counts == {
        "rows": 13,
        "outcome_grouped": 6,
        "outcome_comprehensive": 2,
        "outcome_ungrouped": 1,
        "outcome_excluded": 2,
        "outcome_other_track": 1,
        "outcome_rejected": 1,
    }
    unpaid = year.tables["cases"].filter(pl.col("setl_id") > "s09")
    assert unpaid["points_e4"].null_count() == unpaid["payable_fen"].null_count() == 4


def test_rejected_rows_name_rule_and_place(year: Run) -> None:
    found = year.tables["rejected"].filter(pl.col("severity") == "error")
    assert found.select("setl_id", "source_row", "rule", "field").rows() == [
        ("s13", 13, "cost_zero", "medfee_sumamt")
    ]


# E, H1: 1,286,408 fen over 2,400 : 960 : 350 = 832,177.68, 332,871.07, 121,359.25: the fen left to s01.
# E, H2: 1,213,593 over equal points: the fen left to the smaller id, s03.
# R, H3: 86,974 over 250 : 120 = 58,766.2 and 28,207.8: the fen left to s09.
# Standards: points x 5.0763 and x 4.5496, e.g. s02: 960 x 5.0763 = 4,873.248, s06: 656.25 x 4.5496 = 2,985.675.
AMOUNTS = [
    ("s01", 50_763, 1_218_312, 832_178),
    ("s02", 50_763, 487_325, 332_871),
    ("s03", 50_763, 888_353, 606_797),
    ("s04", 50_763, 888_353, 606_796),
    ("s05", 50_763, 177_671, 121_359),
    ("s06", 45_496, 298_568, 154_260),
    ("s07", 45_496, 113_740, 58_766),
    ("s08", 45_496, 113_740, 58_766),
    ("s09", 45_496, 54_595, 28_208),
]


def test_amounts_of_every_stay(year: Run) -> None:
    columns = ("setl_id", "point_value_e4", "standard_fen", "payable_fen")
    assert rows(year, "cases", *columns)[:9] == AMOUNTS


# --- pools ---


# E: 30,000 - 3,000 - 1,999.99 = 25,000.01; B / C = 25,000 / 36,600 = 0.68306; 25,000.01 x 1.464 / 7,210 = 5.07628.
# R: 3,100 / 6,000 = 0.51667; 3,000 / 0.51667 / 1,276.25 = 4.54962.
# Opening value of E: history points are h1 2,400, h4 875, h5 2,400;
# (2 x 8,500 + 7 x 9,000) / (2 x 3,275 + 7 x 2,400) = 80,000 / 23,350 = 3.42612. R states 4.5.
POOLS = {
    "E": {
        "title": "职工",
        "cases": 5,
        "cost_fen": 3_660_000,
        "booked_fen": 2_500_000,
        "points_e4": 72_100_000,
        "fixed_points_e4": 0,
        "income_fen": 3_000_000,
        "carved_out_fen": 300_000,
        "reserve_fen": 199_999,
        "outside_care_fen": 0,
        "fund_fen": 2_500_001,
        "payment_ratio_e4": 6_831,
        "direct_cases": 0,
        "direct_fen": 0,
        "others_fen": 1_160_000,
        "opening_value_e4": 34_261,
        "settlement_value_e4": 50_763,
        "value_limit": None,
        "gross_fen": 2_500_001,
        "payable_fen": 2_437_137,
        "residual_fen": 0,
        "tracks_left_fen": 0,
        "returned_fen": 62_864,
        "shared_fen": 0,
        "short_fen": 0,
        "final_fen": 2_437_137,
        "clearing_fen": 1_257_939,
        # 1,999.99 of the budget + 628.64.
        "reserve_left_fen": 262_863,
    },
    "R": {
        "title": "居民",
        "cases": 4,
        "cost_fen": 600_000,
        "booked_fen": 310_000,
        "points_e4": 12_762_500,
        "fixed_points_e4": 0,
        "income_fen": 300_000,
        "carved_out_fen": 0,
        "reserve_fen": 0,
        "outside_care_fen": 0,
        "fund_fen": 300_000,
        "payment_ratio_e4": 5_167,
        "direct_cases": 0,
        "direct_fen": 0,
        "others_fen": 290_000,
        "opening_value_e4": 45_000,
        "settlement_value_e4": 45_496,
        "value_limit": None,
        "gross_fen": 300_000,
        "payable_fen": 199_412,
        "residual_fen": 0,
        "tracks_left_fen": 0,
        "returned_fen": 100_588,
        "shared_fen": 0,
        "short_fen": 0,
        "final_fen": 199_412,
        "clearing_fen": -52_370,
        "reserve_left_fen": 100_588,
    },
}


def test_pools(year: Run) -> None:
    found = {row.pop("pool"): row for row in year.tables["pools"].to_dicts()}
    assert found == POOLS


# --- hospitals ---

# E: 2,500,001 fen over 3,710 : 3,500 = 1,286,408.28 and 1,213,592.72: the fen left to H2.
# R: 300,000 fen over 250 : 656.25 : 370 = 58,765.91, 154,260.53, 86,973.56: the two left to H1 and H3.
# Assessment of H1 0.99: 1,273,543.92 and 58,178.34 stay. Deductions: H2 500.00, H3 1,000.00.
# Working capital: a twelfth of what 2026 booked: 6,000, 1,500, 600. Advances: see the months.
HOSPITALS = [
    # code, pool, cases, points, cmi, gross, withheld, deducted, payable, minus booked, capital, advances, clearing
    ("H1", "E", 3, 37_100_000, 20_000, 1_286_408, 12_864, 0, 1_273_544, 313_544, 50_000, 693_976, 529_568),
    ("H1", "R", 1, 2_500_000, 2_500, 58_766, 588, 0, 58_178, -11_822, 0, 38_250, 19_928),
    ("H2", "E", 2, 35_000_000, 15_000, 1_213_593, 0, 50_000, 1_163_593, -376_407, 0, 435_222, 728_371),
    ("H2", "R", 1, 6_562_500, 7_500, 154_260, 0, 0, 154_260, 4_260, 12_500, 130_782, 10_978),
    ("H3", "E", 0, 0, None, 0, 0, 0, 0, 0, 0, 0, 0),
    ("H3", "R", 2, 3_700_000, 6_250, 86_974, 0, 100_000, -13_026, -103_026, 5_000, 65_250, -83_276),
]


def test_hospitals(year: Run) -> None:
    columns = [
        "fixmedins_code",
        "pool",
        "cases",
        "points_e4",
        "cmi_e4",
        "gross_fen",
        "assessed_fen",
        "deduction_fen",
    ]
    columns += ["payable_fen", "balance_fen", "working_capital_fen", "advance_fen", "clearing_fen"]
    assert rows(year, "hospitals", *columns) == HOSPITALS


def test_kinds_of_stays_and_points_per_hospital(year: Run) -> None:
    columns = ["fixmedins_code", "pool", "grouped_cases", "comprehensive_cases", "ungrouped_cases"]
    columns += [f"points_{kind}_e4" for kind in ("core", "comprehensive", "grassroots", "ungrouped")]
    assert rows(year, "hospitals", *columns) == [
        ("H1", "E", 2, 0, 1, 33_600_000, 0, 0, 3_500_000),
        ("H1", "R", 1, 0, 0, 0, 0, 2_500_000, 0),
        ("H2", "E", 1, 1, 0, 17_500_000, 17_500_000, 0, 0),
        ("H2", "R", 1, 0, 0, 6_562_500, 0, 0, 0),
        ("H3", "E", 0, 0, 0, 0, 0, 0, 0),
        ("H3", "R", 1, 1, 0, 0, 1_200_000, 2_500_000, 0),
    ]


def test_names_costs_and_values_per_hospital(year: Run) -> None:
    columns = [
        "fixmedins_code",
        "fixmedins_name",
        "level",
        "pool",
        "cost_fen",
        "booked_fen",
        "point_value_e4",
        "assessment_e4",
    ]
    assert rows(year, "hospitals", *columns) == [
        ("H1", "First", "3", "E", 1_460_000, 960_000, 50_763, 9_900),
        ("H1", "First", "3", "R", 140_000, 70_000, 45_496, 9_900),
        ("H2", "Second", "2", "E", 2_200_000, 1_540_000, 50_763, 10_000),
        ("H2", "Second", "2", "R", 300_000, 150_000, 45_496, 10_000),
        ("H3", "Township", "1", "E", 0, 0, 50_763, 10_000),
        ("H3", "Township", "1", "R", 160_000, 90_000, 45_496, 10_000),
    ]


# --- months ---

# H1, E, January: 3,360 x 3.4261 = 11,511.70, minus 12,600 - 8,400: 7,311.70; x 0.9 = 6,580.53.
# H1, E, March: 350 x 3.4261 = 1,199.135, so 1,199.14, minus 800: 399.14; x 0.9 = 359.23.
# H2, E, February: 3,500 x 3.4261 = 11,991.35 - 6,600 = 5,391.35; x 0.9 = 4,852.215, so 4,852.22; minus 500.
# H2, R, January: 656.25 x 4.5 = 2,953.125, so 2,953.13, minus 1,500; x 0.9 = 1,307.817.
# H3, R, December: 120 x 4.5 - 300 = 240; x 0.9 = 216; 1,000 is deducted: nothing is advanced.
MONTHS = [
    ("H1", "E", 1, 2, 33_600_000, 731_170, 0, 658_053),
    ("H1", "E", 3, 1, 3_500_000, 39_914, 0, 35_923),
    ("H1", "R", 3, 1, 2_500_000, 42_500, 0, 38_250),
    ("H2", "E", 2, 2, 35_000_000, 539_135, 50_000, 435_222),
    ("H2", "R", 1, 1, 6_562_500, 145_313, 0, 130_782),
    ("H3", "R", 2, 1, 2_500_000, 72_500, 0, 65_250),
    ("H3", "R", 12, 1, 1_200_000, 24_000, 100_000, 0),
]


def test_months(year: Run) -> None:
    months = year.tables["months"]
    assert months.height == 3 * 2 * 12
    columns = [
        "fixmedins_code",
        "pool",
        "month",
        "cases",
        "points_e4",
        "due_fen",
        "deduction_fen",
        "advance_fen",
    ]
    assert months.filter(pl.col("cases") > 0).select(columns).rows() == MONTHS
    quiet = months.filter(pl.col("cases") == 0)
    assert (
        quiet.select(pl.col("points_e4", "due_fen", "deduction_fen", "advance_fen").abs().sum()).row(0)
        == (0,) * 4
    )


# --- ledger ---

LEDGER = [
    ("2027", "fund:E", "source:E", 3_000_000),
    ("2027", "carve_out:E", "fund:E", 300_000),
    ("2027", "reserve:E", "fund:E", 199_999),
    ("2027", "by_disease:E", "fund:E", 2_500_001),
    ("2027", "fund:R", "source:R", 300_000),
    ("2027", "by_disease:R", "fund:R", 300_000),
    ("2027-00", "paid:H1:E", "hospital:H1:E", 50_000),
    ("2027-00", "paid:H2:R", "hospital:H2:R", 12_500),
    ("2027-00", "paid:H3:R", "hospital:H3:R", 5_000),
    ("2027-01", "paid:H1:E", "hospital:H1:E", 658_053),
    ("2027-01", "paid:H2:R", "hospital:H2:R", 130_782),
    ("2027-02", "paid:H2:E", "hospital:H2:E", 435_222),
    ("2027-02", "paid:H3:R", "hospital:H3:R", 65_250),
    ("2027-03", "paid:H1:E", "hospital:H1:E", 35_923),
    ("2027-03", "paid:H1:R", "hospital:H1:R", 38_250),
    ("2027-13", "hospital:H1:E", "by_disease:E", 1_286_408),
    ("2027-13", "hospital:H1:R", "by_disease:R", 58_766),
    ("2027-13", "hospital:H2:E", "by_disease:E", 1_213_593),
    ("2027-13", "hospital:H2:R", "by_disease:R", 154_260),
    ("2027-13", "hospital:H3:R", "by_disease:R", 86_974),
    ("2027-13", "reserve:E", "hospital:H1:E", 12_864),
    ("2027-13", "reserve:R", "hospital:H1:R", 588),
    ("2027-13", "reserve:E", "hospital:H2:E", 50_000),
    ("2027-13", "reserve:R", "hospital:H3:R", 100_000),
    ("2027-13", "paid:H1:E", "hospital:H1:E", 529_568),
    ("2027-13", "paid:H1:R", "hospital:H1:R", 19_928),
    ("2027-13", "paid:H2:E", "hospital:H2:E", 728_371),
    ("2027-13", "paid:H2:R", "hospital:H2:R", 10_978),
    # H3 pays back.
    ("2027-13", "hospital:H3:R", "paid:H3:R", 83_276),
]


def test_ledger(year: Run) -> None:
    assert rows(year, "ledger", "period", "debit", "credit", "amount_fen") == LEDGER
    assert year.tables["ledger"]["entry"].to_list() == list(range(1, len(LEDGER) + 1))


# What a hospital was paid in the end is what is payable to it; the reserves hold 1,999.99 + 628.64 and 1,005.88.
def test_balances(year: Run) -> None:
    found = {one["account"]: one["balance_fen"] for one in year.manifest["balances"]}
    paid = {f"paid:{code}:{pool}": row[6] for code, pool, *row in HOSPITALS if row[6]}
    assert {name: amount for name, amount in found.items() if amount} == {
        **paid,
        "source:E": -3_000_000,
        "source:R": -300_000,
        "carve_out:E": 300_000,
        "reserve:E": 262_863,
        "reserve:R": 100_588,
    }


# --- monitoring ---


# Mean days of G1: (6 + 3 + 9) / 3 = 6; C1: (8 + 2) / 2 = 5; G3: (4 + 6) / 2 = 5.
# Mean costs: G1 22,600 / 3, C1 6,300, G3 1,200.
def test_monitoring(year: Run) -> None:
    found = {row.pop("fixmedins_code"): row for row in year.tables["monitoring"].to_dicts()}
    first = found["H1"]
    assert (first["cases"], first["grouping_rate"], first["core_share"]) == (4, 0.75, 0.75)
    assert (first["low_share"], first["high_share"]) == (0.25, 0.0)
    # RW 2,000, 2,000, 250.
    assert first["cmi"] == pytest.approx(4.25 / 3)
    assert first["time_index"] == pytest.approx((6 / 6 + 3 / 6 + 6 / 5) / 3)
    assert first["cost_index"] == pytest.approx((9_000 * 3 / 22_600 + 3_600 * 3 / 22_600 + 1_400 / 1_200) / 3)
    assert found["H2"]["high_share"] == pytest.approx(1 / 3)
    assert found["H2"]["time_index"] == pytest.approx((9 / 6 + 8 / 5 + 1) / 3)
    assert (found["H3"]["low_share"], found["H3"]["core_share"]) == (0.5, 0.5)


# --- on disk, and whatever should change nothing ---


def test_the_files_of_the_run_hold_the_tables(year: Run) -> None:
    for name in TABLES:
        assert pl.read_parquet(year.folder / f"{name}.parquet").equals(year.tables[name]), name


@pytest.mark.parametrize("change", ["order", "chunks"])
def test_order_and_chunks_change_nothing(year: Run, tmp_path: Path, change: str) -> None:
    folder = write_region(tmp_path, STAYS[::-1] if change == "order" else None)
    again = run(folder, reports=False, chunk_rows=None if change == "order" else 2)
    for name in ("hospitals", "pools", "months", "groups", "ledger"):
        assert again.tables[name].equals(year.tables[name]), name
    other = again.tables["cases"].drop("source_row").sort("setl_id")
    assert other.equals(year.tables["cases"].drop("source_row"))


def test_a_refund_changes_what_it_should(year: Run, tmp_path: Path) -> None:
    # s02 is settled twice by mistake and one of them taken back.
    twice = next(row for row in STAYS if row[0] == "s02")
    stray = ("s20", *twice[1:])
    back = (*stray[:9], "-3600", "-2400", "")
    got = run(write_region(tmp_path, [*STAYS, stray, back]), reports=False)
    assert got.tables["hospitals"].equals(year.tables["hospitals"])
    assert got.tables["cases"].filter(pl.col("setl_id") == "s20")["reason"].to_list() == ["refunded"] * 2


def test_stays_of_a_hospital_that_is_not_listed_are_not_lost_silently(tmp_path: Path) -> None:
    # Someone turns the rule on unknown hospitals off: then the run must stop rather than pay a stay nothing.
    region = small_region.REGION + '\n[quality.severity]\nhospital_unknown = "off"\n'
    stray = ("s21", "H9", "310", "990100", "21", 1, 6, "K35.800", "47.0100", "9000", "6000", "")
    folder = write_region(tmp_path, [*STAYS, stray], region)
    with pytest.raises(ConservationError):
        run(folder, reports=False)
