"""Monitoring indices of two hospitals, worked by hand."""

from __future__ import annotations

import polars as pl
import pytest

from fenzhi.monitoring import hospital_indices

# Group G: 4, 6 and 8 days, mean 6; 800, 1,000 and 1,800 yuan, mean 1,200. Group K: 10 days and 500 yuan, once.
ROWS = [
    ("H2", "grouped", "G", "normal", 8, 180_000, 3_000_000),
    ("H1", "grouped", "G", "low", 4, 80_000, 3_000_000),
    ("H1", "grouped", "G", "normal", 6, 100_000, 3_000_000),
    ("H1", "comprehensive", "K", "high", 10, 50_000, 500_000),
    ("H1", "ungrouped", None, None, 99, 990_000, None),
]
SCHEMA = {
    "fixmedins_code": pl.String,
    "outcome": pl.String,
    "group_id": pl.String,
    "deviation": pl.String,
    "act_ipt_days": pl.Int32,
    "cost_fen": pl.Int64,
    "rw_e4": pl.Int64,
}

DEVIATION = pl.col("deviation")
BANDS = tuple(DEVIATION.is_in(names).fill_null(False) for names in (["low"], ["high", "extreme"]))


def indices(rows: list[tuple[object, ...]], scale: int = 100) -> dict[str, dict[str, float]]:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    got = hospital_indices(frame, *BANDS, scale)
    return {row["fixmedins_code"]: row for row in got.iter_rows(named=True)}


def test_indices_of_two_hospitals() -> None:
    got = indices(ROWS)
    assert list(got) == ["H1", "H2"]
    one = got["H1"]
    assert one["cases"] == 4
    assert one["grouping_rate"] == 3 / 4
    assert one["core_share"] == 2 / 4
    assert one["low_share"] == one["high_share"] == 1 / 4
    # Weights 300, 300 and 50 over three stays and a scale of 100.
    assert one["cmi"] == pytest.approx(650 / 3 / 100)
    # 4/6, 6/6 and 10/10; the stay without a group has no index.
    assert one["time_index"] == pytest.approx((4 / 6 + 1 + 1) / 3)
    assert one["cost_index"] == pytest.approx((80 / 120 + 100 / 120 + 1) / 3)
    assert got["H2"] == {
        "fixmedins_code": "H2",
        "cases": 1,
        "grouping_rate": 1.0,
        "core_share": 1.0,
        "low_share": 0.0,
        "high_share": 0.0,
        "cmi": pytest.approx(3.0),
        "time_index": pytest.approx(8 / 6),
        "cost_index": pytest.approx(1.5),
    }


def test_a_hospital_with_ungrouped_stays_only_has_no_index() -> None:
    got = indices([ROWS[-1]])["H1"]
    assert (got["cases"], got["grouping_rate"], got["core_share"]) == (1, 0.0, 0.0)
    assert (got["cmi"], got["time_index"], got["cost_index"]) == (None, None, None)


def test_bed_day_stays_count_as_stays_but_not_for_the_grouping_rate() -> None:
    got = indices([*ROWS, ("H1", "bed_day", None, None, 30, 500_000, None)])["H1"]
    assert (got["cases"], got["grouping_rate"], got["core_share"]) == (5, 3 / 4, 2 / 4)
    assert got["cmi"] == pytest.approx(650 / 3 / 100)
    assert indices([("H1", "bed_day", None, None, 30, 500_000, None)])["H1"]["grouping_rate"] is None


def test_stays_of_zero_cost_or_unknown_length_divide_nothing() -> None:
    rows = [
        ("H1", "grouped", "G", None, None, 0, 10_000),
        ("H1", "grouped", "G", None, None, 0, 10_000),
    ]
    got = indices(rows, 1)["H1"]
    assert (got["time_index"], got["cost_index"], got["cmi"]) == (None, None, pytest.approx(1.0))


def test_no_stays_no_rows() -> None:
    assert indices([]) == {}


def test_a_region_of_one_hospital_has_indices_of_one() -> None:
    rows = [("H1", *row[1:]) for row in ROWS]
    got = indices(rows)["H1"]
    assert got["time_index"] == pytest.approx(1.0)
    assert got["cost_index"] == pytest.approx(1.0)
