"""Reading a region's folder: what comes out, what is optional, what is exact. Errors: tests/unit/test_bad_input.py."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from cli.small import write_small
from fenzhi.errors import RegionError
from fenzhi.region import load_region


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_small(tmp_path / "small")


def edit(folder: Path, name: str, *changes: tuple[str, str]) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / name).write_text(text, encoding="utf-8")


def test_a_region_is_read(folder):
    region = load_region(folder)
    assert (region.meta.id, region.meta.year, region.meta.area) == ("small-2027", 2027, "990100")
    assert [(pool.id, pool.insutype, pool.areas) for pool in region.pools] == [
        ("employee", ("310",), "local"),
        ("resident", ("390",), "local"),
    ]
    assert region.policy.meta.id == "national-dip-3.0"
    assert region.path("records") == folder / "records"
    assert region.hospitals["fixmedins_code"].to_list() == ["A1", "B2", "C3"]
    assert region.budget.of("employee").fund_fen == 1_900_000
    assert region.budget.of("resident").fund_fen == 950_000


def test_the_yearly_inputs_are_exact_integers(folder):
    region = load_region(folder)
    assert region.assessment.rows() == [("B2", 9_800)]
    assert region.assessment.schema == {"fixmedins_code": pl.String, "assessment_e4": pl.Int64}
    assert region.deductions.rows() == [("A1", "employee", 3, 10_000, "audit")]
    assert region.deductions.schema["month"] == pl.Int8
    assert region.advances is None


def test_what_is_not_there_is_empty(folder):
    (folder / "assessment.csv").unlink()
    (folder / "deductions.csv").unlink()
    region = load_region(folder)
    assert region.assessment.columns == ["fixmedins_code", "assessment_e4"]
    assert region.deductions.columns == ["fixmedins_code", "pool", "month", "deduction_fen", "kind"]
    assert region.assessment.height == region.deductions.height == 0


def test_advances_may_have_a_month_0_for_working_capital(folder):
    (folder / "advances.csv").write_text(
        "fixmedins_code,pool,month,amount\nA1,employee,0,1000\nA1,employee,12,-0.5\n", encoding="utf-8"
    )
    advances = load_region(folder).advances
    assert advances is not None
    assert advances.rows() == [("A1", "employee", 0, 100_000), ("A1", "employee", 12, -50)]
    edit(folder, "deductions.csv", (",3,", ",0,"))
    with pytest.raises(RegionError, match="REGION_NUMBER"):
        load_region(folder)


def test_files_may_have_other_names(folder):
    (folder / "assessment.csv").rename(folder / "考核.csv")
    (folder / "hospitals.csv").rename(folder / "医院.csv")
    edit(
        folder, "region.toml", ("year = 2027", 'year = 2027\nassessment = "考核.csv"\nhospitals = "医院.csv"')
    )
    assert load_region(folder).assessment.height == 1
    edit(folder, "region.toml", ("考核", "没有"))
    with pytest.raises(RegionError, match="TABLE_MISSING"):
        load_region(folder)


def test_hospitals_are_sorted_and_may_give_their_coefficient(folder):
    (folder / "hospitals.csv").write_text(
        "fixmedins_code,fixmedins_name,level,type,coefficient\nB2,乙,2,general,1.05\nA1,甲,3,general,\n",
        encoding="gb18030",
    )
    edit(folder, "deductions.csv", ("A1", "B2"))
    hospitals = load_region(folder).hospitals
    assert hospitals.select("fixmedins_code", "fixmedins_name", "coefficient").rows() == [
        ("A1", "甲", None),
        ("B2", "乙", "1.05"),
    ]
    assert hospitals["county"].to_list() == [None, None]


def test_a_stated_opening_value_is_exact(folder):
    edit(folder, "region.toml", ('title = "职工医保"', 'title = "职工医保"\nopening_value = 9.5238'))
    assert load_region(folder).pools[0].opening_value == Decimal("9.5238")
    edit(folder, "region.toml", ("9.5238", "9.52381"))
    with pytest.raises(RegionError, match="opening_value"):
        load_region(folder)


def test_amounts_of_the_budget_may_be_text_or_numbers(folder):
    edit(folder, "budget.toml", ('"20000.00"', "20000.10"), ('"1000.00"', "1000"))
    assert load_region(folder).budget.of("employee").fund_fen == 1_900_010


def test_a_policy_beside_the_region_is_laid_over_a_shipped_one(folder):
    edit(folder, "region.toml", ('"national-dip-3.0"', '"own.toml"'))
    head = '[meta]\nid = "own"\ntitle = "own"\nscheme = "dip"\nversion = "1"\nextends = "national-dip-3.0"\n'
    (folder / "own.toml").write_text(head + "[ungrouped]\nfactor = 0.8\n", encoding="utf-8")
    policy = load_region(folder).policy
    assert (policy.meta.id, policy.ungrouped.factor) == ("own", Decimal("0.8"))
    assert policy.weights.year_weights == (1, 2, 7)


def test_quality_rules_of_the_region(folder):
    text = '[quality]\ntolerance_fen = 100\n[quality.severity]\ncost_zero = "warning"\n\n[region]'
    edit(folder, "region.toml", ("[region]", text))
    quality = load_region(folder).quality
    assert (quality.tolerance_fen, quality.of("cost_zero"), quality.of("cost_missing")) == (
        100,
        "warning",
        "error",
    )


@pytest.mark.parametrize("text", ["1.05", "0", "1.9999", "1"])
def test_coefficients_that_can_be_given(folder, text):
    edit(folder, "assessment.csv", ("0.98", text))
    assert load_region(folder).assessment["assessment_e4"][0] == int(Decimal(text) * 10_000)


@pytest.mark.parametrize("text", ["", "-1", "1.00001", "１", "1e3", "NaN", "inf", "1_0", "0.9.8", "99999"])
def test_coefficients_that_cannot(folder, text):
    edit(folder, "assessment.csv", ("0.98", text))
    with pytest.raises(RegionError) as caught:
        load_region(folder)
    error = caught.value
    assert (error.code, error.row, error.field) == ("REGION_NUMBER", 1, "coefficient")
    assert error.value == (text or None)
    assert error.file == str(folder / "assessment.csv")


@pytest.mark.parametrize("text", ["1.005", "１", "1e3", "NaN", "Infinity", "1,000", "10000000000000000000"])
def test_amounts_that_cannot_be_given(folder, text):
    edit(folder, "deductions.csv", ("100.00", f'"{text}"'))
    with pytest.raises(RegionError) as caught:
        load_region(folder)
    assert (caught.value.code, caught.value.field, caught.value.value) == ("REGION_NUMBER", "amount", text)


def test_the_nearest_key_is_named_only_if_there_is_one(folder):
    edit(folder, "region.toml", ("year = 2027", "year = 2027\nqqqqqq = 1"))
    with pytest.raises(RegionError) as caught:
        load_region(folder)
    assert caught.value.message == "this key is unknown"
    assert caught.value.remedy is not None
    assert caught.value.remedy.startswith("use one of: id, name, area, year")
