"""weight_overrides.csv: what comes out, what is optional, what is refused with file and row."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.small import write_small
from fenzhi.errors import RegionError
from fenzhi.pipeline import compute
from fenzhi.pipeline.store import file_hashes
from fenzhi.region import load_region

HEAD = "group_id,weight,who,why\n"


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_small(tmp_path / "small")


def write(folder: Path, rows: str, name: str = "weight_overrides.csv") -> Path:
    (folder / name).write_text(HEAD + rows, encoding="utf-8")
    return folder


def test_without_the_file_nothing_is_negotiated(folder):
    region = load_region(folder)
    assert region.weight_overrides.height == 0
    assert compute(region)[1]["negotiated"] is None


def test_a_negotiated_weight_is_read_and_used(folder):
    region = load_region(write(folder, "K35.8:47.0100,1600.5,专家组,材料费上涨\n"))
    row = region.weight_overrides.row(0, named=True)
    assert (row["group_id"], row["weight_e4"], row["who"], row["why"]) == (
        "K35.8:47.0100",
        16_005_000,
        "专家组",
        "材料费上涨",
    )
    assert row["source_row"] == 1
    assert "weight_overrides.csv" in file_hashes(region)
    tables, facts = compute(region)
    groups = tables["groups"]
    assert groups.filter(group_id="K35.8:47.0100")["rw_e4"].to_list() == [16_005_000]
    weighted = int((groups["rw_e4"].fill_null(0) * groups["history_cases"]).sum())
    assert facts["negotiated"]["total_e4"] == weighted + facts["negotiated"]["left_e4"]


def test_the_file_may_have_another_name(folder):
    file = folder / "region.toml"
    text = file.read_text(encoding="utf-8").replace(
        "year = 2027", 'year = 2027\nweight_overrides = "谈判.csv"', 1
    )
    file.write_text(text, encoding="utf-8")
    assert load_region(write(folder, "E11.9:0,1,a,b\n", "谈判.csv")).weight_overrides.height == 1


@pytest.mark.parametrize(
    ("rows", "code", "row", "field"),
    [
        ("E11.9:0,0,a,b\n", "REGION_NUMBER", 1, "weight"),
        ("E11.9:0,-1,a,b\n", "REGION_NUMBER", 1, "weight"),
        ("E11.9:0,1.23456,a,b\n", "REGION_NUMBER", 1, "weight"),
        ("E11.9:0,1e3,a,b\n", "REGION_NUMBER", 1, "weight"),
        ("E11.9:0,,a,b\n", "REGION_NUMBER", 1, "weight"),
        ("E11.9:0,1,a,b\nE11.9:0,2,a,b\n", "REGION_KEY", None, "group_id"),
        ("E11.9:0,1,a,b\n,2,a,b\n", "REGION_BLANK", 2, "group_id"),
        ("E11.9:0,1,,b\n", "REGION_BLANK", 1, "who"),
        ("E11.9:0,1,a,\n", "REGION_BLANK", 1, "why"),
    ],
)
def test_cells_that_cannot_be_are_refused(folder, rows, code, row, field):
    with pytest.raises(RegionError) as caught:
        load_region(write(folder, rows))
    assert (caught.value.code, caught.value.row, caught.value.field) == (code, row, field)
    assert caught.value.file.endswith("weight_overrides.csv")
    assert caught.value.remedy


def test_a_group_that_the_catalogue_does_not_have_names_its_row(folder):
    region = load_region(write(folder, "E11.9:0,1,a,b\nX99,1,a,b\n"))
    with pytest.raises(RegionError, match="no such group") as caught:
        compute(region)
    assert (caught.value.code, caught.value.row, caught.value.value) == ("REGION_KEY", 2, "X99")
    assert caught.value.file.endswith("weight_overrides.csv")
