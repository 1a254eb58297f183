"""``fenzhi catalog grassroots``: a report, and a new catalogue that a year then runs with."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from cli.calls import done, fenzhi
from cli.small import write_small
from fenzhi.catalogs import load_catalog
from fenzhi.pipeline import compute
from fenzhi.pipeline.grassroots import flagged
from fenzhi.region import load_region
from unit.catalogs.drg.small import write

POLICY = """\
[meta]
id = "own"
title = "own"
scheme = "dip"
version = "1"
extends = "national-dip-3.0"
[grassroots]
primary_levels = ["2"]
min_cases = 3
"""


@pytest.fixture
def region(tmp_path) -> Path:
    """The small region: B2 is primary; of the four conservative stays of K35.8 all are there, CV 0.1768."""
    folder = write_small(tmp_path / "small")
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    text = (folder / "region.toml").read_text(encoding="utf-8")
    (folder / "region.toml").write_text(text.replace('"national-dip-3.0"', '"policy.toml"'), "utf-8")
    return folder


def report(path: Path) -> dict[str, dict[str, str]]:
    rows = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())
    return {row["group_id"]: row for row in rows}


def test_report_and_new_catalogue(region, tmp_path):
    target = tmp_path / "report.csv"
    out = done("catalog", "grassroots", region, "-o", target, "--apply", region / "catalog-2")
    assert [line.split()[-1] for line in out.splitlines() if "入选" in line or "候选病种" in line] == [
        "5",
        "1",
    ]
    assert out.endswith(f"{region / 'catalog-2'}\n")
    rows = report(target)
    assert [name for name, row in rows.items() if row["selected"] == "true"] == ["K35.8:0"]
    assert (rows["K35.8:0"]["cases"], rows["K35.8:0"]["primary_share"]) == ("4", "1.0")
    assert (rows["K35.8:47.0100"]["share_met"], rows["K35-medical"]["core"]) == ("false", "false")
    old, new = load_catalog(region / "catalog"), load_catalog(region / "catalog-2")
    assert new.groups.filter("grassroots")["group_id"].to_list() == ["K35.8:0"]
    assert new.groups.drop("grassroots").equals(old.groups.drop("grassroots"))
    assert not old.groups["grassroots"].any()
    text = (region / "region.toml").read_text(encoding="utf-8")
    (region / "region.toml").write_text(text.replace('"catalog"', '"catalog-2"'), "utf-8")
    case = compute(load_region(region))[0]["cases"].filter(setl_id="S02")
    assert case["coefficient_e4"].to_list() == [10_000]


def test_what_stands_beside_the_catalogue_is_kept(region, tmp_path):
    """Labels, levels of operations, names and mappings are no rules, and no reason to lose them."""
    home, made = region / "catalog", region / "catalog-2"
    beside = {
        "labels.csv": "group_id,dip_code,main_diag_name\nK35.8:0,K35.8-保守治疗,急性阑尾炎\n",
        "operations.csv": "code,name,type,level\n47.0100,腹腔镜阑尾切除,surgery,3\n",
        "diagnosis_names.csv": "code,name\nK35.800,急性阑尾炎\n",
        "operation_map.csv": "code,target\n47.01001,47.0100\n",
    }
    for name, text in beside.items():
        (home / name).write_text(text, encoding="utf-8")
    done("catalog", "grassroots", region, "-o", tmp_path / "report.csv", "--apply", made)
    assert {name: (made / name).read_text("utf-8") for name in beside} == beside


def test_candidates_and_english(region, tmp_path):
    (tmp_path / "list.csv").write_text("group_id,name\nE11.9:0,糖尿病\nX99,没有\n", encoding="utf-8")
    target = tmp_path / "report.csv"
    out = done(
        *("catalog", "grassroots", region, "-o", target, "--candidates", tmp_path / "list.csv"),
        *("--lang", "en"),
    )
    lines = [line.split() for line in out.splitlines()]
    assert ["candidates", "2"] in lines
    assert ["chosen", "0"] in lines
    rows = report(target)
    assert [(name, row["in_catalog"]) for name, row in rows.items()] == [
        ("E11.9:0", "true"),
        ("X99", "false"),
    ]


def test_nothing_is_overwritten_and_wrong_lists_are_refused(region, tmp_path):
    target = tmp_path / "report.csv"
    said = fenzhi("catalog", "grassroots", region, "-o", target, "--apply", region / "catalog")
    assert (said.code, "OUTPUT_EXISTS" in said.err, target.exists()) == (2, True, False)
    target.write_text("mine", encoding="utf-8")
    said = fenzhi("catalog", "grassroots", region, "-o", target)
    assert (said.code, "OUTPUT_EXISTS" in said.err, target.read_text("utf-8")) == (2, True, "mine")
    assert "OUTPUT_FORMAT" in fenzhi("catalog", "grassroots", region, "-o", tmp_path / "report.txt").err
    for text, code in (("name\na\n", "TABLE_COLUMN"), ("group_id,name\nE11.9:0,a\n,b\n", "CATALOG_BLANK")):
        (tmp_path / "list.csv").write_text(text, encoding="utf-8")
        words = ("-o", tmp_path / "new.csv", "--candidates", tmp_path / "list.csv")
        said = fenzhi("catalog", "grassroots", region, *words)
        assert (said.code, code in said.err) == (2, True), said.err


def test_a_policy_without_primary_levels_is_refused(region, tmp_path):
    (region / "policy.toml").write_text(POLICY.replace('["2"]', "[]"), encoding="utf-8")
    said = fenzhi("catalog", "grassroots", region, "-o", tmp_path / "report.csv")
    assert (said.code, "POLICY_GRASSROOTS" in said.err) == (2, True)


def test_a_drg_catalogue_is_flagged_in_its_table(tmp_path):
    done("catalog", "import", write(tmp_path / "tables"), "-o", tmp_path / "drg", "--kind", "chs-drg")
    catalog = load_catalog(tmp_path / "drg")
    codes = catalog.groups["group_id"].to_list()
    made = flagged(catalog, codes[:2])
    assert made.groups.filter("grassroots")["group_id"].to_list() == codes[:2]
    assert made.tables["drg"].drop("grassroots").equals(catalog.tables["drg"].drop("grassroots"))
