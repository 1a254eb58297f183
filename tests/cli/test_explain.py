"""``fenzhi explain``: the text, the JSON, and that both end in the figures of the run."""

from __future__ import annotations

import json
import shutil

import polars as pl
import pytest

from cli.calls import done, fenzhi, runs_of
from cli.small import OUTCOMES
from fenzhi.money import format_e4, format_fen

GROUPED = """\
principal diagnosis: K35.800
operations: 47.0100
effective main operation: 47.0100
candidate groups, in order of precedence
group layer name answer rule
K35.8:47.0100 basic 阑尾炎手术 wins main_diag=K35.8; treatment=operation; main_oprn=47.0100
K35.8:0 basic 阑尾炎保守 operations differ main_diag=K35.8; treatment=conservative
K35-medical comprehensive 阑尾炎内科诊疗组 operations differ main_diag=K35; treatment=medical
K35-surgery comprehensive 阑尾炎相关手术组 accepted main_diag=K35; treatment=surgery
S01: from group to money
step formula result
outcome grouped
weight RW m 10,500.00 / M 6,833.33 x 1000; 4 - 0 trimmed 1,536.5854
institution coefficient h 3|general: 8,833.33 / M 6,833.33 1.2927
points before deviation 1,536.5854 x 1.2927 1,986.3439
cost deviation r = 10,500.00 / 10,500.01 (payment_standard); 正常: 1,986.3439 1,986.3439
settlement point value (F 19,000.00 / 0.6667) / 1,986.3439 14.3480
payment standard 1,986.3439 x 14.3480 28,500.06
fund amount before assessment 19,000.00 x 1,986.3439 / 1,986.3439 19,000.00
"""


def words(text: str) -> list[str]:
    return text.split()


def unframed(text: str) -> str:
    """A rich table as bare text."""
    for sign in "┏┓┗┛┃━┳╇┡┩│└┘┴─╈┻":
        text = text.replace(sign, " ")
    return text


@pytest.fixture
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")


@pytest.mark.usefixtures("wide")
def test_the_text_of_a_grouped_stay_is_worked_by_hand(small_run):
    """History: 12 stays cost 82,000, M = 6,833.33; group m = (9+10+11+12)/4 thousand = 10,500: RW = 1,536.5854.

    A1: (42,000 + 6,000 + 5,000) / 6 stays = 8,833.33, / M = 1.2927. Employee pool: fund 20,000 - 1,000,
    booked 7,000 of 10,500.
    """
    said = fenzhi("explain", small_run, "S01", "--lang", "en")
    assert (said.code, said.err) == (0, "")
    lines = [line for line in unframed(said.out).splitlines() if line.strip()]
    expected = GROUPED.splitlines()
    assert len(lines) == len(expected)
    for line, wanted in zip(lines, expected, strict=True):
        got = words(line)
        assert got[: len(words(wanted))] == words(wanted)
        rest = " ".join(got[len(words(wanted)) :])
        # The last column is the source; its certainty is shown in brackets.
        assert rest in ("", "source") or rest.endswith("]"), rest


def explained(run, setl_id: str) -> dict:
    return json.loads(done("explain", run, setl_id, "--json"))


def case_of(run, setl_id: str) -> dict:
    return pl.read_parquet(run / "cases.parquet").filter(pl.col("setl_id") == setl_id).row(0, named=True)


@pytest.mark.parametrize(("setl_id", "outcome", "group", "reason"), [OUTCOMES[i] for i in (0, 1, 2, 3)])
def test_the_last_line_is_the_runs_amount(small_run, setl_id, outcome, group, reason):
    found, case = explained(small_run, setl_id), case_of(small_run, setl_id)
    assert found["case"]["outcome"] == case["outcome"] == outcome
    assert found["case"]["payable_fen"] == case["payable_fen"] > 0
    assert found["grouping"]["group_id"] == case["group_id"] == group
    assert found["grouping"]["reason"] == reason
    results = {step["en"]: step["result"] for step in found["steps"]}
    assert found["steps"][-1]["result"] == format_fen(case["payable_fen"])
    assert results["settlement point value"] == format_e4(case["point_value_e4"])
    assert results["payment standard"] == format_fen(case["standard_fen"])
    if outcome != "ungrouped":
        assert results["cost deviation"] == format_e4(case["points_e4"])
        assert [c["group_id"] for c in found["grouping"]["candidates"] if c["wins"]] == [group]
    else:
        assert results["points without a group"] == format_e4(case["points_e4"])


@pytest.mark.parametrize(("setl_id", "outcome", "group", "reason"), [OUTCOMES[i] for i in (4, 5, 6, 11)])
def test_a_stay_that_points_do_not_pay_has_its_reason_and_no_money(
    small_run, setl_id, outcome, group, reason
):
    found = explained(small_run, setl_id)
    assert [step["result"] for step in found["steps"]] == [f"{outcome} ({reason})"]
    assert found["grouping"]["group_id"] == group
    assert found["case"]["payable_fen"] is None


def test_a_rejected_row_says_what_was_found_and_where(small_run):
    found = explained(small_run, "S08")
    assert found["grouping"] is None
    assert found["steps"] == [
        {
            "zh": "去向",
            "en": "outcome",
            "formula": "medfee_sumamt = 0.00: 医疗费总额为零",
            "result": "rejected (cost_zero)",
            "cite": "2027.csv, 8",
        }
    ]


def test_a_refund_and_an_id_that_came_twice(small_run):
    assert [step["result"] for step in explained(small_run, "S10")["steps"]] == ["excluded (refunded)"]
    # S01 came twice; the row that counts is explained.
    assert explained(small_run, "S01")["case"]["source_row"] == 1


def test_every_outcome_of_the_demo_region_can_be_explained(demo_run):
    cases = pl.read_parquet(demo_run / "cases.parquet").filter(pl.col("setl_id").is_not_null())
    assert cases["outcome"].n_unique() == 6
    first = cases.unique(["outcome", "layer", "deviation"], keep="first", maintain_order=True)
    for row in first.unique("outcome", keep="last", maintain_order=True).iter_rows(named=True):
        found = explained(demo_run, row["setl_id"])
        case = found["case"]
        if case["payable_fen"] is not None:
            assert found["steps"][-1]["result"] == format_fen(case["payable_fen"])


def test_an_unknown_id_and_a_folder_that_is_no_run(small_run, tmp_path):
    said = fenzhi("explain", small_run, "S99")
    assert (said.code, said.out) == (2, "")
    assert "[CASE_MISSING]" in said.err
    assert "field setl_id, value 'S99'" in said.err
    said = fenzhi("explain", tmp_path, "S01")
    assert (said.code, said.err.splitlines()[0]) == (2, "[RUN_MISSING] this folder is no finished run")


@pytest.mark.parametrize(
    "name", ["records/2027.csv", "catalog/groups.csv", "budget.toml", "history/2026.csv", "region.toml"]
)
def test_changed_inputs_are_noticed(small_run, tmp_path, name):
    region = shutil.copytree(small_run.parents[1], tmp_path / "region")
    [run] = runs_of(region)
    file = region / name
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    said = fenzhi("explain", run, "S01")
    assert said.code == 2
    assert "[RUN_STALE]" in said.err
    assert name in said.err


def test_another_file_among_the_records_is_noticed(small_run, tmp_path):
    region = shutil.copytree(small_run.parents[1], tmp_path / "region")
    shutil.copy(region / "records/2027.csv", region / "records/more.csv")
    assert "[RUN_STALE]" in fenzhi("explain", runs_of(region)[0], "S01").err


@pytest.mark.parametrize(
    ("name", "code"), [("manifest.json", "RUN_MANIFEST"), ("cases.parquet", "RUN_TABLE_UNREADABLE")]
)
@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_torn_run_is_said(small_run, tmp_path, name, code, text):
    region = shutil.copytree(small_run.parents[1], tmp_path / "region")
    [run] = runs_of(region)
    (run / name).write_text(text)
    said = fenzhi("explain", run, "S01")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"[{code}] ")
    assert name in said.err
