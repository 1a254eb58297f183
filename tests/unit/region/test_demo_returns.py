"""Patients of the demo region who come back, and what else of the region depends on how it pays."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fenzhi.region.demo import SCHEMES, write_demo
from fenzhi.region.demo.cells import build_cells
from fenzhi.region.demo.hospitals import make_hospitals
from fenzhi.region.demo.returns import LATEST_DAYS, SOONEST_DAYS, add_returns
from fenzhi.region.demo.stays import World, draw_year
from fenzhi.region.demo.tail import make_tail

DAY = "%Y-%m-%d %H"


@pytest.fixture(scope="module")
def drawn() -> pl.DataFrame:
    cells = build_cells(make_tail(8_000, np.random.default_rng(1)), np.random.default_rng(2))
    world = World(cells, make_hospitals(12, np.random.default_rng(3)), 2027)
    return draw_year(world, 2027, 8_000, np.random.default_rng(4))


@pytest.fixture(scope="module")
def returned(drawn: pl.DataFrame) -> pl.DataFrame:
    return add_returns(drawn, np.random.default_rng(5))


def stays(*rows: tuple[str, int, str, str]) -> pl.DataFrame:
    """Stays of one kind: person, age, admission and discharge (day and hour); everything else alike."""
    return pl.DataFrame(
        {
            "setl_id": [f"S{at}" for at in range(1, len(rows) + 1)],
            "psn_no": [row[0] for row in rows],
            "fixmedins_code": "H1",
            "insutype": "310",
            "insu_admdvs": "990100",
            "gend": 1,
            "age": [row[1] for row in rows],
            "adm_time": [datetime.strptime(row[2], DAY) for row in rows],
            "dscg_time": [datetime.strptime(row[3], DAY) for row in rows],
            "diag_codes": [["K35.800", f"X0{at}"] for at in range(len(rows))],
            "oprn_codes": [["47.0100"]] * len(rows),
        }
    )


class Gap:
    """Draws every pair there is, and always the same gap."""

    def __init__(self, days: int) -> None:
        self.days = days

    def choice(self, among: int, wanted: int, replace: bool) -> np.ndarray:
        assert not replace
        return np.arange(among)[:wanted]

    def integers(self, low: int, high: int, size: int) -> np.ndarray:
        assert low <= self.days < high
        return np.full(size, self.days)


def test_a_second_stay_by_hand() -> None:
    frame = stays(
        ("P1", 40, "2027-03-01 08", "2027-03-05 14"),
        ("P2", 60, "2027-06-01 09", "2027-06-08 15"),
        ("P3", 70, "2027-07-01 09", "2027-07-02 15"),
    )
    got = add_returns(frame, Gap(10), share=1)  # type: ignore[arg-type]
    # The second stay begins ten days after 5 March and keeps its hours and its seven days; the third has no partner.
    assert got.select("setl_id", "psn_no", "age").rows() == [
        ("S1", "P1", 40),
        ("S2", "P1", 40),
        ("S3", "P3", 70),
    ]
    assert got["adm_time"].dt.strftime(DAY).to_list()[1] == "2027-03-15 09"
    assert got["dscg_time"].dt.strftime(DAY).to_list()[1] == "2027-03-22 15"
    assert got["diag_codes"].to_list()[1] == ["K35.800", "X00"]


def test_stays_that_would_leave_the_year_and_infants_are_left_alone() -> None:
    late = stays(("P1", 40, "2027-12-20 08", "2027-12-27 14"), ("P2", 60, "2027-12-22 09", "2027-12-28 15"))
    assert add_returns(late, Gap(3), share=1).equals(late)  # type: ignore[arg-type]
    infants = stays(("P1", 0, "2027-03-01 08", "2027-03-05 14"), ("P2", 0, "2027-06-01 09", "2027-06-08 15"))
    assert add_returns(infants, Gap(3), share=1).equals(infants)  # type: ignore[arg-type]


def test_a_moved_stay_takes_its_place_in_the_order_of_discharge() -> None:
    frame = stays(
        ("P1", 40, "2027-03-01 08", "2027-03-05 14"), ("P2", 60, "2027-06-01 09", "2027-06-08 15")
    ).vstack(stays(("P9", 50, "2027-04-01 08", "2027-04-09 14")).with_columns(fixmedins_code=pl.lit("H2")))
    frame = frame.sort("dscg_time").with_columns(setl_id=pl.Series(["S1", "S2", "S3"]))
    got = add_returns(frame, Gap(2), share=1)  # type: ignore[arg-type]
    assert got.select("setl_id", "psn_no").rows() == [("S1", "P1"), ("S2", "P1"), ("S3", "P9")]


def test_nothing_is_lost_and_everything_else_stays(drawn: pl.DataFrame, returned: pl.DataFrame) -> None:
    assert returned.schema == drawn.schema
    assert returned["setl_id"].equals(drawn["setl_id"])
    assert returned["dscg_time"].dt.date().is_sorted()
    assert returned["dscg_time"].dt.year().unique().to_list() == [2027]
    kept = [
        name for name in drawn.columns if "fee" in name or "pay" in name or name in ("gend", "oprn_codes")
    ]
    by = ["medfee_sumamt", "psn_ownpay", "fixmedins_code"]
    assert returned.select(kept + by[2:]).sort(by).equals(drawn.select(kept + by[2:]).sort(by))
    days = (pl.col("dscg_time") - pl.col("adm_time")).dt.total_minutes()
    assert returned.select(days.sum()).item() == drawn.select(days.sum()).item()


def test_patients_come_back_within_ten_days_and_later(drawn: pl.DataFrame, returned: pl.DataFrame) -> None:
    def gaps(frame: pl.DataFrame) -> pl.Series:
        same = ["psn_no", "fixmedins_code", pl.col("diag_codes").list.first()]
        ordered = frame.sort("psn_no", "dscg_time", "setl_id")
        gap = pl.col("adm_time").dt.truncate("1d") - pl.col("dscg_time").shift(1).over(same).dt.truncate("1d")
        days = ordered.select(gap.dt.total_days().alias("gap"))["gap"].drop_nulls()
        return days.filter(days.is_between(SOONEST_DAYS, LATEST_DAYS))

    few, many = gaps(drawn), gaps(returned)
    assert many.len() - few.len() > 60
    assert set(many) == set(range(SOONEST_DAYS, LATEST_DAYS + 1))
    people = (
        returned.with_columns(born=2027 - pl.col("age"))
        .group_by("psn_no")
        .agg(pl.col("gend", "born").n_unique())
    )
    assert people.select(pl.col("gend", "born").max()).row(0) == (1, 1)


def test_ways_of_discharge_intensive_care_and_bed_days_occur(returned: pl.DataFrame) -> None:
    assert set(returned["dscg_way"]) == {1, 2, 3, 4, 5, 9}
    assert set(returned["med_type"]) == {"21", "2105"}
    assert returned["scs_cutd_sum_dura"].drop_nulls().str.contains(r"^\d+/\d+/\d+$").all()
    assert returned["scs_cutd_sum_dura"].drop_nulls().len() > 30


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_a_region_of_each_scheme_names(scheme: str, tmp_path: Path) -> None:
    write_demo(tmp_path, stays=1_000, hospitals=10, scheme=scheme)
    region = tomllib.loads((tmp_path / "region.toml").read_text(encoding="utf-8"))["region"]
    policy = tomllib.loads((tmp_path / "policy.toml").read_text(encoding="utf-8"))
    budget = tomllib.loads((tmp_path / "budget.toml").read_text(encoding="utf-8"))
    names = {line["name"] for pool in budget["pool"] for line in pool["lines"]}
    drg = scheme != "dip"
    assert region["catalog"] == ("demonstration-drg" if drg else "catalog")
    assert ("operations" in region) is not drg
    assert policy["meta"]["scheme"] == ("drg" if drg else "dip")
    extends = {"dip": "national-dip-3.0", "drg-rate": "national-drg", "drg-points": "jinhua-drg-2017"}
    assert policy["meta"]["extends"] == extends[scheme]
    assert "示例" in policy["coefficients"]["cite"]
    assert ("床日付费病例" in names) is (scheme != "drg-points")
