"""``fenzhi reconcile``: what it prints and writes, for stays and for a run, by hand."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from cli.calls import done, fenzhi
from cli.small import PERSON_NAME, PERSON_NO, STAYS, text_of

FILES = [
    *("by_chapter.csv", "by_group.csv", "by_layer.csv", "differences.csv", "one_side.csv", "patterns.csv"),
    *("reconcile.html", "summary.json"),
]
# S01 agrees; S02 is officially appendicitis with operation; S03 is not grouped; S04 is void; S10 is refunded.
OFFICIAL = f"""\
setl_id,psn_no,psn_name,grp_stas,dip_dise_grp_code,dip_dise_grp_name,grp_dise_sco,nuld_flag
S01,{PERSON_NO},{PERSON_NAME},1,K35.8:47.0100,阑尾炎手术,1536.5854,0
S02,{PERSON_NO},{PERSON_NAME},1,K35.8:47.0100,阑尾炎手术,1536.5854,0
S03,{PERSON_NO},{PERSON_NAME},0,,,,0
S04,{PERSON_NO},{PERSON_NAME},1,E11.9:0,糖尿病,500,1
S06,{PERSON_NO},{PERSON_NAME},1,=F20:0,官方病种,500,0
S10,{PERSON_NO},{PERSON_NAME},1,E11.9:0,糖尿病,500,0
S99,{PERSON_NO},{PERSON_NAME},1,E11.9:0,糖尿病,500,0
"""
SUMMARY = """\
agree 1
only ours is grouped 1
only theirs is grouped 2
other group 1
not in the official results 5
not in the stays 1
"""


@pytest.fixture
def official(tmp_path) -> Path:
    path = tmp_path / "3606.csv"
    path.write_text(OFFICIAL, encoding="utf-8")
    return path


@pytest.fixture
def stays(tmp_path) -> Path:
    path = tmp_path / "stays.csv"
    path.write_text(text_of(STAYS), encoding="utf-8")
    return path


def table(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_csv(folder / f"{name}.csv", infer_schema=False).with_columns(pl.all().replace("", None))


def test_stays_by_a_catalogue(tmp_path, small, stays, official):
    target = tmp_path / "compared"
    args = ("reconcile", stays, official, "--catalog", small / "catalog", "-o", target)
    out = done(*args, "--lang", "en")
    shown = [" ".join(line.split()) for line in out.splitlines()]
    for line in SUMMARY.splitlines():
        assert line in shown, out
    # S01, S02, S03, S06 and S10 are on both sides; S04 is void, S99 is no stay.
    assert "agreement 20.00%: 5 settlements on both sides, 1 agree, 4 differ" in out
    assert "official rows left out: 1 void, 0 superseded, 0 without key" in out
    assert "1 settlements have an official code (1 different) not in our catalogue" in out
    assert sorted(path.name for path in target.iterdir()) == FILES
    differences = table(target, "differences").select("setl_id", "kind", "theirs", "ours", "reason")
    assert differences.rows() == [
        ("S02", "other_group", "K35.8:47.0100", "K35.8:0", None),
        ("S03", "only_ours", None, "K35-medical", None),
        # A text that a spreadsheet would take for a formula is made harmless.
        ("S06", "only_theirs", "'=F20:0", None, "no_group"),
        ("S10", "only_theirs", "E11.9:0", None, "refunded"),
    ]
    assert set(table(target, "one_side")["setl_id"]) == {"S04", "S05", "S07", "S08", "S12", "S99"}
    patterns = table(target, "patterns").select(
        "ours", "theirs_name", "minimal_diagnoses", "minimal_operations"
    )
    assert patterns.sort("minimal_diagnoses", nulls_last=True).rows() == [
        (None, "官方病种", "F20.000", None),
        ("K35.8:0", "阑尾炎手术", "K35.800", None),
        ("K35-medical", None, "K35.900", None),
        # A refunded row is no stay, so there is no record to reduce.
        (None, "糖尿病", None, None),
    ]


def test_what_is_written_is_private_and_names_nobody(tmp_path, small, stays, official):
    target = tmp_path / "compared"
    done("reconcile", stays, official, "--catalog", small / "catalog", "-o", target)
    for path in target.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name
        text = path.read_text(encoding="utf-8")
        assert PERSON_NO not in text, path.name
        assert PERSON_NAME not in text, path.name
    page = (target / "reconcile.html").read_text(encoding="utf-8")
    assert "双方都有的 5 次结算中 1 次一致，一致率 20.00%；差异归为 4 种。" in page
    assert "<td>" not in page.split("</style>")[0]
    assert "http" not in page.replace("http-equiv", "")


def test_the_change_that_would_make_ours_equal(tmp_path, small):
    lines = [STAYS[0]]  # K35.800|E11.900 with 47.0100
    (tmp_path / "stays.csv").write_text(text_of(lines), encoding="utf-8")
    (tmp_path / "o.csv").write_text("setl_id,dip_dise_grp_code\nS01,K35.8:0\n", encoding="utf-8")
    target = tmp_path / "compared"
    args = ("reconcile", tmp_path / "stays.csv", tmp_path / "o.csv", "--catalog", small / "catalog")
    out = done(*args, "-o", target)
    row = table(target, "patterns").row(0, named=True)
    assert (row["change"], row["change_at"], row["change_code"]) == ("without_operation", "1", "47.0100")
    assert (row["minimal_diagnoses"], row["minimal_operations"]) == ("K35.800", "47.0100")
    assert "去掉手术操作 47.0100" in out
    assert "去掉手术操作 47.0100" in (target / "reconcile.html").read_text(encoding="utf-8")


def test_a_result_with_itself_is_100_percent(tmp_path, small, stays):
    done("group", stays, "--catalog", small / "catalog", "-o", tmp_path / "ours.csv")
    ours = pl.read_csv(tmp_path / "ours.csv", infer_schema=False)
    same = ours.select("setl_id", pl.col("group_id").alias("dip_dise_grp_code"))
    same.unique("setl_id", keep="first").write_csv(tmp_path / "o.csv")
    target = tmp_path / "compared"
    done("reconcile", stays, tmp_path / "o.csv", "--catalog", small / "catalog", "-o", target)
    summary = json.loads((target / "summary.json").read_text(encoding="utf-8"))
    # 12 rows, 10 settlements: S01 and S10 came twice.
    assert (summary["compared"], summary["agree"], summary["agreement_e4"]) == (10, 10, 10_000)
    assert sum(summary["counts"].values()) == 10
    assert table(target, "differences").is_empty()


def test_a_run_brings_catalogue_and_scores(tmp_path, small_run, official):
    target = tmp_path / "compared"
    out = done("reconcile", small_run, official, "-o", target, "--lang", "en")
    assert "agreement 20.00%" in out
    # S01: RW 1,536.5854, the same as the official score; another score is a difference.
    other = tmp_path / "other.csv"
    other.write_text(
        OFFICIAL.replace(
            "S01,P990100777,张三丰,1,K35.8:47.0100,阑尾炎手术,1536.5854", "S01,,,1,K35.8:47.0100,,9"
        )
    )
    done("reconcile", small_run, other, "-o", tmp_path / "second")
    first = table(tmp_path / "second", "differences").row(0, named=True)
    assert (first["setl_id"], first["kind"]) == ("S01", "other_score")
    assert (first["theirs_score_e4"], first["ours_score_e4"]) == ("90000", "15365854")
    page = (target / "reconcile.html").read_text(encoding="utf-8")
    assert small_run.name in page
    assert "Synthetic data" in page


def test_a_run_whose_inputs_changed_is_refused(tmp_path, small, official):
    done("run", small, "--no-reports")
    [run] = (small / "runs").iterdir()
    records = small / "records" / "2027.csv"
    records.write_text(records.read_text(encoding="utf-8").replace("47.0100", "47.0900"), encoding="utf-8")
    said = fenzhi("reconcile", run, official, "-o", tmp_path / "compared")
    assert said.code == 2
    assert said.err.startswith("[RUN_STALE] ")
    assert not (tmp_path / "compared").exists()


def test_versions_that_differ_are_said(tmp_path, small, stays):
    for version, differs in (("2", True), ("V1", False)):
        (tmp_path / "o.csv").write_text(f"setl_id,dip_dise_grp_code,grp_ver\nS01,K35.8:0,{version}\n")
        target = tmp_path / version
        args = ("reconcile", stays, tmp_path / "o.csv", "--catalog", small / "catalog", "-o", target)
        assert ("the versions differ" in done(*args, "--lang", "en")) == differs
        page = (target / "reconcile.html").read_text(encoding="utf-8")
        assert ("The versions differ" in page) == differs


def test_foreign_names_on_both_sides(tmp_path, small):
    text = text_of(STAYS[:2]).replace("setl_id", "流水号", 1)
    (tmp_path / "stays.csv").write_text(text, encoding="utf-8")
    (tmp_path / "o.csv").write_text("单据,病种\nS01,K35.8:47.0100\n", encoding="utf-8")
    (tmp_path / "s.toml").write_text('[columns]\nsetl_id = "流水号"\n', encoding="utf-8")
    (tmp_path / "o.toml").write_text(
        '[columns]\nsetl_id = "单据"\ndip_dise_grp_code = "病种"\n', encoding="utf-8"
    )
    maps = ("--columns", tmp_path / "s.toml", "--official-columns", tmp_path / "o.toml")
    args = ("reconcile", tmp_path / "stays.csv", tmp_path / "o.csv", "--catalog", small / "catalog")
    out = done(*args, *maps, "-o", tmp_path / "compared")
    assert "一致率 100.00%:双方都有 1 次结算,一致 1,不一致 0" in out


def test_nothing_in_common(tmp_path, small, stays):
    (tmp_path / "o.csv").write_text("setl_id,dip_dise_grp_code\nX,K35.8:0\n")
    args = ("reconcile", stays, tmp_path / "o.csv", "--catalog", small / "catalog", "-o", tmp_path / "c")
    assert "双方没有共同的结算" in done(*args)


def test_wrong_use(tmp_path, small, small_run, stays, official):
    full = tmp_path / "full"
    full.mkdir()
    (full / "file").write_text("x")
    catalog = ("--catalog", small / "catalog")
    drg = tmp_path / "3605.csv"
    drg.write_text("setl_id,drg_codg\nS01,BR21\n")
    for args, message in (
        ((stays, official, "-o", tmp_path / "c"), "--catalog is needed"),
        ((small_run, official, *catalog, "-o", tmp_path / "c"), "leave out --catalog"),
        ((stays, official, *catalog, "-o", full), "[OUTPUT_EXISTS]"),
        ((stays, drg, *catalog, "-o", tmp_path / "c"), "[RECORDS_OFFICIAL_SCHEME]"),
        ((stays, tmp_path / "nowhere.csv", *catalog, "-o", tmp_path / "c"), "[RECORDS_MISSING]"),
    ):
        said = fenzhi("reconcile", *args)
        assert said.code == 2, args
        assert message in said.err
        assert "Traceback" not in said.err
        assert not (tmp_path / "c").exists()
