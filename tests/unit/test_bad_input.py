"""What goes wrong with input: each is said with what, where and what to do; exit code 2, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cli.calls import done, fenzhi, runs_of
from cli.small import HISTORY, STAYS, text_of, write_small
from cli.spoil import BAD, HISTORY_FILE, RECORDS, TOML, removed, replaced, written


@pytest.fixture
def region(tmp_path) -> Path:
    return write_small(tmp_path / "small")


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_said_in_words_and_nothing_written(region, bad):
    bad.spoil(region)
    said = fenzhi("run", region)
    assert (said.code, said.out) == (2, ""), said
    lines = said.err.splitlines()
    assert lines[0].startswith(f"[{bad.code}] "), said.err
    assert "Traceback" not in said.err
    for part in bad.says:
        assert part in said.err, said.err
    assert any(line.startswith("  to do: ") for line in lines), said.err
    if bad.says:
        assert any(line.startswith("  where: ") for line in lines), said.err
    assert not (region / "runs").exists() or list((region / "runs").iterdir()) == []


# `check` reads no history and measures no weights.
CHECKED = [bad for bad in BAD if "history" not in bad.name and bad.code != "WEIGHT_ZERO"]


@pytest.mark.parametrize("bad", CHECKED, ids=lambda bad: bad.name)
def test_check_finds_the_same_before_a_run_does(region, bad):
    bad.spoil(region)
    # A folder without region.toml is a folder of records to `check`.
    expected = "RECORDS_" if bad.name == "no region.toml" else f"{bad.code}]"
    said = fenzhi("check", region)
    assert said.code == 2
    assert said.err.startswith(f"[{expected}"), said.err


def test_a_folder_that_is_not_there(tmp_path):
    said = fenzhi("run", tmp_path / "nowhere")
    assert said.code == 2
    assert said.err.splitlines() == [
        "[REGION_FILE_MISSING] there is no such folder",
        f"  where: {tmp_path / 'nowhere'}",
        "  to do: give the folder of a region's year; `fenzhi demo DIR` writes one to look at",
    ]


# --- input that is odd, but not wrong: it leaves a trace in the results -----------------------------------------------


def cases(region: Path, *columns: str) -> dict[str | None, tuple]:
    done("run", region, "--no-reports")
    frame = pl.read_parquet(runs_of(region)[-1] / "cases.parquet")
    return {row[0]: row[1:] for row in frame.select("setl_id", *columns).iter_rows()}


def table(region: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(runs_of(region)[-1] / f"{name}.parquet")


def test_a_file_of_another_kind_is_left_out_with_a_notice(region):
    written("records/readme.doc", "x")(region)
    assert "readme.doc" in done("check", region)


def test_duplicate_keys_are_rejected_one_by_one(region):
    done("run", region, "--no-reports")
    rejected = table(region, "rejected").filter(rule="duplicate_key")
    assert rejected.select("setl_id", "source_file", "source_row", "field").rows() == [
        ("S01", "2027.csv", 9, "setl_id")
    ]


def test_a_hospital_that_is_unknown_is_a_rejected_row(region):
    replaced(RECORDS, "A1,310", "X9,310")(region)
    found = cases(region, "outcome", "reason", "fixmedins_code")
    assert table(region, "rejected").filter(rule="hospital_unknown")["value"].to_list() == ["X9"]
    assert found["S02"][0] == "grouped"
    assert "X9" not in table(region, "hospitals")["fixmedins_code"]


def test_a_hospital_without_stays_has_a_statement_of_zeros(region):
    done("run", region)
    [run] = runs_of(region)
    rows = table(region, "hospitals").filter(fixmedins_code="C3")
    assert rows["pool"].to_list() == ["employee", "resident"]
    money = [name for name in rows.columns if name.endswith("_fen")]
    assert rows.select(money).sum().row(0) == (0,) * len(money)
    page = (run / "statements" / "C3.html").read_text(encoding="utf-8")
    assert "没有病例的医院" in page
    assert "0.00" in page


def test_a_pool_without_stays_gives_its_fund_to_the_reserve(region):
    lines = [line for line in STAYS if ",310," not in line]
    written(RECORDS, text_of(lines))(region)
    removed("deductions.csv")(region)
    done("run", region)
    pool = table(region, "pools").filter(pool="employee").row(0, named=True)
    assert (pool["cases"], pool["points_e4"], pool["settlement_value_e4"]) == (0, 0, None)
    assert (pool["fund_fen"], pool["payable_fen"], pool["residual_fen"]) == (1_900_000, 0, 1_900_000)
    ledger = table(region, "ledger").filter(kind="residual")
    assert ledger.select("debit", "credit", "amount_fen").rows() == [
        ("reserve:employee", "by_disease:employee", 1_900_000)
    ]


def test_a_category_that_the_catalogue_forgets_is_ungrouped_and_check_warns(region):
    assert cases(region, "outcome", "reason")["S04"] == ("ungrouped", "no_group")
    assert "[CATALOG_FORGOTTEN_CATEGORY] category E11 has core groups such as E11.9:0" in done(
        "check", region
    )


def test_a_group_without_history_leaves_its_stays_without_weight(region):
    kept = [line for line in HISTORY if "E11.900" not in line]
    written(HISTORY_FILE, text_of(kept))(region)
    replaced(RECORDS, "E11.600", "E11.900")(region)
    assert cases(region, "outcome", "reason", "group_id")["S04"] == ("ungrouped", "no_weight", "E11.9:0")


def test_a_policy_with_an_unknown_key(region):
    replaced(TOML, '"national-dip-3.0"', '"policy.toml"')(region)
    head = '[meta]\nid = "x"\ntitle = "x"\nscheme = "dip"\nversion = "1"\nextends = "national-dip-3.0"\n'
    (region / "policy.toml").write_text(head + "[weights]\nscael = 1\n", encoding="utf-8")
    said = fenzhi("run", region)
    assert said.code == 2
    assert said.err.startswith("[POLICY_UNKNOWN_KEY] this key is unknown")
    assert "policy.toml, line 8, field weights.scael" in said.err


def test_a_policy_that_does_not_hold_in_the_year_is_a_warning(region):
    replaced(TOML, "national-dip-3.0", "national-dip-1.0")(region)
    warning = "! warning: [POLICY_DATES] the policy national-dip-1.0 holds from 2020-11-01 to 2024-12-31"
    assert f"{warning}, the year is 2027" in done("check", region)
