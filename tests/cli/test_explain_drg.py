"""``fenzhi explain FILE ID --catalog``: the grouping of a stay in a file, without a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.calls import done, fenzhi

STAYS = """\
setl_id,gend,age,diag_codes,oprn_codes
D1,1,70,I63.900|J96.000,
D2,2,40,K35.800,47.0100
D3,1,40,O80.000,
D4,,40,K35.800,
"""
ENGLISH = """\
principal diagnosis: I63.900
other diagnoses: J96.000
operations: none
"""


@pytest.fixture
def stays(tmp_path: Path) -> Path:
    (tmp_path / "stays.csv").write_text(STAYS, encoding="utf-8")
    return tmp_path / "stays.csv"


def test_the_way_to_a_drg(stays: Path) -> None:
    text = done("explain", stays, "D1", "--catalog", "demonstration-drg", "--lang", "en")
    assert text.startswith(ENGLISH)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert any(
        line.startswith("chapter MDCB") and "fits: principal diagnosis in MDCB.dx" in line for line in lines
    )
    assert any(line.startswith("ADRG BR0") and "fits:" in line for line in lines)
    assert "J96.000 MCC counts" in lines
    assert lines[-1] == "result: 分组成功: MDCB > BR0 > BR01"


def test_in_chinese_and_as_json(stays: Path) -> None:
    text = done("explain", stays, "D2", "--catalog", "demonstration-drg")
    assert "主要诊断: K35.800" in text
    assert "手术操作: 47.0100" in text
    found = json.loads(done("explain", stays, "D2", "--catalog", "demonstration-drg", "--json"))
    assert found["principal"] == "K35.800"
    assert f"结果: 分组成功: {found['mdc']} > {found['adrg']} > {found['drg']}" in text


def test_a_stay_without_group_says_why(stays: Path) -> None:
    text = done("explain", stays, "D3", "--catalog", "demonstration-drg")
    assert text.splitlines()[-1].startswith("结果: ")
    refused = done("explain", stays, "D4", "--catalog", "demonstration-drg")
    assert "sex_unknown" in refused.splitlines()[-1]


def test_the_same_for_dip(stays: Path) -> None:
    assert "候选病种" in done("explain", stays, "D2", "--catalog", "demonstration-3.0")


def test_an_id_that_is_not_there(stays: Path) -> None:
    said = fenzhi("explain", stays, "D9", "--catalog", "demonstration-drg")
    assert said.code == 2
    assert "[CASE_MISSING] no row has that settlement id" in said.err


def test_a_row_that_was_rejected(stays: Path) -> None:
    stays.write_text(STAYS + "D5,1,400,K35.800,\n", encoding="utf-8")
    said = fenzhi("explain", stays, "D5", "--catalog", "demonstration-drg")
    assert said.code == 2
    assert "[CASE_MISSING] this row was rejected: age_range" in said.err
