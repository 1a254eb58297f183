"""``fenzhi run``, ``demo`` and ``check``: nothing lost, nothing leaked, the same bytes every time."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from cli.calls import done, fenzhi, runs_of
from cli.conftest import DEMO
from cli.small import PERSON_NAME, PERSON_NO, write_small
from fenzhi.records import rule_message
from fenzhi.results import TABLES

# Kind of fault put in -> rule of quality control that finds it.
FOUND_BY = {
    "age_against_diagnosis": "age_diagnosis",
    "age_missing": "age_missing",
    "age_out_of_range": "age_range",
    "discharge_before_admission": "dates_reversed",
    "duplicate_key": "duplicate_key",
    "items_do_not_add_up": "items_mismatch",
    "los_against_dates": "los_dates",
    "los_negative": "los_negative",
    "missing_key": "key_missing",
    "newborn_without_weight": "newborn_weight_missing",
    "no_principal_diagnosis": "principal_missing",
    "other_equals_principal": "diagnosis_repeated",
    "payers_do_not_add_up": "payers_mismatch",
    "refund_without_original": "refund_without_original",
    "sex_against_diagnosis": "sex_diagnosis",
    "sex_invalid": "sex_invalid",
    "sex_missing": "sex_missing",
    "unknown_diagnosis": "diagnosis_unknown",
    "unknown_hospital": "hospital_unknown",
    "zero_cost": "cost_zero",
}
# Netting finds refunds; two kinds are found by one rule; some operations of the demo are in no table from the start.
ELSEWHERE = {"refund_netted", "refunded", "unknown_operation", "unreadable_date", "unreadable_number"}


def table(run: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(run / f"{name}.parquet")


def manifest(run: Path) -> dict:
    return json.loads((run / "manifest.json").read_text(encoding="utf-8"))


def input_rows(folder: Path) -> int:
    """Rows of a folder of records, counted without the reader."""
    rows = 0
    for path in sorted(folder.iterdir()):
        if path.suffix == ".parquet":
            rows += pl.scan_parquet(path).select(pl.len()).collect().item()
        elif path.suffix == ".csv":
            rows += path.read_bytes().decode("gb18030").count("\n") - 1
        else:
            rows += pl.read_excel(path).height
    return rows


def test_every_row_of_the_demo_year_has_one_outcome(demo, demo_run):
    cases = table(demo_run, "cases")
    counts = manifest(demo_run)["counts"]
    assert cases.height == counts["rows"] == input_rows(demo / "records") > 3000
    assert cases["outcome"].null_count() == 0
    outcomes = dict(cases["outcome"].value_counts().iter_rows())
    assert outcomes == {
        key.removeprefix("outcome_"): n for key, n in counts.items() if key.startswith("outcome_")
    }
    assert len(outcomes) == 6
    assert (
        cases.filter(pl.col("outcome").is_in(["rejected", "excluded", "ungrouped"]))["reason"].null_count()
        == 0
    )


def test_quality_control_finds_the_faults_that_were_put_in(demo, demo_run):
    truth = json.loads((demo / "demo-truth.json").read_text(encoding="utf-8"))["records"]
    assert set(truth) == {*FOUND_BY, *ELSEWHERE}
    found = dict(table(demo_run, "rejected")["rule"].value_counts().iter_rows())
    assert {kind: found.get(rule, 0) for kind, rule in FOUND_BY.items()} == {
        kind: truth[kind] for kind in FOUND_BY
    }
    assert found["unreadable"] == truth["unreadable_number"] + truth["unreadable_date"]
    reasons = dict(table(demo_run, "cases")["reason"].value_counts().iter_rows())
    # A refund and the stay it cancels both leave; after a partial refund the stay goes on.
    assert reasons["refunded"] == 2 * truth["refunded"]
    assert reasons["refund_netted"] == truth["refund_netted"]
    assert manifest(demo_run)["counts"]["unknown_operations"] >= truth["unknown_operation"] > 0
    assert set(found) == {*FOUND_BY.values(), "unreadable", "operation_unknown"}
    assert found["operation_unknown"] >= truth["unknown_operation"]


def test_the_fund_is_paid_out_to_the_fen(demo_run):
    pools, hospitals, cases = (table(demo_run, name) for name in ("pools", "hospitals", "cases"))
    for pool in pools.iter_rows(named=True):
        mine = hospitals.filter(pool=pool["pool"])
        assert mine["gross_fen"].sum() + pool["residual_fen"] == pool["fund_fen"] > 0
        returned = pool["returned_fen"] - mine["forfeited_fen"].sum()
        assert mine["payable_fen"].sum() + returned == mine["gross_fen"].sum()
        assert pool["shared_fen"] != 0 < pool["reserve_left_fen"]
        assert cases.filter(pool=pool["pool"])["payable_fen"].sum() == mine["gross_fen"].sum()
        assert pool["income_fen"] == pool["carved_out_fen"] + pool["reserve_fen"] + pool["fund_fen"]


def test_the_ledger_balances(demo_run):
    ledger = table(demo_run, "ledger")
    assert (ledger["amount_fen"] > 0).all()
    assert ledger["entry"].to_list() == list(range(1, ledger.height + 1))
    accounts: dict[str, int] = {}
    for debit, credit, amount in ledger.select("debit", "credit", "amount_fen").iter_rows():
        accounts[debit] = accounts.get(debit, 0) + amount
        accounts[credit] = accounts.get(credit, 0) - amount
    assert sum(accounts.values()) == 0
    zero = {
        name: left
        for name, left in accounts.items()
        if name.split(":")[0] in ("fund", "track", "by_disease", "hospital")
    }
    assert zero
    assert set(zero.values()) == {0}
    tracks = table(demo_run, "tracks")
    assert tracks["payable_fen"].sum() > 0
    for row in table(demo_run, "hospitals").iter_rows(named=True):
        beside = tracks.filter(fixmedins_code=row["fixmedins_code"], pool=row["pool"])["payable_fen"].sum()
        assert accounts.get(f"paid:{row['fixmedins_code']}:{row['pool']}", 0) == (
            row["final_fen"] - row["forfeited_fen"] + beside
        )


def test_a_run_has_all_tables_a_manifest_pages_and_a_workbook(demo, demo_run):
    names = {path.name for path in demo_run.iterdir()}
    tables = {f"{name}.parquet" for name in (*TABLES, "tracks", "track_lines", "applications", "review")}
    assert names == {*tables, "manifest.json", "region.html", "region.xlsx", "statements"}
    for name, columns in TABLES.items():
        assert table(demo_run, name).schema == {column.name: column.dtype for column in columns}
    hospitals = pl.read_csv(demo / "hospitals.csv", infer_schema=False)["fixmedins_code"]
    pages = {path.name for path in (demo_run / "statements").iterdir()}
    assert pages == {f"{code}{page}.html" for code in hospitals for page in ("", ".months", ".confirm")}
    assert {name.split("/")[0] for name in manifest(demo_run)["inputs"]} >= {"catalog", "records", "history"}


def digest(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "runs" not in path.relative_to(folder).parts
    }


def test_the_same_seed_gives_the_same_region(demo, tmp_path):
    done("demo", tmp_path / "again", *DEMO)
    first, second = digest(demo), digest(tmp_path / "again")
    assert list(first) == list(second)
    assert [name for name in first if first[name] != second[name]] == []


@pytest.mark.slow
def test_threads_and_chunks_change_no_byte_of_the_tables(demo, demo_run):
    for threads in ("1", "2"):
        subprocess.run(
            [sys.executable, "-m", "fenzhi", "run", demo, "--no-reports", "--chunk-rows", "777"],
            env={**os.environ, "POLARS_MAX_THREADS": threads},
            check=True,
            capture_output=True,
        )
    _, *others = runs_of(demo)
    assert len(others) == 2
    for name in TABLES:
        expected = (demo_run / f"{name}.parquet").read_bytes()
        for other in others:
            assert (other / f"{name}.parquet").read_bytes() == expected, name


def texts_of(run: Path) -> dict[str, str]:
    """Everything a reader of a run can see, tables included, as text."""
    out = {}
    for path in sorted(run.rglob("*")):
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                out |= {f"{path.name}/{name}": book.read(name).decode() for name in book.namelist()}
        elif path.suffix == ".parquet":
            out[path.name] = pl.read_parquet(path).select(pl.all().cast(pl.String)).write_csv()
        elif path.is_file():
            out[path.name] = path.read_text(encoding="utf-8")
    return out


def test_no_person_leaves_the_records(demo, demo_run):
    months = [pl.read_parquet(path) for path in (demo / "records").glob("*.parquet")]
    persons = {person for month in months for person in month["psn_no"].drop_nulls()}
    assert len(persons) > 1000
    # Long enough not to be part of an amount or a hash by accident.
    assert min(map(len, persons)) >= 10
    some_of_them = re.compile("|".join(sorted(persons)))
    texts = texts_of(demo_run)
    assert len(texts) > 20
    for name, text in texts.items():
        assert not some_of_them.search(text), name


def test_no_person_is_printed_or_written_of_the_small_region(tmp_path):
    region = write_small(tmp_path / "small")
    with (region / "records" / "2027.csv").open("a", encoding="utf-8") as file:
        file.write(f"S90,{PERSON_NO},{PERSON_NAME},A1,310,990100,1,50,2027-03-01,x,21,K35.800,,1.001,1,1,0\n")
    said = [fenzhi("run", region, "--lang", lang) for lang in ("zh", "en")]
    [run, _] = runs_of(region)
    said += [
        fenzhi("check", region, "--rejects", tmp_path / "rejects.csv"),
        fenzhi("check", region / "records"),
        fenzhi("explain", run, "S01"),
        fenzhi("explain", run, "S90", "--json"),
        fenzhi("group", region / "records", "--catalog", region / "catalog", "-o", tmp_path / "groups.csv"),
    ]
    texts = [text for one in said for text in (one.out, one.err)]
    texts += [(tmp_path / name).read_text(encoding="utf-8") for name in ("rejects.csv", "groups.csv")]
    texts += texts_of(run).values()
    assert {one.code for one in said} == {0}
    assert any("S90" in text for text in texts)
    assert not [text for text in texts if PERSON_NO in text or PERSON_NAME in text]
    # A broken file is quoted by row and field, not by its line.
    with (region / "records" / "2027.csv").open("a", encoding="utf-8") as file:
        file.write(f"S91,{PERSON_NO},{PERSON_NAME},A1\n")
    said = fenzhi("run", region)
    assert said.code == 2
    assert "row 14" in said.err
    assert PERSON_NO not in said.err
    assert PERSON_NAME not in said.err


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_results_are_readable_by_their_owner_only(tmp_path):
    region = write_small(tmp_path / "small")
    mask = os.umask(0)
    try:
        done("run", region)
        done("group", region / "records", "--catalog", region / "catalog", "-o", tmp_path / "new/deep/r.csv")
        done("check", region, "--rejects", tmp_path / "out/rejects.csv")
        done("catalog", "build", region / "history", "-o", tmp_path / "built/catalog")
    finally:
        os.umask(mask)
    made = [
        tree
        for top in (region / "runs", tmp_path / "new", tmp_path / "out", tmp_path / "built")
        for tree in (top, *top.rglob("*"))
    ]
    assert len(made) > 20
    for path in made:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


SUMMARY = """\

小区域 2027  国家 DIP 3.0 规则 · 小目录
outcomes

 outcome         rows
 ────────────────────
 excluded           5
 grouped            2
 rejected           2
 comprehensive      1
 other_track        1
 ungrouped          1

pools

 item                            职工医保   居民医保
 ───────────────────────────────────────────────────
 stays                                  1          3
 points                             1,986      1,667
 opening value                     5.2861     8.6396
 settlement value                 14.3480    11.4866
 fund (yuan)                    19,000.00   9,500.00
 payable (yuan)                 18,900.00   9,417.79
 residual and returned (yuan)      100.00      82.21
 sharing (yuan)                      0.00       0.00
 left in reserve (yuan)          1,100.00      82.21

hospitals (largest and smallest payable minus booked)

 hospital         stays    CMI   payable (yuan)   minus booked    clearing
 ─────────────────────────────────────────────────────────────────────────
 第一医院             2   1.13        24,289.70      14,589.70   10,713.21
 第二医院             2   0.59         4,028.09         428.09      659.15
 没有病例的医院       0   0.00             0.00           0.00        0.00

clearing: 11,372.36 yuan to pay (40.2% of the year), 0.00 yuan to take back; by 2028-03-31, {days}
conserved: rows, points and fen all agree
results: {run}
"""


def test_the_summary_of_a_run(tmp_path):
    region = write_small(tmp_path / "small")
    said = fenzhi("run", region, "--no-reports", "--lang", "en")
    [run] = runs_of(region)
    lines = [line.rstrip() for line in said.out.splitlines()]
    [days] = [line.rsplit(", ", 1)[1] for line in lines if line.startswith("clearing: ")]
    left = (date(2028, 3, 31) - date.today()).days
    assert abs(int(days.split()[0]) - abs(left)) <= 1  # a test may run over midnight
    assert lines == SUMMARY.format(run=run, days=days).splitlines()
    assert (said.code, said.err) == (0, "")
    chinese = done("run", region, "--no-reports")
    assert "病例去向" in chinese
    assert "守恒:行数、分值、金额全部核对一致" in chinese
    # Two runs of the same second do not get in each other's way.
    assert len(runs_of(region)) == 2


def test_a_run_says_where_the_pages_are(tmp_path):
    region = write_small(tmp_path / "small")
    out = done("run", region, "--lang", "en")
    [run] = runs_of(region)
    assert out.splitlines()[-4:] == [
        f"results: {run}",
        f"  {run / 'region.html'}",
        f"  {run / 'region.xlsx'}",
        f"  {run / 'statements'}",
    ]
    assert "没有病例的医院" in (run / "statements" / "C3.html").read_text(encoding="utf-8")


def test_strict_ends_with_1_after_writing_the_run(tmp_path):
    region = write_small(tmp_path / "small")
    assert fenzhi("run", region, "--no-reports", "--strict").code == 1
    assert len(runs_of(region)) == 1
    records = region / "records" / "2027.csv"
    lines = records.read_text(encoding="utf-8").splitlines()
    records.write_text("\n".join(lines[:8]) + "\n", encoding="utf-8")
    assert fenzhi("run", region, "--no-reports", "--strict").code == 0


CHECK = """\
· {region}/records/2027.csv: columns not used: psn_name
! warning: [CATALOG_FORGOTTEN_CATEGORY] category E11 has core groups such as E11.9:0, but no comprehensive group
! note: [HOSPITAL_CLASSES] hospitals by level and type: 2 general (2), 3 general (1)
! note: [HISTORY] history: 12 rows, 0 rejected, 12 discharged in [2026]
budget.toml · employee

 title        kind             planned   changed within the year   amount after changes   left after this line
 ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
 预算收入     income         20,000.00                      0.00              20,000.00              20,000.00
 风险储备金   risk reserve    1,000.00                      0.00               1,000.00              19,000.00
 by disease   by disease     19,000.00                      0.00              19,000.00                   0.00

budget.toml · resident

 title          kind           planned   changed within the year   amount after changes   left after this line
 ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
 预算收入       income       10,000.00                      0.00              10,000.00              10,000.00
 异地就医预留   carved out      500.00                      0.00                 500.00               9,500.00
 by disease     by disease    9,500.00                      0.00               9,500.00                   0.00

{region}

 rule            severity   rows   meaning
 ───────────────────────────────────────────────────────────────────────────────────────────────
 cost_zero       error         1   {zero}
 duplicate_key   error         1   {twice}

12 rows: 8 accepted, 2 rejected, 2 netted
"""


def test_check_of_a_region_and_of_its_records(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_small(Path("small"))
    said = fenzhi("check", "small", "--lang", "en")
    texts = {
        name: rule_message(code, "en") for name, code in (("zero", "cost_zero"), ("twice", "duplicate_key"))
    }
    assert [line.rstrip() for line in said.out.splitlines()] == CHECK.format(
        region="small", **texts
    ).splitlines()
    assert (said.code, said.err) == (0, "")
    assert fenzhi("check", "small", "--strict").code == 1
    records = fenzhi("check", "small/records", "--lang", "en", "--rejects", "rejects.csv")
    assert records.out.splitlines()[-2:] == ["12 rows: 8 accepted, 2 rejected, 2 netted", "rejects.csv"]
    rejects = pl.read_csv("rejects.csv", infer_schema=False)
    assert rejects.select("setl_id", "source_row", "rule", "value").rows() == [
        ("S08", "8", "cost_zero", "0.00"),
        ("S01", "9", "duplicate_key", "S01"),
    ]
    again = fenzhi("check", "small/records", "--rejects", "rejects.csv")
    assert again.code == 2
    assert "[OUTPUT_EXISTS]" in again.err


def test_catalog_build_and_check(tmp_path):
    region = write_small(tmp_path / "small")
    out = done(
        *("catalog", "build", region / "history", "-o", tmp_path / "built", "--lang", "en"),
        *("--operations", region / "operations.csv", "--title", "新目录"),
    )
    figures = dict(re.findall(r"^ (\S.*?) {2,}(\S+) *$", out, re.MULTILINE))
    # K35.8 with and without operation, K35.9 with and without, E11.9: none reaches 15 stays.
    names = (
        "stays that can be combined",
        "combinations of diagnosis and main operation",
        "combinations that reach the threshold",
    )
    assert [figures[name] for name in names] == ["12", "5", "0"]
    # K35 surgery, K35 medical, E11 medical.
    assert (figures["comprehensive groups"], figures["groups"]) == ("3", "3")
    checked = done("catalog", "check", tmp_path / "built")
    assert "新目录" in checked
    assert "comprehensive" in checked
    said = fenzhi("catalog", "build", region / "history", "-o", tmp_path / "built")
    assert said.code == 2
    assert "[OUTPUT_EXISTS]" in said.err
